// Room: io. The `io` of one execution: each method is one task, described the way v2 shows it. Made by jobs/perform.ts.
import { filterProblem, type UpdateSourceBody, type UpdateWebhookBody } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { ApiClient, EventDetail, RegisteredSchedule, SendEvent, SendEventOptions, SentEvent } from "../client/api.ts";
import { reviveEventDetail, reviveSentEvent } from "../client/revive.ts";
import type { RedactString } from "../objects.ts";
import { isTriggerError } from "../replay/errors.ts";
import type { Execution } from "../replay/execution.ts";
import type { CacheKey } from "../replay/key.ts";
import type { OpenedTask } from "../replay/outside.ts";
import type { DynamicSchedule } from "../triggers/dynamic-schedule.ts";
import type { DynamicTrigger } from "../triggers/dynamic-trigger.ts";
import type { AnyExternalSource, ExternalSourceParams } from "../triggers/external-source.ts";
import type { CronOptions, IntervalOptions } from "../triggers/schedule-trigger.ts";
import { checkedFilter } from "../triggers/trigger.ts";
import { AnyIO, type ConnectionAuth, deliveryProperties, eventProperties, type IO } from "./io.ts";
import { KeyValueStore } from "./key-value-store.ts";
import { IOLogger, type LogSetting } from "./logger.ts";
import { THROUGH_OUTAGES } from "./outage.ts";
import {
  type AwaitedEvent,
  type BackgroundFetchOptions,
  type BackgroundFetchResponse,
  type BackgroundPoll,
  checkedEvent,
  type EventWaitedFor,
  type FetchRequestInit,
  fetchTask,
  pollTask,
  propertiesOf,
  reviveEvent,
} from "./outside.ts";
import type { IOTask, RunTaskErrorCallback, RunTaskOptions, TaskResult } from "./task.ts";
import { type InitialStatusUpdate, TriggerStatus } from "./trigger-status.ts";

const HOUR_S = 3600;

export class RunIO extends AnyIO implements IO {
  readonly logger: IOLogger;
  readonly #execution: Execution;
  readonly #api: ApiClient;
  readonly #app: string;
  #store: IO["store"] | undefined;

  /** @param app the id of the client */
  constructor(execution: Execution, { api, app, setting }: { api: ApiClient; app: string; setting: LogSetting }) {
    super();
    this.#app = app;
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
    const outside = options.callback?.enabled || options.operation !== undefined;
    return this.#execution.runTask(cacheKey, {
      callback,
      options,
      onError,
      open: outside ? (task) => this.#open(task as IOTask & { displayKey?: string }, options) : undefined,
    });
  }

  /** The server makes the URL, or begins to perform the task. */
  #open(task: IOTask & { displayKey?: string | undefined }, options: RunTaskOptions): Promise<OpenedTask> {
    const { retry: _retry, delayUntil: _delay, displayKey: _given, ...shown } = options;
    const { idempotencyKey, displayKey, parentId, noop } = task;
    return this.#api.openTask(this.#execution.start.run.id, { ...shown, idempotencyKey, displayKey, parentId, noop });
  }

  waitForRequest<T = unknown>(
    cacheKey: CacheKey,
    callback: (url: string, task: IOTask) => Promise<unknown>,
    { timeoutInSeconds = HOUR_S }: { timeoutInSeconds?: number | undefined } = {},
  ): Promise<T> {
    const handOut = async (task: IOTask): Promise<void> => {
      const url = task.callbackUrl ?? "";
      task.outputProperties = [{ label: "Callback URL", text: url }];
      await callback(url, task);
    };
    return this.runTask<Anything>(cacheKey, handOut, {
      name: "Wait for Request",
      icon: "clock",
      callback: { enabled: true, timeoutInSeconds },
      properties: [{ label: "Timeout", text: `${timeoutInSeconds}s` }],
    });
  }

  waitForEvent<T = Anything>(
    cacheKey: CacheKey,
    { schema, ...event }: AwaitedEvent<T>,
    { timeoutInSeconds = HOUR_S }: { timeoutInSeconds?: number | undefined } = {},
  ): Promise<EventWaitedFor<T>> {
    const wait = async (task: IOTask): Promise<void> => {
      checkedFilter(event.filter, filterProblem, `the wait for "${[event.name].flat().join(", ")}"`);
      checkedFilter(event.contextFilter, filterProblem, `the context of the wait for "${[event.name].flat().join(", ")}"`);
      await this.#api.waitForEvent({ ...event, url: task.callbackUrl ?? "", timeoutInSeconds });
    };
    const shown = { Event: [event.name].flat().join(", "), Timeout: `${timeoutInSeconds}s`, Source: event.source };
    return this.runTask<Anything>(
      cacheKey,
      wait,
      {
        name: "Wait for Event",
        icon: "custom-event",
        params: event,
        callback: { enabled: true, timeoutInSeconds },
        properties: propertiesOf({ ...shown, "Account ID": event.accountId }),
        retry: THROUGH_OUTAGES.retry,
        parseOutput: reviveEvent,
      },
      THROUGH_OUTAGES.onError,
    ).then((given) => checkedEvent<T>(given, schema));
  }

  backgroundFetch<T = Anything>(
    cacheKey: CacheKey,
    url: string,
    requestInit?: FetchRequestInit,
    options: BackgroundFetchOptions = {},
  ): Promise<T> {
    return this.#operate<T>(cacheKey, fetchTask("fetch", url, requestInit, options));
  }

  backgroundFetchResponse<T = Anything>(
    cacheKey: CacheKey,
    url: string,
    requestInit?: FetchRequestInit,
    options: BackgroundFetchOptions = {},
  ): Promise<BackgroundFetchResponse<T>> {
    return this.#operate<BackgroundFetchResponse<T>>(cacheKey, fetchTask("fetch-response", url, requestInit, options));
  }

  backgroundPoll<T = Anything>(cacheKey: CacheKey, poll: BackgroundPoll): Promise<T> {
    return this.#operate<T>(cacheKey, pollTask(poll));
  }

  #operate<T>(cacheKey: CacheKey, options: RunTaskOptions): Promise<T> {
    return this.runTask<Anything>(cacheKey, async () => undefined, options);
  }

  wait(cacheKey: CacheKey, seconds: number): Promise<void> {
    // Text that is a number will do, as on v2: it comes out of forms and queries.
    const length = typeof seconds === "string" ? Number(seconds) : seconds;
    if (!Number.isFinite(length)) {
      return Promise.reject(new Error(`io.wait() needs a number of seconds; it was given ${String(seconds)}.`));
    }
    const options: RunTaskOptions = {
      name: "wait",
      icon: "clock",
      params: { seconds },
      noop: true,
      style: { style: "minimal" },
    };
    return this.#execution.runTask<void>(cacheKey, { callback: async () => {}, options, delayMs: length * 1000 });
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
    const properties = [...namesOf(schedule, id), ...propertiesOf({ seconds: String(options.seconds) })];
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

  registerTrigger<TSource extends AnyExternalSource>(
    cacheKey: CacheKey,
    trigger: DynamicTrigger<Anything, TSource>,
    id: string,
    params: ExternalSourceParams<TSource>,
  ): Promise<{ id: string; key: string }> {
    const inner = () => trigger.register(id, params);
    const register = async () => {
      const { id: own, source } = await this.#around("register-source", inner, { name: "register-source" });
      return { id: own, key: source.key };
    };
    const shown = { properties: propertiesOf({ trigger: trigger.id, id }), params: params as Anything };
    return this.#around(cacheKey, register, { name: "register-trigger", ...shown });
  }

  async getAuth(cacheKey: CacheKey, clientId?: string): Promise<ConnectionAuth | undefined> {
    if (!clientId) return undefined;
    const { retry, onError } = THROUGH_OUTAGES;
    return this.#execution.runTask<ConnectionAuth | undefined>(cacheKey, {
      callback: () => this.#api.getAuth(this.#app, clientId),
      options: { name: "get-auth", retry },
      onError,
    });
  }

  updateSource(cacheKey: CacheKey, update: UpdateSourceBody): Promise<{ id: string; key: string }> {
    const { retry, onError } = THROUGH_OUTAGES;
    const shown = { description: "Update Source", properties: propertiesOf({ key: update.key }), redact: { paths: ["secret"] } };
    return this.#execution.runTask<{ id: string; key: string }>(cacheKey, {
      callback: () => this.#api.updateSource(this.#app, update),
      options: { name: "Update Source", params: { ...update, secret: update.secret && hidden(update.secret) }, ...shown, retry },
      onError,
    });
  }

  updateWebhook(cacheKey: CacheKey, update: UpdateWebhookBody): Promise<{ id: string; key: string }> {
    const { retry, onError } = THROUGH_OUTAGES;
    return this.#execution.runTask<{ id: string; key: string }>(cacheKey, {
      callback: () => this.#api.updateWebhook(update),
      options: {
        name: "Update Webhook Source",
        icon: "refresh",
        properties: propertiesOf({ key: update.key }),
        params: update,
        retry,
      },
      onError,
    });
  }

  async createStatus(cacheKey: CacheKey, initialStatus: InitialStatusUpdate): Promise<TriggerStatus> {
    const status = new TriggerStatus([cacheKey].flat().join("-"), this.#execution, this.#api);
    await status.update(cacheKey, initialStatus);
    return status;
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
      const odd = oddBounds(min, max, round);
      if (odd) await this.logger.warn(odd);
      const value = (max - min) * this.#execution.runtime.random() + min;
      return round ? Math.round(value) : value;
    };
    const bounds = { min, max, round };
    // Only what is not usual is shown.
    const properties = propertiesOf({
      min: min === 0 ? undefined : String(min),
      max: max === 1 ? undefined : String(max),
      round: round ? "true" : undefined,
    });
    return this.#execution.runTask<number>(cacheKey, {
      callback: pick,
      options: { name: "random", icon: "dice-5-filled", params: bounds, properties, style: { style: "minimal" } },
    });
  }
}

/** What v2 warned of. */
function oddBounds(min: number, max: number, round: boolean): string | undefined {
  if (min === max) return `Lower and upper bounds are identical. The return value is not random and will always be: ${min}`;
  if (!round || (Number.isInteger(min) && Number.isInteger(max))) return undefined;
  return "Rounding enabled with floating-point bounds. This may cause unexpected skew and boundary inclusivity.";
}

/** Shown as ********. */
const hidden = (secret: string): RedactString => ({ __redactedString: true, strings: ["", ""], interpolations: [secret] });

function namesOf(schedule: DynamicSchedule, id: string): { label: string; text: string }[] {
  return propertiesOf({ schedule: schedule.id, id });
}
