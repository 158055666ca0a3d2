// Room: io. What a job's run() gets as `io`: tasks and everything built on them. Made by jobs/perform.ts for one execution.
// Names, defaults and presentation are v2's; what a task means is decided in replay/execution.ts.
import type { ConnectionAuth, DisplayProperty, UpdateSourceBody, UpdateWebhookBody } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { EventDetail, RegisteredSchedule, SendEvent, SendEventOptions, SentEvent } from "../client/api.ts";
import type { CacheKey } from "../replay/key.ts";
import type { DynamicSchedule } from "../triggers/dynamic-schedule.ts";
import type { DynamicTrigger } from "../triggers/dynamic-trigger.ts";
import type { AnyExternalSource, ExternalSourceParams } from "../triggers/external-source.ts";
import type { CronOptions, IntervalOptions } from "../triggers/schedule-trigger.ts";
import type { KeyValueStore } from "./key-value-store.ts";
import type { IOLogger } from "./logger.ts";
import type {
  AwaitedEvent,
  BackgroundFetchOptions,
  BackgroundFetchResponse,
  BackgroundPoll,
  EventWaitedFor,
  FetchRequestInit,
} from "./outside.ts";
import type { IOTask, RunTaskErrorCallback, RunTaskOptions, TaskResult } from "./task.ts";
import type { InitialStatusUpdate, TriggerStatus } from "./trigger-status.ts";

export type { ConnectionAuth } from "@holdfast/protocol";

/** Everything a job can do durably. Each `cacheKey` names one task and must be unique beside its siblings. */
export interface IO {
  /** Log lines of the run, in the dashboard. They cost no round trip. */
  readonly logger: IOLogger;

  /** Values kept by key: of the environment, of the job, of this run. @example await io.store.job.set("remember", "cursor", page.next); */
  readonly store: { readonly env: KeyValueStore; readonly job: KeyValueStore; readonly run: KeyValueStore };

  /**
   * Runs a piece of work once, records its result, and gives the recorded result on every later execution.
   *
   * @param callback gets the task (`idempotencyKey`, `attempts`) and this `io`; its result travels as JSON
   * @param options `retry` makes failures be tried again; the rest is for the dashboard
   * @param onError looks at a failure first: may return `{ retryAt }`, `{ skipRetrying: true }` or another error
   * @throws the error of the last attempt, as an ordinary error
   * @example const user = await io.runTask("user", () => clerk.users.getUser(id), { name: "Get user", retry: retry.standardBackoff });
   */
  runTask<T extends TaskResult<T>>(
    cacheKey: CacheKey,
    callback: (task: IOTask, io: IO) => Promise<T>,
    options?: RunTaskOptions & { parseOutput?: (output: unknown) => T },
    onError?: RunTaskErrorCallback,
  ): Promise<T>;

  /** Waits; the app may stop meanwhile. @param seconds fractions are allowed @example await io.wait("a day", 86_400); */
  wait(cacheKey: CacheKey, seconds: number): Promise<void>;

  /**
   * Waits until somebody POSTs JSON to a URL, which `callback` hands out; gives what was posted.
   *
   * @param callback called once with the URL; if it throws the task fails
   * @param options `timeoutInSeconds`: default 3600; 0 waits for ever
   * @throws when nobody called in time
   * @example const { approved } = await io.waitForRequest<{ approved: boolean }>("approval", (url) => slack.ask(url));
   */
  waitForRequest<T = unknown>(
    cacheKey: CacheKey,
    callback: (url: string, task: IOTask) => Promise<unknown>,
    options?: { timeoutInSeconds?: number | undefined },
  ): Promise<T>;
  /**
   * Waits for the first event that fits, sent from now on.
   *
   * @throws when none came in time, or its payload does not fit `schema`
   * @example const paid = await io.waitForEvent("paid", { name: "invoice.paid", filter: { id: [invoice.id] } }, { timeoutInSeconds: 86_400 });
   */
  waitForEvent<T = Anything>(
    cacheKey: CacheKey,
    event: AwaitedEvent<T>,
    options?: { timeoutInSeconds?: number | undefined },
  ): Promise<EventWaitedFor<T>>;

  /**
   * The server makes the request, for as long as it takes, and gives the JSON that was answered; the app may stop meanwhile.
   *
   * @throws when the answer is no 2xx and `retry` names no further try, or after the timeout (default 2 minutes, at most 5)
   * @example const answer = await io.backgroundFetch("ask", url, { method: "POST", body }, { retry: { "429": { strategy: "backoff" } } });
   */
  backgroundFetch<T = Anything>(
    cacheKey: CacheKey,
    url: string,
    requestInit?: FetchRequestInit,
    options?: BackgroundFetchOptions,
  ): Promise<T>;
  /** As `backgroundFetch`; gives status and headers too. */
  backgroundFetchResponse<T = Anything>(
    cacheKey: CacheKey,
    url: string,
    requestInit?: FetchRequestInit,
    options?: BackgroundFetchOptions,
  ): Promise<BackgroundFetchResponse<T>>;
  /** The server asks again and again until the answer fits `responseFilter`; gives its body. @throws after `timeout` seconds */
  backgroundPoll<T = Anything>(cacheKey: CacheKey, poll: BackgroundPoll): Promise<T>;

  /** Sends an event, once. Its id is the task's idempotency key unless given. */
  sendEvent(cacheKey: CacheKey, event: SendEvent, options?: SendEventOptions): Promise<SentEvent>;

  /** Sends several events, each once. */
  sendEvents(cacheKey: CacheKey, events: SendEvent[], options?: SendEventOptions): Promise<SentEvent[]>;

  /** An event and the runs it made, as they are the first time. @param id the id it was sent with @throws NOT_FOUND */
  getEvent(cacheKey: CacheKey, id: string): Promise<EventDetail>;

  /** Stops an event that was sent for later, for good. One that was delivered stays as it is, without `cancelledAt`. @throws NOT_FOUND */
  cancelEvent(cacheKey: CacheKey, eventId: string): Promise<SentEvent>;

  /** @deprecated `dynamicSchedule.register(id, { type: "interval", options })` is the same. */
  registerInterval(
    cacheKey: CacheKey,
    dynamicSchedule: DynamicSchedule,
    id: string,
    options: IntervalOptions,
  ): Promise<RegisteredSchedule>;
  /** @deprecated `dynamicSchedule.unregister(id)` is the same. */
  unregisterInterval(cacheKey: CacheKey, dynamicSchedule: DynamicSchedule, id: string): Promise<{ ok: boolean }>;
  /** @deprecated `dynamicSchedule.register(id, { type: "cron", options })` is the same. */
  registerCron(
    cacheKey: CacheKey,
    dynamicSchedule: DynamicSchedule,
    id: string,
    options: CronOptions,
  ): Promise<RegisteredSchedule>;
  /** @deprecated `dynamicSchedule.unregister(id)` is the same. */
  unregisterCron(cacheKey: CacheKey, dynamicSchedule: DynamicSchedule, id: string): Promise<{ ok: boolean }>;

  /** @deprecated `dynamicTrigger.register(id, params)` does it, and tells more. @returns of the registration, and of its source */
  registerTrigger<TSource extends AnyExternalSource>(
    cacheKey: CacheKey,
    trigger: DynamicTrigger<Anything, TSource>,
    id: string,
    params: ExternalSourceParams<TSource>,
  ): Promise<{ id: string; key: string }>;
  /** For register jobs of integrations: another service knows a source now. @throws NOT_FOUND */
  updateSource(cacheKey: CacheKey, update: UpdateSourceBody): Promise<{ id: string; key: string }>;
  /** For register jobs of integrations: another service knows a webhook now, or could not be told. @throws NOT_FOUND */
  updateWebhook(cacheKey: CacheKey, update: UpdateWebhookBody): Promise<{ id: string; key: string }>;

  /**
   * The credentials the server keeps for an integration, the developer's own; the same in every execution. After a long wait they may have ended: ask anew, by
   * another cacheKey or by `client.getAuth`.
   *
   * @param clientId the id of the integration; without one, undefined
   * @returns undefined when it is not connected
   * @example const auth = await io.getAuth("github auth", "github"); // { type: "oauth2", accessToken: "gho_…", scopes: ["repo"] }
   */
  getAuth(cacheKey: CacheKey, clientId?: string): Promise<ConnectionAuth | undefined>;

  /**
   * Creates a status for people who watch the run: React hooks and `client.getRunStatuses` read it. The cacheKey names the status, too.
   *
   * @example const sending = await io.createStatus("sending", { label: "Sending", state: "loading", data: { sent: 0 } });
   */
  createStatus(cacheKey: CacheKey, initialStatus: InitialStatusUpdate): Promise<TriggerStatus>;

  /** Runs the callback for all items at once, as children of one task; gives their results in order. The first error, if any, is thrown. */
  parallel<T extends TaskResult<T>, TItem>(
    cacheKey: CacheKey,
    items: TItem[],
    callback: (item: TItem, index: number) => Promise<T>,
    options?: Pick<RunTaskOptions, "name" | "properties">,
  ): Promise<T[]>;

  /** Like try/catch around tasks. A plain try/catch works too. */
  try<TResult, TCatchResult>(
    tryCallback: () => Promise<TResult>,
    catchCallback: (error: unknown) => Promise<TCatchResult>,
  ): Promise<TResult | TCatchResult>;

  /** Ends this execution and starts another at once, as soon as tasks under way have finished. Does nothing for a key seen before. */
  yield(cacheKey: string): void;
  /** Another name of `yield`. */
  brb(cacheKey: string): void;

  /** A random number that stays the same over executions. @param options min 0 (inclusive), max 1 (exclusive), round to an integer */
  random(cacheKey: CacheKey, options?: { min?: number; max?: number; round?: boolean }): Promise<number>;
}

/** What every `io` is an instance of. */
export abstract class AnyIO {}
/** For `io instanceof IO`, and for compilers that keep the import of a type: v2's was a class, which only its SDK made instances of. */
export const IO: abstract new () => IO = AnyIO as abstract new () => IO;

/** What integrations of v2 look like to a job: one copy of them per run, reachable as `io.<key>`. */
export interface TriggerIntegration {
  id: string;
  metadata: { id: string; name: string; instructions?: string | undefined };
  authSource: "LOCAL" | "HOSTED";
  cloneForRun: (io: IO, connectionKey: string, auth?: ConnectionAuth) => TriggerIntegration;
}
export type IOWithIntegrations<TIntegrations extends Record<string, TriggerIntegration>> = IO & TIntegrations;
export type IntegrationTaskKey = CacheKey;

/** Properties of a sent event that are worth showing. */
export function eventProperties(event: SendEvent, options: SendEventOptions | undefined): DisplayProperty[] {
  return [
    { label: "name", text: event.name },
    ...(event.id ? [{ label: "ID", text: event.id }] : []),
    ...deliveryProperties(options),
  ];
}

export function deliveryProperties(options: SendEventOptions | undefined): DisplayProperty[] {
  const shown: [string, Anything][] = [
    ["Account ID", options?.accountId],
    ["Deliver After", options?.deliverAfter === undefined ? undefined : `${options.deliverAfter}s`],
    ["Deliver At", options?.deliverAt?.toISOString()],
  ];
  return shown.flatMap(([label, text]) => (text === undefined ? [] : [{ label, text: String(text) }]));
}
