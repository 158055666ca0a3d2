// Room: testing. The API calls a run makes, answered from memory: events, values, statuses, schedules, invoked jobs, tasks for outside. One a run, behind
// Clock.fetch. Promises: what it cannot answer is refused by name, at once; it never asks to be tried again.
import type { ConnectionAuth, RunStatusUpdate, StatusRecord, TaskReport } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { taskDetails } from "../replay/details.ts";
import { taskId } from "../replay/key.ts";
import type { Clock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";

/** An event the run has sent. */
export interface TestEvent {
  id: string;
  name: string;
  payload: Anything;
  context?: Anything;
  source?: string;
  accountId?: string;
  /** When it would be delivered, if it was sent for later. */
  deliverAt?: Date;
  cancelled: boolean;
}

/** A run of another job the run has asked for. */
export interface TestInvocation {
  job: string;
  payload: Anything;
  context: Anything;
  accountId?: string;
}

/** Values by key, of the three scopes of `io.store`. */
export interface TestStore {
  env: Record<string, Anything>;
  job: Record<string, Anything>;
  run: Record<string, Anything>;
}

interface Call {
  method: string;
  path: string;
  /** Parts of the path that stand for something. */
  at: string[];
  body: Anything;
  text: string | undefined;
  idempotencyKey: string;
}
type Route = readonly [method: string, path: RegExp, answer: (call: Call) => Response];

const notFound = (what: string): Response => Response.json({ message: `${what} does not exist.` }, { status: 404 });

export class MemoryServer {
  readonly events: TestEvent[] = [];
  readonly invocations: TestInvocation[] = [];
  readonly statuses: StatusRecord[] = [];
  /** JSON text (undefined: the value undefined) by key with the scope before it. */
  readonly #values = new Map<string, string | undefined>();
  /** By the id of the integration. */
  #connections: Record<string, ConnectionAuth> = {};
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #prefixes: Record<keyof TestStore, string>;

  constructor(ledger: Ledger, clock: Clock, of: { run: string; job: string }) {
    this.#ledger = ledger;
    this.#clock = clock;
    clock.answer = (url, init) => this.#answer(url, init);
    this.#prefixes = { env: "", job: `job:${of.job}:`, run: `run:${of.run}:` };
  }

  get store(): TestStore {
    const store: TestStore = { env: {}, job: {}, run: {} };
    for (const [key, text] of this.#values) {
      const scope = (["job", "run"] as const).find((one) => key.startsWith(this.#prefixes[one])) ?? "env";
      store[scope][key.slice(this.#prefixes[scope].length)] = text === undefined ? undefined : JSON.parse(text);
    }
    return store;
  }

  /** Keeps values and credentials before the run starts. */
  fill(store: Partial<TestStore>, connections: Record<string, ConnectionAuth>): void {
    this.#connections = connections;
    for (const scope of ["env", "job", "run"] as const) {
      for (const [key, value] of Object.entries(store[scope] ?? {})) {
        this.#values.set(this.#prefixes[scope] + key, JSON.stringify(value));
      }
    }
  }

  readonly #routes: readonly Route[] = [
    ["POST", /^\/api\/v1\/events$/, ({ body }) => Response.json(this.#send(body.event, body.options))],
    [
      "POST",
      /^\/api\/v1\/events\/bulk$/,
      ({ body }) => Response.json(body.events.map((event: Anything) => this.#send(event, body.options))),
    ],
    ["GET", /^\/api\/v2\/events\/([^/]+)$/, ({ at }) => this.#event(at[0] ?? "")],
    ["POST", /^\/api\/v1\/events\/([^/]+)\/cancel$/, ({ at }) => this.#cancel(at[0] ?? "")],
    ["POST", /^\/api\/v1\/jobs\/([^/]+)\/invoke$/, (call) => this.#invoke(call)],
    ["POST", /^\/api\/v1\/event-dispatchers\/ephemeral$/, () => Response.json({ id: "waiter" })],
    ["POST", /^\/api\/v1\/runs\/[^/]+\/tasks$/, (call) => this.#openTask(call)],
    ["PUT", /^\/api\/v1\/runs\/[^/]+\/statuses\/([^/]+)$/, ({ at, body }) => this.#setStatus(at[0] ?? "", body)],
    ["POST", /^\/api\/v1\/[^/]+\/schedules\/[^/]+\/registrations$/, ({ body }) => registered(body)],
    ["DELETE", /^\/api\/v1\/[^/]+\/schedules\/[^/]+\/registrations\/[^/]+$/, () => Response.json({ ok: true })],
    ["GET", /^\/api\/v1\/[^/]+\/auth\/([^/]+)$/, ({ at }) => this.#auth(at[0] ?? "")],
    ["GET", /^\/api\/v1\/store\/([^/]+)$/, ({ at }) => this.#value("GET", at[0] ?? "")],
    ["PUT", /^\/api\/v1\/store\/([^/]+)$/, ({ at, text }) => this.#keep(at[0] ?? "", text)],
    ["DELETE", /^\/api\/v1\/store\/([^/]+)$/, ({ at }) => this.#forget(at[0] ?? "")],
    [
      "HEAD",
      /^\/api\/v1\/store\/([^/]+)$/,
      ({ at }) => new Response(null, { status: this.#values.has(at[0] ?? "") ? 200 : 404 }),
    ],
  ];

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const method = init.method ?? "GET";
    const path = new URL(url).pathname;
    for (const [verb, pattern, answer] of this.#routes) {
      const match = verb === method ? pattern.exec(path) : null;
      if (!match) continue;
      const text = typeof init.body === "string" ? init.body : undefined;
      const isJson = method === "POST" || (method === "PUT" && !path.startsWith("/api/v1/store/"));
      const body = isJson && text ? JSON.parse(text) : undefined;
      const idempotencyKey = new Headers(init.headers).get("idempotency-key") ?? "";
      return answer({ method, path, at: match.slice(1).map(decodeURIComponent), body, text, idempotencyKey });
    }
    const message = `A job under test cannot call ${method} ${path}: nothing answers it.`;
    return Response.json(
      { message, hint: "Mock the task that calls it: tasks: { key: value }.", code: "BAD_REQUEST" },
      { status: 400 },
    );
  }

  /** Sent again with an id it knows, an event counts once. */
  #send(event: Anything, options: Anything = {}): object {
    const known = this.events.find(({ id }) => id === event.id);
    const { deliverAt, deliverAfter, accountId } = options;
    const now = this.#clock.virtualNow;
    const at = deliverAt ?? (deliverAfter === undefined ? undefined : now + deliverAfter * 1000);
    const sent: TestEvent = known ?? {
      id: event.id,
      name: event.name,
      payload: event.payload,
      ...(event.context === undefined ? {} : { context: event.context }),
      ...(event.source === undefined ? {} : { source: event.source }),
      ...(accountId === undefined ? {} : { accountId }),
      ...(at === undefined ? {} : { deliverAt: new Date(at) }),
      cancelled: false,
    };
    if (!known) this.events.push(sent);
    return { ...shown(sent), timestamp: event.timestamp ?? new Date(now).toISOString() };
  }

  #event(id: string): Response {
    const event = this.events.find((one) => one.id === id);
    if (!event) return notFound(`The event ${id}`);
    const at = new Date(this.#clock.virtualNow).toISOString();
    return Response.json({ id, name: event.name, createdAt: at, updatedAt: at, runs: [] });
  }

  #cancel(id: string): Response {
    const event = this.events.find((one) => one.id === id);
    if (!event) return notFound(`The event ${id}`);
    const now = this.#clock.virtualNow;
    event.cancelled ||= event.deliverAt !== undefined && event.deliverAt.getTime() > now;
    const at = new Date(now).toISOString();
    return Response.json({ ...shown(event), timestamp: at, ...(event.cancelled ? { cancelledAt: at } : {}) });
  }

  #invoke({ at, body }: Call): Response {
    const { payload, context, options } = body;
    const { accountId } = options;
    this.invocations.push({ job: at[0] ?? "", payload, context, ...(accountId === undefined ? {} : { accountId }) });
    return Response.json({ id: `run_invoked_${this.invocations.length}` });
  }

  #openTask({ body, idempotencyKey: key }: Call): Response {
    const now = this.#clock.elapsed();
    const callbackUrl = `http://holdfast.test/callback/${taskId(key)}`;
    const { timeoutInSeconds = 3600, enabled } = body.callback ?? {};
    const due = enabled && timeoutInSeconds > 0 ? now + timeoutInSeconds * 1000 : Number.POSITIVE_INFINITY;
    const details = taskDetails(body, undefined, { callbackUrl, handedOut: false });
    const report: TaskReport = {
      key,
      id: taskId(key),
      name: String(body.name ?? "Task"),
      status: body.operation ? "RUNNING" : "WAITING",
      attempt: 1,
      startedAgo: 0,
      ...(body.displayKey === undefined ? {} : { displayKey: body.displayKey }),
      ...(body.parentId ? { parentId: body.parentId } : {}),
      ...(details === undefined ? {} : { details }),
    };
    const row = this.#ledger.open(report, { now, due });
    const { status, output, error } = row.report;
    const result = status === "ERRORED" ? error : output && JSON.parse(output);
    return Response.json({ status, callbackUrl, ...(result === undefined ? {} : { output: result }) });
  }

  #auth(id: string): Response {
    const auth = this.#connections[id];
    return auth ? Response.json(auth) : notFound(`A connection of ${id}`);
  }

  #setStatus(key: string, update: RunStatusUpdate): Response {
    const known = this.statuses.find((status) => status.key === key);
    if (!known) {
      const created = { key, history: [], ...update, label: update.label ?? key } as StatusRecord;
      this.statuses.push(created);
      return Response.json(created);
    }
    const { key: _key, history, ...before } = structuredClone(known);
    Object.assign(known, update, { history: [...history, before] });
    return Response.json(known);
  }

  #value(action: string, key: string): Response {
    const value = this.#values.get(key);
    return Response.json({ action, key, ...(value === undefined ? {} : { value }) });
  }
  #keep(key: string, text: string | undefined): Response {
    this.#values.set(key, text);
    return this.#value("SET", key);
  }
  #forget(key: string): Response {
    return Response.json({ action: "DELETE", key, deleted: this.#values.delete(key) });
  }
}

function shown({ cancelled: _cancelled, ...event }: TestEvent): object {
  return event;
}

function registered({ id, metadata, ...schedule }: Anything): Response {
  const { accountId: _account, ...times } = schedule;
  return Response.json({ id, schedule: times, ...(metadata === undefined ? {} : { metadata }), active: true });
}
