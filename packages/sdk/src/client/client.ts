// Room: client. What users create first: an app's jobs and endpoints, and its door to the server. Everything else hangs on it.
import type { ConnectionAuth, RegisterSourceEvent, RegisterTriggerBody, StatusRecord } from "@holdfast/protocol";
import { platform } from "#platform";
import type { Anything } from "../anything.ts";
import { type ConnectedClient, type ConnectOptions, connectApp } from "../connect/connect.ts";
import { DevConnection, wantsDevConnection } from "../connect/dev-connection.ts";
import type { TriggerIntegration } from "../io/io.ts";
import { KeyValueStore } from "../io/key-value-store.ts";
import type { StatusUpdate } from "../io/trigger-status.ts";
import { ConcurrencyLimit, type ConcurrencyLimitOptions } from "../jobs/concurrency-limit.ts";
import type { TriggerAuthResolver } from "../jobs/connections.ts";
import { Job, type JobOptions } from "../jobs/job.ts";
import type { NotificationListeners } from "../jobs/notification.ts";
import type { AnyJob } from "../jobs/perform.ts";
import { type Authorization, authorize } from "../push/authorize.ts";
import { handleAction, type NormalizedResponse } from "../push/handle.ts";
import { toResponse } from "../push/respond.ts";
import type { LogLevel, Runtime } from "../runtime/runtime.ts";
import { AppStream } from "../stream/app-stream.ts";
import { DynamicSchedule, type ScheduleMetadata } from "../triggers/dynamic-schedule.ts";
import { DynamicTrigger, type DynamicTriggerOptions } from "../triggers/dynamic-trigger.ts";
import { DEFAULT_SOURCE } from "../triggers/event-trigger.ts";
import type { AnyExternalSource } from "../triggers/external-source.ts";
import { type EndpointOptions, HttpEndpoint } from "../triggers/http-endpoint.ts";
import type { EventSpecification, Trigger } from "../triggers/trigger.ts";
import {
  ApiClient,
  type CanceledRuns,
  type EphemeralEventDispatcher,
  type EventDetail,
  type GetRunOptions,
  type GetRunsOptions,
  type InvokeOptions,
  type RegisteredSchedule,
  type RunDetail,
  type RunStatuses,
  type RunSummary,
  type SendEvent,
  type SendEventOptions,
  type SentEvent,
} from "./api.ts";
import { App } from "./app.ts";
import { type Credentials, credentials } from "./credentials.ts";
import { type InvokeAndWaitOptions, invokeAndWait, type JobEnd } from "./invoke-and-wait.ts";
import { keepApp, register } from "./registry.ts";
import type { AttachedSource, AttachedWebhook } from "./sources.ts";

export interface TriggerClientOptions {
  /** Names the app in its environment. */
  id: string;
  /** The environment's secret key. Default: HOLDFAST_API_KEY, then TRIGGER_API_KEY. */
  apiKey?: string | undefined;
  /** Where the server is. Default: HOLDFAST_API_URL, then TRIGGER_API_URL, then http://127.0.0.1:3040. */
  apiUrl?: string | undefined;
  /** Which log lines of runs are recorded. Default "info", which records all. */
  logLevel?: LogLevel | undefined;
  /** Tell on the console what the SDK does. */
  verbose?: boolean | undefined;
  /** Write log lines of runs to the app's console too. */
  ioLogLocalEnabled?: boolean | undefined;
  /** Clocks, network and chance; for tests and simulations. */
  runtime?: Runtime | undefined;
}

/**
 * An app: the jobs and endpoints defined on it, served by an adapter or connected to the server.
 *
 * @example
 * const client = new TriggerClient({ id: "my-app" });
 * client.defineJob({
 *   id: "hello", name: "Hello", version: "1.0.0",
 *   trigger: eventTrigger({ name: "hello" }),
 *   run: async (payload, io) => io.runTask("greet", async () => `Hello, ${payload.name}`),
 * });
 * await client.connect().ready;
 */
export class TriggerClient {
  readonly id: string;
  /** Values kept by key for the whole environment: for your backend. In a run of this client a cacheKey comes first, as in `io.store.env`. */
  readonly store: { readonly env: KeyValueStore };
  readonly #options: TriggerClientOptions;
  readonly #runtime: Runtime;
  readonly #stream: AppStream;
  readonly #api: ApiClient;
  readonly #app: App;
  /** Only under `holdfast dev -- <command>`. */
  readonly #devConnection: DevConnection | undefined;
  #mounted = false;
  #connected = false;

  constructor(options: TriggerClientOptions) {
    this.id = options.id;
    this.#options = options;
    this.#runtime = options.runtime ?? platform.runtime;
    this.#stream = new AppStream(this.#runtime, (message) => this.#app.trace(message));
    this.#api = new ApiClient(() => this.#credentials(), this.#runtime, this.#stream);
    this.store = { env: new KeyValueStore(this.#api) };
    const logging = { level: options.logLevel ?? "info", mirror: options.ioLogLocalEnabled ?? false };
    this.#app = new App(options.id, this.#api, { runtime: this.#runtime, logging, verbose: options.verbose ?? false });
    keepApp(this, this.#app);
    if (wantsDevConnection(this.#runtime)) this.#devConnection = new DevConnection(this.#app, () => this.#credentials());
    else register(this);
  }

  /** Defines a job of this app. @throws BAD_REQUEST for a version that is not three numbers */
  defineJob<
    TTrigger extends Trigger<EventSpecification<Anything>>,
    TIntegrations extends Record<string, TriggerIntegration> = Record<never, never>,
    TOutput = Anything,
  >(options: JobOptions<TTrigger, TIntegrations, TOutput>): Job<TTrigger, TIntegrations, TOutput> {
    const job = new Job<TTrigger, TIntegrations, TOutput>(options);
    this.attach(job);
    return job;
  }

  /** Adds a job made with `new Job(…)`. */
  attach(job: Job<Anything, Anything, Anything>): void {
    job.client = this;
    job.trigger.attachToJob(this, job);
    this.#app.addJob(job as AnyJob);
  }

  /**
   * Defines an address where webhooks arrive. The dashboard, and `holdfast endpoints url <id>`, tell its URL.
   *
   * @example
   * const clerk = client.defineHttpEndpoint({ id: "clerk.com", source: "clerk.com", verify: async (request) => ({ success: true }) });
   */
  defineHttpEndpoint(options: EndpointOptions, _suppressWarnings?: boolean): HttpEndpoint {
    const endpoint = new HttpEndpoint(options);
    this.#app.addEndpoint(endpoint);
    return endpoint;
  }

  /**
   * Defines a schedule whose times are registered at run time: see {@link DynamicSchedule}.
   *
   * @example const reminders = client.defineDynamicSchedule({ id: "reminders" });
   */
  defineDynamicSchedule(options: { id: string }): DynamicSchedule {
    return new DynamicSchedule(this, options);
  }
  /** Defines a trigger whose params are registered at run time: see {@link DynamicTrigger}. */
  defineDynamicTrigger<TEventSpec extends EventSpecification<Anything>, TSource extends AnyExternalSource>(
    options: DynamicTriggerOptions<TEventSpec, TSource>,
  ): DynamicTrigger<TEventSpec, TSource> {
    return new DynamicTrigger(this, options);
  }
  /** Called by each dynamic trigger, so that the server knows of it. */
  attachDynamicTrigger(trigger: DynamicTrigger<Anything, Anything>): void {
    this.defineJob(this.#app.sources.addDynamicTrigger(trigger));
  }
  /** Called by triggers of external sources. */
  attachSource(attached: AttachedSource): void {
    const registering = this.#app.sources.addSource(attached);
    if (registering) this.defineJob(registering);
  }
  /** Called by triggers of webhook sources, whose requests arrive at an endpoint of the webhook's key. */
  attachWebhook(attached: AttachedWebhook): void {
    const registering = this.#app.sources.addWebhook(attached, this);
    if (!registering) return;
    const { key, event } = attached;
    this.defineHttpEndpoint({ id: key, source: DEFAULT_SOURCE, icon: event.icon, verify: async () => ({ success: true }) });
    this.defineJob(registering);
  }
  /** Called by each dynamic schedule, so that the server knows of it. */
  attachDynamicSchedule(id: string): void {
    this.#app.addSchedule(id);
  }

  /**
   * Defines a limit that jobs share: together they execute at most `limit` runs at once.
   *
   * @example
   * const api = client.defineConcurrencyLimit({ id: "their-api", limit: 5 });
   * client.defineJob({ id: "sync", name: "Sync", version: "1.0.0", trigger, concurrencyLimit: api, run });
   */
  defineConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
    return new ConcurrencyLimit(options);
  }

  /**
   * Sends an event from anywhere in your backend; jobs listening to its name run. Resolves when it is stored. Sent again with the same id it starts nothing;
   * one that waits, and is due in five seconds or later, takes the new payload, context and time.
   */
  sendEvent(event: SendEvent, options?: SendEventOptions): Promise<SentEvent> {
    return this.#api.sendEvent(event, options);
  }
  /** Sends several events with the same options. */
  sendEvents(events: SendEvent[], options?: SendEventOptions): Promise<SentEvent[]> {
    return this.#api.sendEvents(events, options);
  }
  /** An event and the runs it made. @param eventId the id it was sent with @throws NOT_FOUND */
  getEvent(eventId: string): Promise<EventDetail> {
    return this.#api.getEvent(eventId);
  }
  /**
   * The credentials the server keeps for an integration, the developer's own, good now.
   *
   * @param id the id of the integration
   * @returns undefined when it is not connected
   * @example const auth = await client.getAuth("github"); // { type: "oauth2", accessToken: "gho_…", scopes: ["repo"] }
   */
  getAuth(id: string): Promise<ConnectionAuth | undefined> {
    return this.#api.getAuth(this.id, id);
  }
  /**
   * Stops an event that was sent for later: it never starts a run, not even if it is sent again. One that was delivered stays as it is, without `cancelledAt`.
   *
   * @throws NOT_FOUND
   * @example
   * await client.sendEvent({ id: "trial-ends-42", name: "trial.ends" }, { deliverAfter: 14 * 86_400 });
   * await client.cancelEvent("trial-ends-42");
   */
  cancelEvent(eventId: string): Promise<SentEvent> {
    return this.#api.cancelEvent(eventId);
  }
  /** Stops the runs an event started that have not finished. @throws NOT_FOUND @example const { cancelledRunIds } = await client.cancelRunsForEvent(id); */
  cancelRunsForEvent(eventId: string): Promise<CanceledRuns> {
    return this.#api.cancelRunsForEvent(eventId);
  }
  /** Stops all runs of a job that have not finished, in this environment. @example await client.cancelRunsForJob("send-newsletter"); */
  cancelRunsForJob(jobId: string): Promise<CanceledRuns> {
    return this.#api.cancelRunsForJob(jobId);
  }
  /**
   * Finds the credentials of an integration at each execution, such as those of the account a run is for.
   *
   * @example client.defineAuthResolver(slack, async (ctx) => ({ type: "oauth", token: await tokenOf(ctx.account?.id) }));
   */
  defineAuthResolver(integration: TriggerIntegration, resolver: TriggerAuthResolver): this {
    this.#app.addResolver(integration.id, resolver);
    return this;
  }
  /** What `io.waitForEvent` asks for: the first event that fits is posted to a URL, once. @param wait `timeoutInSeconds`: default 3600 */
  createEphemeralEventDispatcher({ timeoutInSeconds = 3600, ...wait }: EphemeralEventDispatcher): Promise<{ id: string }> {
    return this.#api.waitForEvent({ ...wait, timeoutInSeconds });
  }
  /** What `DynamicTrigger.register` does outside of runs. @param id of the dynamic trigger */
  registerTrigger(id: string, key: string, body: RegisterTriggerBody): Promise<RegisterSourceEvent> {
    return this.#api.registerTrigger({ client: this.id, id }, key, body);
  }
  /** What `DynamicSchedule.register` does outside of runs. @param id of the dynamic schedule */
  registerSchedule(id: string, key: string, schedule: ScheduleMetadata): Promise<RegisteredSchedule> {
    return this.#api.registerSchedule({ client: this.id, id }, key, schedule);
  }
  /** What `DynamicSchedule.unregister` does outside of runs. @param id of the dynamic schedule */
  unregisterSchedule(id: string, key: string): Promise<{ ok: boolean }> {
    return this.#api.unregisterSchedule({ client: this.id, id }, key);
  }
  /** A run with its tasks. @throws NOT_FOUND */
  getRun(runId: string, options?: GetRunOptions): Promise<RunDetail> {
    return this.#api.getRun(runId, options);
  }
  /** Runs of a job, newest first. */
  getRuns(jobId: string, options?: GetRunsOptions): Promise<{ runs: RunSummary[]; nextCursor?: string }> {
    return this.#api.getRuns(jobId, options);
  }
  /** The statuses a run has set with `io.createStatus`. @throws NOT_FOUND */
  getRunStatuses(runId: string): Promise<RunStatuses> {
    return this.#api.getRunStatuses(runId);
  }
  /** Sets a status of a run from outside of it. @param key of the status @throws NOT_FOUND */
  updateStatus(runId: string, key: string, status: StatusUpdate): Promise<StatusRecord> {
    return this.#api.updateStatus(runId, key, status);
  }
  /**
   * Runs a job of any app in this environment by its id.
   *
   * @returns the id of the run @throws NOT_FOUND, CONFLICT when the job is disabled
   * @example const { id } = await client.invokeJob("report", { month: 3 }, { idempotencyKey: "report-2026-03" });
   */
  invokeJob(jobId: string, payload: Anything, options?: InvokeOptions): Promise<{ id: string }> {
    return this.#api.invokeJob(jobId, payload, options);
  }
  /**
   * Runs a job of any app in this environment and waits for its end, from outside of a run. Inside one, `job.invokeAndWaitForCompletion` costs no
   * waiting process.
   *
   * @returns `{ id, ok: true, status, output }`, or `{ id, ok: false, status, error }` when the run failed or was canceled
   * @throws NOT_FOUND; CONFLICT when the job is disabled; TIMEOUT after `timeoutInSeconds` (default 60), while the run goes on
   * @example const report = await client.invokeJobAndWait("report", { month: 3 }); if (report.ok) send(report.output);
   */
  invokeJobAndWait(jobId: string, payload: Anything, options: InvokeAndWaitOptions = {}): Promise<JobEnd> {
    return invokeAndWait({ api: this.#api, runtime: this.#runtime }, jobId, payload, options);
  }
  /**
   * Calls back in this app after each run of its jobs, at least once. Runs that were canceled have failed.
   *
   * @example client.on("runFailed", async (run) => page(`${run.job.id} failed: ${run.error.message}`));
   */
  on<TName extends keyof NotificationListeners>(name: TName, listener: NotificationListeners[TName]): this {
    this.#app.addListener(name, listener);
    return this;
  }
  /** Stops a run that has not finished. */
  cancelRun(runId: string): Promise<RunDetail> {
    return this.#api.cancelRun(runId);
  }

  /**
   * Dials the server and serves its executions over one WebSocket: no public URL, no inbound port. Reconnects by itself.
   *
   * @returns `ready` resolves once the server has welcomed the app, and rejects when it refuses it; `close` lets running executions end
   * @example const { ready, close } = client.connect(); await ready;
   */
  connect({ concurrency, drainMs }: ConnectOptions = {}): ConnectedClient {
    this.#connected = true;
    this.#devConnection?.withdraw();
    return connectApp(this.#app, () => this.#credentials(), { concurrency, drainMs });
  }

  /** Serves one call of the server: the whole of an adapter's work. For frameworks with Web requests, `client.handler` is simpler. */
  handleRequest(request: Request, _timeOrigin?: number): Promise<NormalizedResponse> {
    this.markServed();
    return handleAction(request, { app: this.#app, credentials: this.#credentials(), stream: this.#stream });
  }

  /** Serves one call of the server, Request to Response; GET tells people what this address is. */
  readonly handler = async (request: Request): Promise<Response> => {
    this.markServed();
    const { method } = request;
    if (method === "GET" || method === "HEAD") return toResponse(this.describe(), method);
    return toResponse(await this.handleRequest(request), method);
  };

  /** What a person sees who opens the route in a browser. */
  describe(): NormalizedResponse {
    const { jobs, endpoints } = this.#app;
    const what = `This is the Holdfast endpoint of the app "${this.id}", with ${jobs.size} ${jobs.size === 1 ? "job" : "jobs"}.`;
    const hint = "The Holdfast server calls it with POST. There is nothing to do here.";
    return { status: 200, body: { ok: true, app: this.id, message: what, hint, jobs: jobs.size, endpoints: endpoints.size } };
  }

  /** How a caller with this key stands. Adapters ask before they read a body. */
  authorized(apiKey?: string | null): Authorization {
    return authorize(apiKey, this.apiKey());
  }
  apiKey(): string | undefined {
    return this.#credentials().apiKey;
  }

  /** True once an adapter serves this client or it connects. */
  get served(): boolean {
    return this.#mounted || this.#connected;
  }
  /** True once the program called `connect`; `holdfast dev <files>` connects the other ones. */
  get connected(): boolean {
    return this.#connected;
  }
  /** Called by adapters when they mount the client. */
  markServed(): void {
    this.#mounted = true;
    this.#devConnection?.mount();
  }

  #credentials(): Credentials {
    return credentials(this.#options, this.#runtime);
  }
}
