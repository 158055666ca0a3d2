// Room: jobs. A job as its author defines it. Made by `client.defineJob` or `new Job`; read by the index document and by perform.ts.
import type { JobMetadata } from "@holdfast/protocol";
import { UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { InvokeOptions } from "../client/api.ts";
import type { TriggerClient } from "../client/client.ts";
import type { IOWithIntegrations, TriggerIntegration } from "../io/io.ts";
import type { CacheKey } from "../replay/key.ts";
import type { LogLevel } from "../runtime/runtime.ts";
import { slugifyId } from "../triggers/slug.ts";
import type { EventSpecification, Trigger, TriggerEventType, TriggerInvokeType } from "../triggers/trigger.ts";
import { type ConcurrencyLimit, checkedLimit } from "./concurrency-limit.ts";
import type { TriggerContext } from "./context.ts";
import { batchInvokeAndWait, invoke, invokeAndWait } from "./invocation.ts";
import type { FailedRunNotification, RunNotification, SuccessfulRunNotification } from "./notification.ts";
import { checkedStarts, type Debounce, type RateLimit, type Throttle } from "./starts.ts";

type NoIntegrations = Record<never, never>;

export interface JobOptions<
  TTrigger extends Trigger<EventSpecification<Anything>>,
  TIntegrations extends Record<string, TriggerIntegration> = NoIntegrations,
  TOutput = Anything,
> {
  /** Identity of the job in its environment; lower-cased, spaces become dashes. */
  id: string;
  /** Shown in the dashboard. */
  name: string;
  /** Three numbers, such as "1.0.0". */
  version: string;
  /** What makes it run: `eventTrigger(…)`, `invokeTrigger()`, `endpoint.onRequest(…)`. */
  trigger: TTrigger;
  /** Which log lines are recorded; the client's when left out. */
  logLevel?: LogLevel | undefined;
  /** Each is reachable in `run` as `io.<key>`. */
  integrations?: TIntegrations | undefined;
  /**
   * Most runs of it that execute at once: a number, a limit it shares with other jobs (`client.defineConcurrencyLimit`), or several of these, all of
   * which hold. Further runs wait; a run that waits (`io.wait`) does not count.
   */
  concurrencyLimit?: number | ConcurrencyLimit | readonly (number | ConcurrencyLimit)[] | undefined;
  /** A path into the payload, such as "user.id" (of a request: "body.user.id"): the number in `concurrencyLimit` then counts the runs of each value. */
  concurrencyKey?: string | undefined;
  /** How often runs of it may start: `{ limit: 5, period: 60 }` lets five start a minute. Further ones wait; a run counts once, when it first starts. */
  throttle?: Throttle | undefined;
  /**
   * How many runs of it events may start: `{ limit: 5, period: 60 }` lets five start in any minute. Further events start none; they are kept, and say why. Runs
   * started by a call of the job itself, by hand or as a test do not count.
   */
  rateLimit?: RateLimit | undefined;
  /** `{ period: 10 }`: events that follow each other within ten seconds start one run, of the last of them. Not together with `rateLimit`. */
  debounce?: Debounce | undefined;
  /** Of runs that wait, at a limit or for their app to have room, the higher goes first. A number, or a path into the payload. Default 0. */
  priority?: number | string | undefined;
  /** False: events start no runs of it. */
  enabled?: boolean | undefined;
  /** Called in this app after a run has succeeded, at least once. If it throws it is called again later. */
  onSuccess?: ((notification: SuccessfulRunNotification<TOutput, TriggerEventType<TTrigger>>) => unknown) | undefined;
  /** Called in this app after a run has ended any other way (canceled, too), at least once. */
  onFailure?: ((notification: FailedRunNotification<TriggerEventType<TTrigger>>) => unknown) | undefined;
  /** Of the SDK itself: not shown among the app's jobs. */
  __internal?: boolean | undefined;
  /**
   * The job itself. It may be called several times for one run: after each wait, retry or crash it starts from the top, and tasks already
   * done give their recorded results at once. What must happen only once belongs in `io.runTask`.
   */
  run: (payload: TriggerEventType<TTrigger>, io: IOWithIntegrations<TIntegrations>, context: TriggerContext) => Promise<TOutput>;
}

export type JobPayload<TJob> = TJob extends Job<Trigger<EventSpecification<infer TEvent>>, Anything> ? TEvent : never;
export type JobIO<TJob> = TJob extends Job<Anything, infer TIntegrations> ? IOWithIntegrations<TIntegrations> : never;

function checked<T extends { id: string; version: string }>(options: T): T {
  if (!options.id)
    throw new UserFacingError("BAD_REQUEST", "A job needs an id.", 'Give defineJob an id, such as "welcome-user".');
  if (/^\d+\.\d+\.\d+$/.test(options.version)) return options;
  throw new UserFacingError(
    "BAD_REQUEST",
    `Invalid job version: "${options.version}". Job versions must be valid semver versions.`,
    `Write three numbers with dots, such as "1.0.0", in the job "${options.id}".`,
  );
}

/**
 * A job.
 *
 * @example
 * const job = new Job({ id: "hello", name: "Hello", version: "1.0.0", trigger: invokeTrigger(), run: async () => "hi" });
 * client.attach(job);
 */
export class Job<
  TTrigger extends Trigger<EventSpecification<Anything>>,
  TIntegrations extends Record<string, TriggerIntegration> = NoIntegrations,
  TOutput = Anything,
> {
  readonly options: JobOptions<TTrigger, TIntegrations, TOutput>;
  client?: TriggerClient;

  constructor(options: JobOptions<TTrigger, TIntegrations, TOutput>) {
    this.options = checked(options);
    checkedStarts(options, options.id);
  }

  attachToClient(client: TriggerClient): this {
    client.attach(this);
    return this;
  }

  get id(): string {
    return slugifyId(this.options.id);
  }
  get enabled(): boolean {
    return this.options.enabled ?? true;
  }
  get name(): string {
    return this.options.name;
  }
  get trigger(): TTrigger {
    return this.options.trigger;
  }
  get version(): string {
    return this.options.version;
  }
  get logLevel(): LogLevel | undefined {
    return this.options.logLevel;
  }
  get integrations(): Record<string, Pick<TriggerIntegration, "id" | "metadata" | "authSource">> {
    const given = Object.entries(this.options.integrations ?? {}) as [string, TriggerIntegration][];
    return Object.fromEntries(given.map(([key, { id, metadata, authSource }]) => [key, { id, metadata, authSource }]));
  }

  /**
   * Runs the job. In another job's run it is a task, named by a cacheKey; elsewhere it is called with the payload alone.
   *
   * @returns the id of the run @throws NOT_FOUND when the server does not know the job, CONFLICT when it is disabled
   * @example const { id } = await report.invoke("report", { month: 3 }); // elsewhere: report.invoke({ month: 3 })
   */
  invoke(cacheKey: CacheKey, payload: TriggerInvokeType<TTrigger>, options?: InvokeOptions): Promise<{ id: string }>;
  invoke(payload: TriggerInvokeType<TTrigger>, options?: InvokeOptions): Promise<{ id: string }>;
  invoke(...given: unknown[]): Promise<{ id: string }> {
    return invoke(this, given);
  }

  /**
   * Runs the job as a task of the calling run, which waits for its end: nothing of it need stay in memory. A run that ends badly is an answer, not an error.
   *
   * @param timeoutInSeconds after that the task fails @returns the run's end; `ok` tells how
   * @example const run = await report.invokeAndWaitForCompletion("report", { month: 3 }); if (run.ok) use(run.output);
   */
  invokeAndWaitForCompletion(
    cacheKey: CacheKey,
    payload: TriggerInvokeType<TTrigger>,
    timeoutInSeconds?: number,
    options?: Pick<InvokeOptions, "accountId" | "context">,
  ): Promise<RunNotification<TOutput>> {
    return invokeAndWait(this, cacheKey, { payload, timeoutInSeconds, options });
  }

  /** As `invokeAndWaitForCompletion`, up to 25 runs at once; their ends in the order of the batch. */
  batchInvokeAndWaitForCompletion(
    cacheKey: CacheKey,
    batch: {
      payload: TriggerInvokeType<TTrigger>;
      timeoutInSeconds?: number | undefined;
      options?: Pick<InvokeOptions, "accountId" | "context"> | undefined;
    }[],
  ): Promise<RunNotification<TOutput>[]> {
    return batchInvokeAndWait(this, cacheKey, batch);
  }

  toJSON(): JobMetadata {
    const { concurrencyKey, priority } = this.options;
    const concurrencyLimit = this.#limits();
    const event = JSON.parse(JSON.stringify(this.trigger.event)) as JobMetadata["event"];
    return {
      id: this.id,
      name: this.name,
      version: this.version,
      event,
      trigger: this.trigger.toJSON(),
      integrations: this.integrations,
      internal: this.options.__internal ?? false,
      enabled: this.enabled,
      startPosition: "latest",
      preprocessRuns: this.trigger.preprocessRuns,
      ...(concurrencyLimit === undefined ? {} : { concurrencyLimit }),
      ...(concurrencyKey === undefined ? {} : { concurrencyKey }),
      ...checkedStarts(this.options, this.id),
      ...(priority === undefined ? {} : { priority }),
    };
  }

  #limits(): JobMetadata["concurrencyLimit"] {
    const { concurrencyLimit } = this.options;
    const one = (limit: number | ConcurrencyLimit) =>
      typeof limit === "number" ? checkedLimit(limit, `job "${this.id}"`) : { id: limit.id, limit: limit.limit };
    if (concurrencyLimit === undefined) return undefined;
    return isList(concurrencyLimit) ? concurrencyLimit.map(one) : one(concurrencyLimit);
  }
}

function isList(
  limits: number | ConcurrencyLimit | readonly (number | ConcurrencyLimit)[],
): limits is readonly (number | ConcurrencyLimit)[] {
  return Array.isArray(limits);
}
