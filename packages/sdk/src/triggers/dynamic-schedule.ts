// Room: triggers. Schedules that programs register at run time, under a key: one a user, one a tenant. Made by `client.defineDynamicSchedule`, used as the
// trigger of jobs; the server keeps what is registered and the time.
import type { JobMetadata } from "@holdfast/protocol";
import { UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { RegisteredSchedule } from "../client/api.ts";
import type { TriggerClient } from "../client/client.ts";
import type { IO } from "../io/io.ts";
import { THROUGH_OUTAGES } from "../io/outage.ts";
import type { RunTaskOptions } from "../io/task.ts";
import { Execution } from "../replay/execution.ts";
import { type CronOptions, type IntervalOptions, type ScheduledPayload, scheduledEvent } from "./schedule-trigger.ts";
import type { EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

/** What is registered under a key. */
export type ScheduleMetadata = (
  | { type: "interval"; options: IntervalOptions }
  /** In UTC. */
  | { type: "cron"; options: CronOptions }
) & {
  /** `ctx.account.id` of its runs. */
  accountId?: string | undefined;
  /** Any JSON; `ctx.source.metadata` of its runs. */
  metadata?: Anything;
};

/**
 * A schedule without times of its own: each `register` adds some under a key, and every one of their ticks starts the jobs whose trigger this is.
 *
 * @example
 * const reminders = client.defineDynamicSchedule({ id: "reminders" });
 * client.defineJob({
 *   id: "remind", name: "Remind", version: "1.0.0", trigger: reminders,
 *   run: async ({ ts }, io, ctx) => io.logger.info(`Remind ${ctx.source?.id} at ${ts.toISOString()}`),
 * });
 * await reminders.register("user_42", { type: "cron", options: { cron: "0 9 * * *" }, metadata: { name: "Ada" } });
 */
export class DynamicSchedule implements Trigger<EventSpecification<ScheduledPayload>> {
  readonly id: string;
  readonly client: TriggerClient;
  readonly event = scheduledEvent({ title: "Dynamic Schedule", icon: "schedule-dynamic" });
  readonly preprocessRuns = false;

  constructor(client: TriggerClient, { id }: { id: string }) {
    if (!id) throw new UserFacingError("BAD_REQUEST", "A dynamic schedule needs an id.", 'Give it one, such as "reminders".');
    this.id = id;
    this.client = client;
    client.attachDynamicSchedule(id);
  }

  /**
   * Registers a schedule under a key, or changes it: a new account or metadata counts from the next tick on, new times begin now. The same again changes nothing.
   * An interval ticks first one period after it was registered. In a run it is a task with the cacheKey `[key, "register"]`.
   *
   * @param key your name for it, unique for this dynamic schedule
   * @throws UNPROCESSABLE for times that cannot be used, NOT_FOUND as long as the app has not registered with this dynamic schedule
   */
  async register(key: string, metadata: ScheduleMetadata): Promise<RegisteredSchedule> {
    const register = () => this.client.registerSchedule(this.id, key, metadata);
    const io = Execution.currentIO();
    if (!io) return register();
    const icon = metadata.type === "cron" ? "schedule-cron" : "schedule-interval";
    return this.#asTask(io, [key, "register"], register, { name: "Register Schedule", icon, params: metadata });
  }

  /** Ends what is registered under a key; no error if there is nothing. In a run it is a task with the cacheKey `[key, "unregister"]`. */
  async unregister(key: string): Promise<{ ok: boolean }> {
    const unregister = () => this.client.unregisterSchedule(this.id, key);
    const io = Execution.currentIO();
    return io
      ? this.#asTask(io, [key, "unregister"], unregister, { name: "Unregister Schedule", icon: "schedule" })
      : unregister();
  }

  #asTask<T>(io: IO, cacheKey: [string, string], call: () => Promise<T>, shown: RunTaskOptions): Promise<T> {
    const properties = [
      { label: "Dynamic Schedule", text: this.id },
      { label: "Schedule ID", text: cacheKey[0] },
    ];
    const options = { ...shown, properties, retry: THROUGH_OUTAGES.retry };
    return io.runTask(cacheKey, call as () => Promise<Anything>, options, THROUGH_OUTAGES.onError);
  }

  toJSON(): JobMetadata["trigger"] {
    return { type: "dynamic", id: this.id };
  }

  attachToJob(): void {}

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}
