// Room: client. The app as the transports see it: its jobs and endpoints, and the five things a server may ask of it. Owned by TriggerClient.
import {
  type ExecutionStart,
  type IndexDocument,
  type RequestPayload,
  type RespondResult,
  type RunNotification,
  UserFacingError,
  type VerifyResult,
} from "@holdfast/protocol";
import { wantsDevConnection } from "../connect/dev-connection.ts";
import type { LogSetting } from "../io/logger.ts";
import type { TriggerAuthResolver } from "../jobs/connections.ts";
import { type NotificationListeners, reviveNotification } from "../jobs/notification.ts";
import { type AnyJob, type Performance, perform, type Surroundings } from "../jobs/perform.ts";
import type { Reporter } from "../replay/outbox.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { HttpEndpoint } from "../triggers/http-endpoint.ts";
import { toRequest, toRespondResult } from "../triggers/request.ts";
import type { ApiClient } from "./api.ts";
import { indexDocument } from "./index-document.ts";
import { AppSources } from "./sources.ts";

export class App {
  readonly id: string;
  readonly runtime: Runtime;
  readonly jobs = new Map<string, AnyJob>();
  readonly endpoints = new Map<string, HttpEndpoint>();
  /** Ids of dynamic schedules. */
  readonly schedules = new Set<string>();
  readonly sources: AppSources;
  /** What was defined since the program last had its turn. */
  readonly #definedNow = new Set<string>();
  readonly #resolvers = new Map<string, TriggerAuthResolver>();
  readonly #api: ApiClient;
  readonly #logging: LogSetting;
  readonly #verbose: boolean;
  readonly #listeners = new Set<() => void>();
  readonly #whenEnded: { [Name in keyof NotificationListeners]: NotificationListeners[Name][] } = {
    runSucceeded: [],
    runSucceeeded: [],
    runFailed: [],
  };

  constructor(id: string, api: ApiClient, setting: { runtime: Runtime; logging: LogSetting; verbose: boolean }) {
    this.id = id;
    this.runtime = setting.runtime;
    this.#api = api;
    this.#logging = setting.logging;
    this.#verbose = setting.verbose;
    this.sources = new AppSources(setting.runtime, (message) => this.trace(message));
  }

  /** Tells what the SDK does, to those who asked for it with `verbose`. */
  trace(message: string): void {
    if (this.#verbose) this.runtime.log("debug", `[holdfast ${this.id}] ${message}`);
  }

  addJob(job: AnyJob): void {
    this.#defined(`job "${job.id}"`, this.jobs.has(job.id));
    this.jobs.set(job.id, job);
    this.#changed();
  }

  addEndpoint(endpoint: HttpEndpoint): void {
    this.#defined(`endpoint "${endpoint.id}"`, this.endpoints.has(endpoint.id));
    this.endpoints.set(endpoint.id, endpoint);
    this.#changed();
  }

  /** Warns of what is there already. In dev, what comes in a later turn is a changed file that its framework loaded anew. */
  #defined(what: string, again: boolean): void {
    const inDev = wantsDevConnection(this.runtime);
    const reloaded = inDev && !this.#definedNow.has(what);
    if (again && !reloaded) this.runtime.log("warn", `The ${what} is defined twice; the last definition counts.`);
    if (!inDev) return;
    if (this.#definedNow.size === 0) this.runtime.turn(() => this.#definedNow.clear());
    this.#definedNow.add(what);
  }

  addSchedule(id: string): void {
    this.schedules.add(id);
    this.#changed();
  }

  /** @param integration its id */
  addResolver(integration: string, resolver: TriggerAuthResolver): void {
    this.#resolvers.set(integration, resolver);
    this.#changed();
  }

  addListener<TName extends keyof NotificationListeners>(name: TName, listener: NotificationListeners[TName]): void {
    const listeners = this.#whenEnded[name];
    if (!listeners)
      throw new UserFacingError("BAD_REQUEST", `There is no event "${name}".`, 'Use "runSucceeded" or "runFailed".');
    listeners.push(listener);
    this.#changed();
  }

  /** A run has ended: calls whoever wants to hear of it. Rejects if one of them throws; then all are called again later. */
  async notify(told: RunNotification): Promise<true> {
    const notification = reviveNotification(told);
    const options = this.jobs.get(notification.job.id)?.options;
    const { runSucceeded, runSucceeeded, runFailed } = this.#whenEnded;
    if (notification.ok) {
      await Promise.all([options?.onSuccess, ...runSucceeded, ...runSucceeeded].map((listener) => listener?.(notification)));
    } else await Promise.all([options?.onFailure, ...runFailed].map((listener) => listener?.(notification)));
    return true;
  }

  /** Calls back whenever jobs, endpoints or schedules were added; the returned function stops that. */
  whenChanged(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => void this.#listeners.delete(callback);
  }

  index(): IndexDocument {
    const { runSucceeded, runSucceeeded, runFailed } = this.#whenEnded;
    const listens = { success: runSucceeded.length + runSucceeeded.length > 0, failure: runFailed.length > 0 };
    const [jobs, endpoints] = [this.jobs.values(), this.endpoints.values()];
    return indexDocument({
      jobs,
      endpoints,
      schedules: this.schedules,
      sources: this.sources,
      listens,
      resolved: this.#resolvers,
    });
  }

  /** Starts an execution; undefined when the app has no such job. */
  execute(start: ExecutionStart, reporter: Reporter): Performance | undefined {
    const job = this.jobs.get(start.job.id);
    return job && perform(job, start, reporter, this.surroundings);
  }

  /** What executions need besides their start. */
  get surroundings(): Surroundings {
    return { api: this.#api, app: this.id, runtime: this.runtime, logging: this.#logging, resolvers: this.#resolvers };
  }

  /** The endpoint's verdict on a request. Undefined when the app has no such endpoint. */
  async verify(endpointId: string, payload: RequestPayload): Promise<VerifyResult | undefined> {
    const endpoint = this.endpoints.get(endpointId);
    if (!endpoint) return undefined;
    const request = attempt(() => toRequest(payload));
    if (!request.ok) return { success: false, reason: `The request cannot be represented: ${request.reason}` };
    const result = await endpoint.verify(request.value);
    if (result.success) return { success: true };
    return { success: false, ...(result.reason === undefined ? {} : { reason: result.reason }) };
  }

  /** What `respondWith` answers. Undefined when the app has no such endpoint, or the endpoint answers nothing. */
  async respond(endpointId: string, payload: RequestPayload): Promise<RespondResult | undefined> {
    const response = await this.endpoints.get(endpointId)?.respond(toRequest(payload));
    return response && toRespondResult(response);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function attempt<T>(make: () => T): { ok: true; value: T } | { ok: false; reason: string } {
  try {
    return { ok: true, value: make() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** What a server is told that asks for a job the app does not have: the run fails with it. */
export function unknownJob(start: ExecutionStart): { status: "ERROR"; error: { name: string; message: string } } {
  const message = `Job not found: this app has no job "${start.job.id}". It was probably renamed or removed after the run was created.`;
  return { status: "ERROR", error: { name: "JobNotFound", message } };
}
