// Room: triggers. Jobs that time starts: by a cron expression or at an interval. Called by users in `defineJob`; the server keeps the time.
import type { JobMetadata } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { DEFAULT_SOURCE } from "./event-trigger.ts";
import { parse } from "./schema.ts";
import type { EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

/** What a scheduled job's `run` gets. */
export interface ScheduledPayload {
  /** The moment this tick was due. */
  ts: Date;
  /** The moment of the tick before; absent at the first. */
  lastTimestamp?: Date | undefined;
}

type ScheduledTriggerJSON = Extract<JobMetadata["trigger"], { type: "scheduled" }>;
type Spec = ScheduledTriggerJSON["schedule"];

/** Dates travel as text. */
const payloadSchema = {
  safeParse(payload: unknown) {
    const { ts, lastTimestamp } = (payload ?? {}) as { ts?: Anything; lastTimestamp?: Anything };
    const at = new Date(ts);
    const last = lastTimestamp === undefined || lastTimestamp === null ? undefined : new Date(lastTimestamp);
    if (Number.isNaN(at.getTime())) return failure("ts");
    if (last && Number.isNaN(last.getTime())) return failure("lastTimestamp");
    return { success: true as const, data: last ? { ts: at, lastTimestamp: last } : { ts: at } };
  },
};

function failure(field: string) {
  const issue = { code: "custom", path: [field], message: `${field} must be a date, written as in "2024-01-31T09:00:00.000Z"` };
  return { success: false as const, error: { issues: [issue], message: issue.message } };
}

/** The event of a trigger that time sets off, as v2 describes it. */
export function scheduledEvent(shown: {
  title: string;
  icon: string;
  properties?: EventSpecification<ScheduledPayload>["properties"];
}): EventSpecification<ScheduledPayload> {
  const now = { ts: "__CURRENT_DATE__", lastTimestamp: "__CURRENT_DATE__" };
  return {
    name: "trigger.scheduled",
    source: DEFAULT_SOURCE,
    ...shown,
    examples: [{ id: "now", name: "Now", icon: "clock", payload: now }],
    parsePayload: (payload) => parse(payloadSchema, payload),
  };
}

class ScheduledTrigger implements Trigger<EventSpecification<ScheduledPayload>> {
  readonly event: EventSpecification<ScheduledPayload>;
  readonly preprocessRuns = false;
  readonly #schedule: Spec;

  constructor(schedule: Spec, shown: { title: string; icon: string; text: string }) {
    this.#schedule = schedule;
    const { title, icon, text } = shown;
    this.event = scheduledEvent({ title, icon, properties: [{ label: schedule.type, text }] });
  }

  toJSON(): JobMetadata["trigger"] {
    return { type: "scheduled", schedule: this.#schedule };
  }

  attachToJob(): void {}

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}

export interface CronOptions {
  /** Five fields (minute, hour, day, month, weekday), or six with seconds first; in UTC. */
  cron: string;
}

export class CronTrigger extends ScheduledTrigger {
  constructor({ cron }: CronOptions) {
    super({ type: "cron", options: { cron } }, { title: "Cron Schedule", icon: "schedule-cron", text: cron });
  }
}

export interface IntervalOptions {
  /** A whole number from 20 to 2,592,000 (30 days). */
  seconds: number;
}

export class IntervalTrigger extends ScheduledTrigger {
  constructor({ seconds }: IntervalOptions) {
    const text = `Every ${seconds} seconds`;
    super({ type: "interval", options: { seconds } }, { title: "Schedule", icon: "schedule-interval", text });
  }
}

/**
 * A trigger for jobs that run at the moments of a cron expression, in UTC. A moment that passed while no server ran is made up for once.
 *
 * @example
 * client.defineJob({
 *   id: "digest", name: "Digest", version: "1.0.0",
 *   trigger: cronTrigger({ cron: "0 9 * * 1-5" }),
 *   run: async ({ ts }, io) => io.logger.info(`The digest of ${ts.toISOString()}`),
 * });
 */
export function cronTrigger(options: CronOptions): Trigger<EventSpecification<ScheduledPayload>> {
  return new CronTrigger(options);
}

/**
 * A trigger for jobs that run every so many seconds: at multiples of the interval since 1970, in UTC, so `seconds: 3600` is on the hour.
 *
 * @example
 * client.defineJob({
 *   id: "poll", name: "Poll", version: "1.0.0",
 *   trigger: intervalTrigger({ seconds: 60 }),
 *   run: async ({ ts, lastTimestamp }, io) => io.logger.info(`Since ${lastTimestamp?.toISOString() ?? "ever"}`),
 * });
 */
export function intervalTrigger(options: IntervalOptions): Trigger<EventSpecification<ScheduledPayload>> {
  return new IntervalTrigger(options);
}
