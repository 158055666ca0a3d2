// Room: client. The server's REST API, method by method: events, runs, schedules, values. Used by TriggerClient and by `io`.
// Promises: what requests.ts promises: errors in the server's own words, and that what may pass is tried again.
import {
  type ApiRun,
  type ApiRunTask,
  type ConnectionAuth,
  type RegisterSourceEvent,
  type RegisterTriggerBody,
  type RunStatus,
  type RunStatusUpdate,
  type StatusRecord,
  type UpdateSourceBody,
  type UpdateWebhookBody,
  UserFacingError,
} from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { Execution } from "../replay/execution.ts";
import type { OpenedTask } from "../replay/outside.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { AppStream } from "../stream/app-stream.ts";
import type { Credentials } from "./credentials.ts";
import { Requests, type Sending } from "./requests.ts";
import { reviveEventDetail, reviveRun, reviveSentEvent, reviveSummary } from "./revive.ts";

/** An event to send. */
export type SendEvent = {
  /** Jobs with `eventTrigger({ name })` of exactly this name run. */
  name: string;
  payload?: Anything;
  context?: Anything;
  /** Sent twice with one id, an event counts once. Made up when left out. */
  id?: string | undefined;
  timestamp?: Date | undefined;
  source?: string | undefined;
  payloadType?: "JSON" | "REQUEST" | undefined;
};
export type SendEventOptions = {
  deliverAt?: Date | undefined;
  /** Seconds from now; `deliverAt` wins. */
  deliverAfter?: number | undefined;
  accountId?: string | undefined;
};
export type SentEvent = {
  id: string;
  name: string;
  payload: Anything;
  context?: Anything;
  timestamp: Date;
  deliverAt?: Date | null | undefined;
  deliveredAt?: Date | null | undefined;
  cancelledAt?: Date | null | undefined;
};

export type RunSummary = {
  id: string;
  status: RunStatus;
  startedAt: Date | null;
  updatedAt: Date | null;
  completedAt: Date | null;
};
export type EventDetail = {
  id: string;
  name: string;
  createdAt: Date;
  updatedAt: Date;
  runs: { id: string; status: RunStatus; startedAt?: Date | null; completedAt?: Date | null }[];
};
type Dated<T> = Omit<T, "startedAt" | "completedAt" | "updatedAt" | "subtasks"> & {
  startedAt: Date | null;
  completedAt: Date | null;
};
export type RunTaskDetail = Dated<ApiRunTask> & { subtasks?: RunTaskDetail[] };
export type RunDetail = RunSummary &
  Pick<ApiRun, "statuses"> & { output?: Anything; tasks: RunTaskDetail[]; nextCursor?: string };

/** A run and the statuses it has set, in the order it created them. */
export type RunStatuses = {
  run: { id: string; status: RunStatus; output?: Anything };
  statuses: StatusRecord[];
};

/** What became of runs that were canceled together. */
export type CanceledRuns = {
  cancelledRunIds: string[];
  /** They ended by themselves meanwhile. */
  failedToCancelRunIds: string[];
};

export interface GetRunOptions {
  /** Include tasks inside tasks. */
  subtasks?: boolean | undefined;
  /**
   * Include inputs and outputs of tasks. A page then ends early once they reach 4 MiB, so go by `nextCursor`; nested tasks behind as much say
   * `detailsOmitted`.
   */
  taskdetails?: boolean | undefined;
  cursor?: string | undefined;
  /** Tasks a page, at most 50. */
  take?: number | undefined;
}
export type GetRunsOptions = Pick<GetRunOptions, "cursor" | "take">;

/** A schedule as it is registered. */
export type RegisteredSchedule = {
  /** The key. */
  id: string;
  schedule: { type: "interval"; options: { seconds: number } } | { type: "cron"; options: { cron: string } };
  metadata?: Anything;
  /** False where schedules are switched off. */
  active: boolean;
};

function query(options: object): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** A dynamic trigger, and the app that defines it. */
interface TriggerName {
  client: string;
  id: string;
}

/** A dynamic schedule, and the app that defines it. */
interface ScheduleName {
  client: string;
  id: string;
}

function registrationsPath({ client, id }: ScheduleName): string {
  return `/api/v1/${encodeURIComponent(client)}/schedules/${encodeURIComponent(id)}/registrations`;
}

/** Where a value is kept. URLs resolve "." and ".." even when they are encoded, and no lone surrogate can be. */
function valuePath(key: string): string {
  if (key === "" || key === "." || key === ".." || /\p{Surrogate}/u.test(key)) {
    const message = `${JSON.stringify(key)} cannot be a key of the store.`;
    throw new UserFacingError("BAD_REQUEST", message, 'Any other text can, such as "user:42".');
  }
  return `/api/v1/store/${encodeURIComponent(key)}`;
}

function keptValue(answer: unknown): unknown {
  const { value } = answer as { value?: string };
  return value ? JSON.parse(value) : undefined;
}

export interface InvokeOptions {
  accountId?: string | undefined;
  /** Invoked twice with one key, it is the same run. Made up when left out. */
  idempotencyKey?: string | undefined;
  /** `ctx.event.context` of the run. */
  context?: Anything;
  /** Is sent a RunNotification when the run has ended, signed in `X-Trigger-Signature-256`. */
  callbackUrl?: string | undefined;
}

/** Which event is waited for, and who is told. */
export interface EventWait {
  url: string;
  name: string | string[];
  source?: string | undefined;
  filter?: object | undefined;
  contextFilter?: object | undefined;
  accountId?: string | undefined;
  timeoutInSeconds: number;
}

/** As programs give it. */
export type EphemeralEventDispatcher = Omit<EventWait, "timeoutInSeconds"> & { timeoutInSeconds?: number | undefined };

export class ApiClient {
  readonly #requests: Requests;
  readonly #runtime: Runtime;

  /** @param stream of the process; without one every call is a request */
  constructor(credentials: () => Credentials, runtime: Runtime, stream?: AppStream) {
    this.#requests = new Requests(credentials, runtime, stream);
    this.#runtime = runtime;
  }

  async sendEvent(event: SendEvent, options?: SendEventOptions): Promise<SentEvent> {
    return reviveSentEvent(await this.#post("/api/v1/events", { event: this.#identified(event), options }));
  }

  async sendEvents(events: SendEvent[], options?: SendEventOptions): Promise<SentEvent[]> {
    const sent = await this.#post("/api/v1/events/bulk", { events: events.map((event) => this.#identified(event)), options });
    return (sent as unknown[]).map(reviveSentEvent);
  }

  async getEvent(id: string): Promise<EventDetail> {
    return reviveEventDetail(await this.#get(`/api/v2/events/${encodeURIComponent(id)}`));
  }

  async cancelEvent(id: string): Promise<SentEvent> {
    return reviveSentEvent(await this.#post(`/api/v1/events/${encodeURIComponent(id)}/cancel`, {}));
  }

  async cancelRunsForEvent(id: string): Promise<CanceledRuns> {
    return (await this.#post(`/api/v1/events/${encodeURIComponent(id)}/cancel-runs`, {})) as CanceledRuns;
  }

  async cancelRunsForJob(jobId: string): Promise<CanceledRuns> {
    return (await this.#post(`/api/v1/jobs/${encodeURIComponent(jobId)}/cancel-runs`, {})) as CanceledRuns;
  }

  async getRun(id: string, options: GetRunOptions = {}): Promise<RunDetail> {
    return reviveRun((await this.#get(`/api/v2/runs/${encodeURIComponent(id)}${query(options)}`)) as ApiRun);
  }

  async getRuns(jobId: string, options: GetRunsOptions = {}): Promise<{ runs: RunSummary[]; nextCursor?: string }> {
    const page = await this.#get(`/api/v1/jobs/${encodeURIComponent(jobId)}/runs${query(options)}`);
    const { runs, nextCursor } = page as { runs: ApiRun[]; nextCursor?: string };
    return { runs: runs.map(reviveSummary), ...(nextCursor ? { nextCursor } : {}) };
  }

  async cancelRun(id: string): Promise<RunDetail> {
    return reviveRun((await this.#post(`/api/v1/runs/${encodeURIComponent(id)}/cancel`, {})) as ApiRun);
  }

  async getRunStatuses(id: string): Promise<RunStatuses> {
    return (await this.#get(`/api/v2/runs/${encodeURIComponent(id)}/statuses`)) as RunStatuses;
  }

  async updateStatus(runId: string, key: string, status: RunStatusUpdate): Promise<StatusRecord> {
    const path = `/api/v1/runs/${encodeURIComponent(runId)}/statuses/${encodeURIComponent(key)}`;
    return (await this.#put(path, status)) as StatusRecord;
  }

  async registerTrigger(of: TriggerName, key: string, body: RegisterTriggerBody): Promise<RegisterSourceEvent> {
    const path = `/api/v2/${encodeURIComponent(of.client)}/triggers/${encodeURIComponent(of.id)}/registrations/${encodeURIComponent(key)}`;
    return (await this.#put(path, body)) as RegisterSourceEvent;
  }

  async updateSource(client: string, body: UpdateSourceBody): Promise<{ id: string; key: string }> {
    const path = `/api/v2/${encodeURIComponent(client)}/sources/${encodeURIComponent(body.key)}`;
    return (await this.#put(path, body)) as { id: string; key: string };
  }

  async updateWebhook(body: UpdateWebhookBody): Promise<{ id: string; key: string }> {
    return (await this.#put(`/api/v1/webhooks/${encodeURIComponent(body.key)}`, body)) as { id: string; key: string };
  }

  async registerSchedule(of: ScheduleName, key: string, schedule: object): Promise<RegisteredSchedule> {
    return (await this.#post(registrationsPath(of), { ...schedule, id: key })) as RegisteredSchedule;
  }

  async unregisterSchedule(of: ScheduleName, key: string): Promise<{ ok: boolean }> {
    const path = `${registrationsPath(of)}/${encodeURIComponent(key)}`;
    return (await this.#call({ method: "DELETE", path })) as { ok: boolean };
  }

  /** Credentials the server keeps for an integration, good now; undefined when it is not connected. @param client the id of the client */
  async getAuth(client: string, integrationId: string): Promise<ConnectionAuth | undefined> {
    try {
      return (await this.#get(
        `/api/v1/${encodeURIComponent(client)}/auth/${encodeURIComponent(integrationId)}`,
      )) as ConnectionAuth;
    } catch (error) {
      if (error instanceof UserFacingError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** The value kept under a key; undefined when there is none. */
  async getValue(key: string): Promise<unknown> {
    return keptValue(await this.#get(valuePath(key)));
  }

  /** Keeps JSON text under a key (undefined: the value undefined); the value as it is kept. */
  async setValue(key: string, text: string | undefined): Promise<unknown> {
    const body = text === undefined ? {} : { body: text };
    const headers = { "content-type": "text/plain" };
    return keptValue(await this.#call({ method: "PUT", path: valuePath(key), headers, ...body }));
  }

  async deleteValue(key: string): Promise<boolean> {
    return ((await this.#call({ method: "DELETE", path: valuePath(key) })) as { deleted: boolean }).deleted;
  }

  async hasValue(key: string): Promise<boolean> {
    try {
      await this.#send({ method: "HEAD", path: valuePath(key) });
      return true;
    } catch (error) {
      if (error instanceof UserFacingError && error.code === "NOT_FOUND") return false;
      throw error;
    }
  }

  /** Runs a job by its id; with the same key it is the same run. */
  async invokeJob(
    jobId: string,
    payload: unknown,
    options: InvokeOptions & { waitSeconds?: number } = {},
  ): Promise<{ id: string }> {
    const { idempotencyKey = this.#runtime.uniqueId(), context = {}, accountId, callbackUrl, waitSeconds } = options;
    const body = { payload, context, options: { accountId, callbackUrl } };
    const waiting = waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` };
    const headers = { "idempotency-key": idempotencyKey, ...waiting };
    const patienceMs = (waitSeconds ?? 0) * 1_000;
    const path = `/api/v1/jobs/${encodeURIComponent(jobId)}/invoke`;
    return (await this.#post(path, body, { headers, patienceMs })) as { id: string };
  }

  /** Sends the first event that fits to a URL. */
  async waitForEvent(wait: EventWait): Promise<{ id: string }> {
    return (await this.#post("/api/v1/event-dispatchers/ephemeral", wait)) as { id: string };
  }

  /** Makes the server know a task that something outside completes, or tells what it knows of it. */
  async openTask(runId: string, task: { idempotencyKey: string } & Record<string, unknown>): Promise<OpenedTask> {
    const headers = { "idempotency-key": task.idempotencyKey };
    return (await this.#post(`/api/v1/runs/${encodeURIComponent(runId)}/tasks`, task, { headers })) as OpenedTask;
  }

  /** Every event gets an id, so that trying again cannot send it twice. */
  #identified(event: SendEvent): SendEvent {
    return { ...event, payload: event.payload ?? {}, id: event.id ?? this.#runtime.uniqueId() };
  }

  #get(path: string): Promise<unknown> {
    return this.#call({ method: "GET", path });
  }

  #post(path: string, body: unknown, more: Pick<Sending, "headers" | "patienceMs"> = {}): Promise<unknown> {
    return this.#call({ method: "POST", path, body: JSON.stringify(body), ...more });
  }

  #put(path: string, body: unknown): Promise<unknown> {
    return this.#call({ method: "PUT", path, body: JSON.stringify(body) });
  }

  async #call(sending: Sending): Promise<unknown> {
    return JSON.parse(await this.#send(sending));
  }

  #send(sending: Sending): Promise<string> {
    const standIn = Execution.current()?.standIn ?? this;
    return standIn.#requests.send(sending);
  }
}
