// Room: io. The `io` of one execution: each method is one task, described the way v2 shows it. Made by jobs/perform.ts.
import {
  type ApiClient,
  type EventDetail,
  type RegisteredSchedule,
  reviveEventDetail,
  reviveSentEvent,
  type SendEvent,
  type SendEventOptions,
  type SentEvent,
} from "../client/api.ts";
import { isTriggerError } from "../replay/errors.ts";
import type { Execution } from "../replay/execution.ts";
import type { CacheKey } from "../replay/key.ts";
import type { DynamicSchedule } from "../triggers/dynamic-schedule.ts";
import type { CronOptions, IntervalOptions } from "../triggers/schedule-trigger.ts";
import { deliveryProperties, eventProperties, type IO } from "./io.ts";
import { KeyValueStore } from "./key-value-store.ts";
import { IOLogger, type LogSetting } from "./logger.ts";
import { THROUGH_OUTAGES } from "./outage.ts";
import type { IOTask, RunTaskErrorCallback, RunTaskOptions, TaskResult } from "./task.ts";

export class RunIO implements IO {
  readonly logger: IOLogger;
  readonly #execution: Execution;
  readonly #api: ApiClient;
  #store: IO["store"] | undefined;

  constructor(execution: Execution, api: ApiClient, setting: LogSetting) {
    this.#execution = execution;
    this.#api = api;
    this.logger = new IOLogger(execution, setting);
  }

  get store(): IO["store"] {
    const { job, run } = this.#execution.start;
    this.#store ??= {
      env: new KeyValueStore(this.#api),
      job: new KeyValueStore(this.#api, "job", job.id),
      run: new KeyValueStore(this.#api, "run", run.id),
    };
    return this.#store;
  }

  runTask<T extends TaskResult<T>>(
    cacheKey: CacheKey,
    callback: (task: IOTask, io: IO) => Promise<T>,
    options: RunTaskOptions & { parseOutput?: (output: unknown) => T } = {},
    onError?: RunTaskErrorCallback,
  ): Promise<T> {
    return this.#execution.runTask(cacheKey, { callback, options, onError });
  }

  wait(cacheKey: CacheKey, seconds: number): Promise<void> {
    if (!Number.isFinite(seconds)) {
      return Promise.reject(new Error(`io.wait() needs a number of seconds; it was given ${String(seconds)}.`));
    }
    const options: RunTaskOptions = {
      name: "wait",
      icon: "clock",
      params: { seconds },
      noop: true,
      style: { style: "minimal" },
    };
    return this.#execution.runTask<void>(cacheKey, { callback: async () => {}, options, delayMs: seconds * 1000 });
  }

  sendEvent(cacheKey: CacheKey, event: SendEvent, options?: SendEventOptions): Promise<SentEvent> {
    const send = (task: IOTask) => this.#api.sendEvent({ ...event, id: event.id ?? task.idempotencyKey }, options);
    return this.#execution.runTask<SentEvent>(cacheKey, {
      callback: send,
      options: {
        name: "Send Event",
        icon: "send",
        params: { event, options },
        properties: eventProperties(event, options),
        retry: THROUGH_OUTAGES.retry,
        parseOutput: reviveSentEvent,
      },
      onError: THROUGH_OUTAGES.onError,
    });
  }

  sendEvents(cacheKey: CacheKey, events: SendEvent[], options?: SendEventOptions): Promise<SentEvent[]> {
    const identified = (task: IOTask) =>
      events.map((event, index) => ({ ...event, id: event.id ?? `${task.idempotencyKey}.${index}` }));
    return this.#execution.runTask<SentEvent[]>(cacheKey, {
      callback: (task) => this.#api.sendEvents(identified(task), options),
      options: {
        name: "Send Multiple Events",
        icon: "send",
        params: { events, options },
        properties: [{ label: "Total Events", text: String(events.length) }, ...deliveryProperties(options)],
        retry: THROUGH_OUTAGES.retry,
        parseOutput: (output) => (output as unknown[]).map(reviveSentEvent),
      },
      onError: THROUGH_OUTAGES.onError,
    });
  }

  getEvent(cacheKey: CacheKey, id: string): Promise<EventDetail> {
    const properties = [{ label: "id", text: id }];
    const { retry, onError } = THROUGH_OUTAGES;
    return this.#execution.runTask<EventDetail>(cacheKey, {
      callback: () => this.#api.getEvent(id),
      options: { name: "getEvent", params: { id }, properties, retry, parseOutput: reviveEventDetail },
      onError,
    });
  }

  cancelEvent(cacheKey: CacheKey, eventId: string): Promise<SentEvent> {
    const properties = [{ label: "id", text: eventId }];
    const { retry, onError } = THROUGH_OUTAGES;
    return this.#execution.runTask<SentEvent>(cacheKey, {
      callback: () => this.#api.cancelEvent(eventId),
      options: { name: "cancelEvent", params: { eventId }, properties, retry, parseOutput: reviveSentEvent },
      onError,
    });
  }

  registerInterval(
    cacheKey: CacheKey,
    schedule: DynamicSchedule,
    id: string,
    options: IntervalOptions,
  ): Promise<RegisteredSchedule> {
    const register = () => schedule.register(id, { type: "interval", options });
    const properties = [...namesOf(schedule, id), { label: "seconds", text: String(options.seconds) }];
    return this.#around(cacheKey, register, { name: "register-interval", properties, params: options });
  }

  unregisterInterval(cacheKey: CacheKey, schedule: DynamicSchedule, id: string): Promise<{ ok: boolean }> {
    const shown = { name: "unregister-interval", properties: namesOf(schedule, id) };
    return this.#around(cacheKey, () => schedule.unregister(id), shown);
  }

  registerCron(cacheKey: CacheKey, schedule: DynamicSchedule, id: string, options: CronOptions): Promise<RegisteredSchedule> {
    const register = () => schedule.register(id, { type: "cron", options });
    const properties = [...namesOf(schedule, id), { label: "cron", text: options.cron }];
    return this.#around(cacheKey, register, { name: "register-cron", properties, params: options });
  }

  unregisterCron(cacheKey: CacheKey, schedule: DynamicSchedule, id: string): Promise<{ ok: boolean }> {
    const shown = { name: "unregister-cron", properties: namesOf(schedule, id) };
    return this.#around(cacheKey, () => schedule.unregister(id), shown);
  }

  /** A task around one that retries by itself. */
  #around<T>(cacheKey: CacheKey, callback: () => Promise<T>, options: RunTaskOptions): Promise<T> {
    return this.#execution.runTask<T>(cacheKey, { callback, options });
  }

  parallel<T extends TaskResult<T>, TItem>(
    cacheKey: CacheKey,
    items: TItem[],
    callback: (item: TItem, index: number) => Promise<T>,
    options: Pick<RunTaskOptions, "name" | "properties"> = {},
  ): Promise<T[]> {
    return this.#execution.runTask<T[]>(cacheKey, {
      callback: () => this.#all(items.map(async (item, index) => callback(item, index))),
      options: { name: "parallel", parallel: true, ...options },
    });
  }

  /** All results, or the first error once no branch can go on: branches under way finish first, those that wait are not waited for. */
  #all<T>(branches: Promise<T>[]): Promise<T[]> {
    return new Promise((resolve, reject) => {
      let failed: { error: unknown } | undefined;
      const fail = () => failed && reject(failed.error);
      for (const branch of branches) {
        branch.catch((error: unknown) => {
          if (!failed) this.#execution.whenStuck(fail);
          failed ??= { error };
        });
      }
      void Promise.allSettled(branches).then((outcomes) => {
        if (failed) return fail();
        resolve(outcomes.map((outcome) => (outcome as PromiseFulfilledResult<T>).value));
      });
    });
  }

  async try<TResult, TCatchResult>(
    tryCallback: () => Promise<TResult>,
    catchCallback: (error: unknown) => Promise<TCatchResult>,
  ): Promise<TResult | TCatchResult> {
    try {
      return await tryCallback();
    } catch (error) {
      if (isTriggerError(error)) throw error;
      return await catchCallback(error);
    }
  }

  yield(cacheKey: string): void {
    this.#execution.yield(String(cacheKey));
  }

  brb(cacheKey: string): void {
    this.#execution.yield(String(cacheKey));
  }

  random(cacheKey: CacheKey, { min = 0, max = 1, round = false } = {}): Promise<number> {
    const pick = async () => {
      if (min > max) throw new Error(`Lower bound can't be higher than upper bound - min: ${min}, max: ${max}`);
      const value = (max - min) * this.#execution.runtime.random() + min;
      return round ? Math.round(value) : value;
    };
    const bounds = { min, max, round };
    const properties = Object.entries(bounds).map(([label, value]) => ({ label, text: String(value) }));
    return this.#execution.runTask<number>(cacheKey, {
      callback: pick,
      options: { name: "random", icon: "dice-5-filled", params: bounds, properties, style: { style: "minimal" } },
    });
  }
}

function namesOf(schedule: DynamicSchedule, id: string): { label: string; text: string }[] {
  return [
    { label: "schedule", text: schedule.id },
    { label: "id", text: id },
  ];
}
