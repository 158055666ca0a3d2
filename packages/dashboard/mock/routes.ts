// The mock API's answers, one function a resource. Called by api.ts.
import type {
  DeliveryDetail,
  DeliverySummary,
  EndpointInfo,
  LiveMessage,
  Overview,
  Page,
  RunDetail,
  RunSummary,
  SendSampleRequest,
  SessionInfo,
  TaskView,
} from "@holdfast/protocol";
import { CATALOGUE } from "./catalogue.ts";
import { ENVIRONMENTS, makeSkip, type World } from "./world.ts";

/** An answer that is not 200. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

export interface Call {
  method: string;
  path: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** Carries `x-holdfast: 1`. */
  marked: boolean;
  authenticated: boolean;
  password: string | undefined;
  emit(message: LiveMessage): void;
  setCookie(cookie: string): void;
}

const missing = (what: string): Refusal =>
  new Refusal(404, "NOT_FOUND", `There is no such ${what}.`, "It may be in another environment.");

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw missing(what);
  return value;
}

export function answer(world: World, call: Call): unknown {
  const [first, slug, kind, ...rest] = call.path;
  if (call.method !== "GET" && !call.marked) throw new Refusal(403, "FORBIDDEN", "The x-holdfast header is missing.");
  if (first === "session") return session(call);
  if (!call.authenticated) throw new Refusal(401, "UNAUTHORIZED", "Log in first.");
  if (first === "catalogue")
    return slug === undefined
      ? CATALOGUE
      : found(
          CATALOGUE.find((entry) => entry.id === slug),
          "catalogue entry",
        );
  if (first !== "environments") throw missing("path");
  if (slug === undefined) return ENVIRONMENTS;
  const here = slug === "dev" ? world : { ...world, runs: [], deliveries: [], endpoints: [], jobs: [], apps: [] };
  const resource = found(RESOURCES[kind ?? ""], "path");
  return resource(here, call, rest);
}

type Resource = (world: World, call: Call, rest: string[]) => unknown;

const RESOURCES: Record<string, Resource> = {
  runs: (world, call, [id, act]) => (id === undefined ? listRuns(world, call) : oneRun(world, call, { id, act })),
  deliveries: (world, call, [id, act]) =>
    id === undefined ? listDeliveries(world, call) : oneDelivery(world, call, { id, act }),
  endpoints: (world, call, [id, act]) => (id === undefined ? world.endpoints : oneEndpoint(world, call, { id, act })),
  jobs: (world, call, [id, act]) => (id === undefined ? world.jobs : oneJob(world, call, { id, act })),
  apps: (world) => world.apps,
  integrations: (world, call, [id, act]) => (id === undefined ? world.integrations : oneIntegration(world, call, { id, act })),
  keys: (_, call, [act]) => ({
    secretKey: act === "rotate" ? "tr_dev_newKey0000" : `tr_${call.path[1]}_3kfA81nZ0qPLrX9Qf`,
    publicKey: "pk_dev_7Hq2mXv0aTz9",
  }),
  overview: (world) => overview(world),
};

function session(call: Call): SessionInfo {
  if (call.method === "POST" && call.body.password !== call.password)
    throw new Refusal(401, "UNAUTHORIZED", "That is not the password.");
  if (call.method === "POST") call.setCookie("session=open; HttpOnly; Path=/");
  if (call.method === "DELETE") call.setCookie("session=; Path=/; Max-Age=0");
  const authenticated = call.method === "POST" || call.authenticated;
  return {
    mode: call.password === undefined ? "dev" : "start",
    authenticated,
    version: "0.1.0",
    environments: authenticated ? ENVIRONMENTS : [],
  };
}

function page<T extends { id: string }>(all: readonly T[], call: Call): Page<T> {
  const limit = Number(call.query.get("limit") ?? 50);
  const cursor = call.query.get("cursor");
  const start = cursor === null ? 0 : all.findIndex((each) => each.id === cursor) + 1;
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  return start + limit < all.length && last ? { items, nextCursor: last.id } : { items };
}

function listRuns(world: World, call: Call): Page<RunSummary> {
  const { query } = call;
  const statuses = query.getAll("status");
  const text = query.get("q")?.toLowerCase() ?? "";
  const fits = (run: RunDetail): boolean =>
    (statuses.length === 0 || statuses.includes(run.status)) &&
    (query.get("job") ?? run.job) === run.job &&
    run.createdAt >= (query.get("after") ?? "") &&
    run.createdAt < (query.get("before") ?? "9") &&
    [run.id, run.job, run.eventName].some((each) => each.toLowerCase().includes(text));
  return page(world.runs.filter(fits), call);
}

interface Place {
  id: string;
  act: string | undefined;
}

function oneRun(world: World, call: Call, { id, act }: Place): unknown {
  const run = found(
    world.runs.find((each) => each.id === id),
    "run",
  );
  const tasks = world.tasks.get(id) ?? [];
  if (act === undefined) return { ...run, tasks: page<TaskView>(tasks, call) };
  if (act === "tasks") return page<TaskView>(tasks, call);
  if (act === "continue") return Object.assign(run, { status: "EXECUTING", completedAt: null, error: null, errorDetail: null });
  if (act === "cancel") {
    Object.assign(run, { status: "CANCELED", completedAt: new Date(world.now).toISOString(), resumeAt: null });
    call.emit({ type: "run", id, job: run.job, status: "CANCELED" });
    return run;
  }
  return startRun(world, call, { ...run, isTest: run.isTest });
}

function startRun(world: World, call: Call, like: RunDetail): { id: string } {
  const id = `run_new${world.nextId++}`;
  const created = new Date(world.now).toISOString();
  world.runs.unshift({
    ...like,
    id,
    status: "QUEUED",
    createdAt: created,
    startedAt: null,
    completedAt: null,
    error: null,
    errorDetail: null,
    executions: 0,
    executionMs: 0,
    output: undefined,
  });
  call.emit({ type: "run", id, job: like.job, status: "QUEUED" });
  return { id };
}

const summary = ({
  url: _u,
  headers: _h,
  bodyBase64: _b,
  bodyTruncated: _t,
  eventId: _e,
  ...rest
}: DeliveryDetail): DeliverySummary => rest;

function listDeliveries(world: World, call: Call): Page<DeliverySummary> {
  const { query } = call;
  const fits = (each: DeliveryDetail) =>
    (query.get("endpoint") ?? each.endpoint) === each.endpoint && (query.get("verdict") ?? each.verdict) === each.verdict;
  return page(world.deliveries.filter(fits).map(summary), call);
}

function oneDelivery(world: World, call: Call, { id, act }: Place): unknown {
  const delivery = found(
    world.deliveries.find((each) => each.id === id),
    "delivery",
  );
  return act === "replay" ? summary(receive(world, call, { ...delivery, verdict: "verified", reason: null })) : delivery;
}

function receive(world: World, call: Call, like: DeliveryDetail): DeliveryDetail {
  const delivery = { ...like, id: `dlv_new${world.nextId++}`, receivedAt: new Date(world.now).toISOString() };
  world.deliveries.unshift(delivery);
  call.emit({ type: "delivery", id: delivery.id, verdict: delivery.verdict });
  return delivery;
}

const REASONS: Record<string, string | null> = {
  valid: null,
  tampered: "No matching signature found",
  stale: "Message timestamp too old",
  unsigned: "Missing svix headers",
  "wrong-secret": "No matching signature found",
};

function setSecret(endpoint: EndpointInfo, call: Call): EndpointInfo {
  const { preset, secret } = call.body;
  if (preset !== "svix" && preset !== "standard") throw new Refusal(422, "UNPROCESSABLE", `"${preset}" is no preset.`);
  return Object.assign(endpoint, { hasSecret: secret !== null, verification: secret === null ? "app" : "preset" });
}

function oneEndpoint(world: World, call: Call, { id, act }: Place): unknown {
  const endpoint = found(
    world.endpoints.find((each) => each.id === id),
    "endpoint",
  );
  if (act === "secret") return setSecret(endpoint, call);
  const like = world.deliveries[1];
  if (act !== "send" || !like) return endpoint;
  const reason = REASONS[(call.body as unknown as SendSampleRequest).forge ?? "valid"] ?? null;
  const delivery = receive(world, call, {
    ...like,
    endpoint: id,
    verdict: reason === null ? "verified" : "refused",
    reason,
    runs: reason === null ? ["run_clerk"] : [],
  });
  return { status: 200, deliveryId: delivery.id };
}

const USUAL = { authorizeUrl: null, tokenUrl: null, revokeUrl: null, issuer: null };

function oneIntegration(world: World, call: Call, { id, act }: Place): unknown {
  const integration = found(
    world.integrations.integrations.find((each) => each.id === id),
    "integration",
  );
  const { accountId = null } = call.body;
  const connection = integration.connections.find((each) => each.accountId === accountId);
  if (act === "links") return { url: String(call.body.returnTo), expiresAt: new Date(world.now).toISOString() };
  if (act === "app") {
    const { provider, clientId, clientSecret, scopes } = call.body;
    const kept = { provider: String(provider), clientId: String(clientId), scopes: scopes as string[] };
    integration.app = { ...kept, hasSecret: clientSecret !== undefined, ...USUAL };
    return { ok: true };
  }
  if (act === "disconnect") return Object.assign(found(connection, "connection"), { status: "none", refreshable: false });
  return found(connection, "connection");
}

function oneJob(world: World, call: Call, { id, act }: Place): unknown {
  const job = found(
    world.jobs.find((each) => each.id === id),
    "job",
  );
  if (act === "skips") return { items: id === "http-clerk" ? [makeSkip(Date.now(), 1), makeSkip(Date.now(), 2)] : [] };
  const like = world.runs.find((run) => run.job === id) ?? world.runs[0];
  if (act !== "test" || !like) return job;
  return startRun(world, call, {
    ...like,
    job: job.id,
    jobName: job.name,
    isTest: true,
    event: { ...like.event, payload: call.body.payload },
  });
}

const HOUR = 3_600_000;

function overview(world: World): Overview {
  const last = Math.floor(world.now / HOUR) * HOUR;
  const hours = Array.from({ length: 24 }, (_, at) => ({
    start: new Date(last - (23 - at) * HOUR).toISOString(),
    runs: {} as Record<string, number>,
  }));
  for (const run of world.runs) {
    const hour = hours[23 - Math.floor((last + HOUR - 1 - Date.parse(run.createdAt)) / HOUR)];
    if (hour) hour.runs[run.status] = (hour.runs[run.status] ?? 0) + 1;
  }
  const failingJobs = world.jobs
    .filter((job) => job.failed24h > 0)
    .map((job) => {
      const run = world.runs.find((each) => each.job === job.id && each.status === "FAILURE");
      return {
        job: job.id,
        jobName: job.name,
        runs: job.runs24h,
        failed: job.failed24h,
        lastFailure: { runId: run?.id ?? "", error: run?.error ?? null, at: run?.createdAt ?? "" },
      };
    });
  return {
    hours,
    failingJobs,
    queueDepth: world.runs.length === 0 ? 0 : 1,
    oldestQueuedMs: world.runs.length === 0 ? null : 4_000,
  };
}
