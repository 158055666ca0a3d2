// Room: http. A whole server below the worker, for the tests of http, ingest and views: real PostgreSQL, real routes, real HTTP; only apps are pretended.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogue } from "@holdfast/catalogue";
import { type HttpEndpointMetadata, indexDocumentSchema, type JobMetadata, type RequestPayload } from "@holdfast/protocol";
import { Connections } from "../connections/connections.ts";
import { RunEnds } from "../deliver/run-ends.ts";
import type { FirstClaims } from "../dispatch/first-claim.ts";
import { planRuns } from "../dispatch/plan.ts";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import { Events } from "../dispatch/send.ts";
import { Reindexing } from "../execute/reindexing.ts";
import { createIngest } from "../ingest/ingest.ts";
import { endpointUrl } from "../ingest/locate.ts";
import type { RespondAnswer, VerifyAnswer } from "../ingest/ports.ts";
import { SourceRegistration } from "../ingest/source-registration.ts";
import { buildDelivery } from "../main/delivery.ts";
import { silentLogger } from "../platform/log.ts";
import { startEmbeddedPostgres } from "../platform/postgres/embedded.ts";
import { createVault, generateApiKeys, generateEncryptionKey, hashKey, previewOf } from "../platform/secrets.ts";
import { realWorld, type World } from "../platform/world.ts";
import { Runs } from "../runs/change.ts";
import { Registrations } from "../schedule/registrations.ts";
import { createPostgresStore } from "../store/postgres/postgres-store.ts";
import type { AppRow, BusMessage, EnvironmentRow } from "../store/store.ts";
import { RunOwners } from "../tasks/owners.ts";
import { Reports } from "../tasks/report.ts";
import { V2Tasks } from "../tasks/v2-tasks.ts";
import { createMeter } from "../views/meter.ts";
import { createViews } from "../views/views.ts";
import { createHttp } from "./app.ts";
import { AppStreams } from "./app-stream.ts";
import { acceptConnections } from "./connect-upgrade.ts";
import { listen } from "./listen.ts";
import type { Rooms } from "./rooms.ts";
import { answerCalls } from "./streamed-call.ts";

export type Fixture = Awaited<ReturnType<typeof startFixture>>;

export interface FixtureOptions {
  mode?: "dev" | "start";
  bodyBytes?: number;
  adminPasswordHash?: string;
  dashboardDir?: string;
}

export function endpoint(id: string, more: Partial<HttpEndpointMetadata> = {}): object {
  const event = { name: `httpendpoint.${id}`, title: `Title of ${id}`, source: `${id}.source`, icon: "webhook" };
  return { id, version: "1", enabled: true, event, source: `${id}.source`, ...more };
}

export function endpointJob(id: string, endpointId: string, filter?: Record<string, unknown>): object {
  const rule = { event: `httpendpoint.${endpointId}`, source: `${endpointId}.source`, ...(filter ? { payload: filter } : {}) };
  return job(id, {
    trigger: { type: "static", title: "HTTP", rule },
    event: { name: rule.event, title: "HTTP", source: rule.source, icon: "i" },
  });
}

export function eventJob(id: string, event: string): object {
  const rule = { event, source: "trigger.dev" };
  return job(id, {
    trigger: { type: "static", title: event, rule },
    event: { name: event, title: event, source: rule.source, icon: "i" },
  });
}

function job(id: string, more: Partial<JobMetadata>): object {
  return { id, name: `Job ${id}`, version: "1.0.0", enabled: true, ...more };
}

/** Starts one; call `stop` at the end. */
export async function startFixture(options: FixtureOptions = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "hf-http-"));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLogger });
  const real = realWorld({ log: { write: () => undefined } });
  /** The real clock, set ahead; or one that stands still. */
  const clock = { ahead: 0, stoppedAt: null as number | null };
  const errors: unknown[] = [];
  const log = { ...silentLogger, error: (message: string, fields?: object) => void errors.push([message, fields]) };
  const world: World = { ...real, now: () => (clock.stoppedAt ?? real.now()) + clock.ahead, log };
  const database = createPostgresStore({ connection: postgres.connection, world, log: silentLogger });
  await database.migrate();
  const { store, bus } = database;
  const vault = createVault(generateEncryptionKey());
  const keys = { dev: generateApiKeys("dev"), prod: generateApiKeys("prod") };
  const save = async (slug: "dev" | "prod"): Promise<EnvironmentRow> => {
    const id = world.newId("environment");
    const { secretKey, publicKey } = keys[slug];
    const sealed = { secretKeyHash: hashKey(secretKey), secretKeySealed: vault.seal(secretKey, `environment:${id}`) };
    const type = slug === "dev" ? ("DEVELOPMENT" as const) : ("PRODUCTION" as const);
    const row = { id, slug, type, ...sealed, secretKeyPreview: previewOf(secretKey), publicKey, createdAt: world.now() };
    await store.catalog.saveEnvironment(row);
    return row;
  };
  const environments = { dev: await save("dev"), prod: await save("prod") };
  const registry = new Registry(store.catalog, world, bus);
  await registry.refresh();
  const news: BusMessage[] = [];
  bus.subscribe((message) => void news.push(message));

  /** What pretended apps answer, and what they were asked. */
  const app = {
    /** Whether this server reaches it. */
    here: true,
    verify: async (_request: RequestPayload): Promise<VerifyAnswer> => ({ type: "verified", result: { success: true } }),
    respond: async (_request: RequestPayload): Promise<RespondAnswer> => ({ type: "no-answer", message: "nobody there" }),
    asked: [] as { what: "verify" | "respond"; endpoint: string; request: RequestPayload }[],
  };
  const apps = {
    reachable: () => app.here,
    reachableByAny: async () => app.here,
    verify: (_app: AppRow, slug: string, request: RequestPayload) => {
      app.asked.push({ what: "verify", endpoint: slug, request });
      return app.verify(request);
    },
    handOver: async (): Promise<VerifyAnswer> => ({ type: "no-answer", message: "this app has no sources" }),
    respond: (_app: AppRow, slug: string, request: RequestPayload) => {
      app.asked.push({ what: "respond", endpoint: slug, request });
      return app.respond(request);
    },
  };
  const meter = createMeter();
  const wake = (queues: string[]): void => bus.publish({ type: "work", queues });
  // No executions here: every run is stored as due.
  const first: FirstClaims = {
    of: (plan) => ({ ...plan, stored: () => wake(plan.work.map(({ queue }) => queue)), dropped: () => {} }),
  };
  const mode = options.mode ?? "dev";
  const events = new Events({ world, registry, store, recent: new RecentEvents(), first });
  const runs = new Runs(world, store);
  let port = 0;
  const connections = new Connections({
    world,
    registry,
    store,
    runs,
    events,
    vault,
    publicUrl: () => `http://127.0.0.1:${port}`,
  });
  const ingest = createIngest({
    world,
    registry,
    store,
    bus,
    apps,
    planRuns: (event) => first.of(planRuns(registry, world, event)),
    events,
    connections,
    vault,
    meter,
    owner: world.newId("server"),
    mode,
    bodyBytes: options.bodyBytes ?? 10 * 1024 * 1024,
  });
  const index = async (
    slug: string,
    environment: EnvironmentRow,
    document: object,
    transport: "connect" | "push" = "connect",
  ): Promise<AppRow> =>
    registry.saveIndex({
      environmentId: environment.id,
      slug,
      transport,
      url: null,
      sdk: null,
      index: indexDocumentSchema.parse(document),
    });
  const registration = {
    register: (environmentId: string, { id, url }: { id: string; url: string }) =>
      registry.saveIndex({
        environmentId,
        slug: id,
        transport: "push",
        url,
        sdk: "2.3.19",
        index: indexDocumentSchema.parse({ jobs: [] }),
      }),
    refresh: async (id: string) => {
      const known = registry.app(id);
      if (!known) throw new Error("no such app");
      return known;
    },
  };
  const reports = new Reports(store, meter);
  const registrations = new Registrations({ world, registry, schedules: store.schedules, events, ticksIn: () => true });
  const rooms: Rooms = {
    mode,
    version: "0.0.0-test",
    world,
    registry,
    store,
    bus,
    views: createViews(database.reader),
    meter,
    ingest,
    runs,
    events,
    registrations,
    sources: new SourceRegistration({ world, registry, store, events, vault, publicUrl: () => `http://127.0.0.1:${port}` }),
    connections,
    reports: { record: (token, items) => reports.record(token, items, world.now()) },
    owners: new RunOwners(store),
    tasks: new V2Tasks(world, store, { forceYield: () => false, progressed: () => {}, operate: async () => {} }),
    reindexing: new Reindexing({ world, registry, registration }),
    ends: new RunEnds({ world, store, bus, runs, executes: () => true }),
    ...buildDelivery({
      world,
      store,
      registry,
      runs,
      vault,
      apps: { notify: async () => ({ type: "taken" }) },
      owner: "srv_test",
      wake: () => {},
    }),
    registration,
    apps,
    vault,
    apiRate: null,
    adminPasswordHash: options.adminPasswordHash ?? null,
    catalogue,
    sampleSecrets: {},
    dashboardDir: options.dashboardDir ?? null,
    ownUrl: () => `http://127.0.0.1:${port}`,
  };
  const fetchHandler = createHttp(rooms);
  const streams = new AppStreams({ ...rooms, answerCall: answerCalls(fetchHandler) });
  const listening = await listen(fetchHandler, { host: "127.0.0.1", port: 0 }, (server) =>
    acceptConnections(server, registry, {
      connect: (socket) => socket.close(),
      stream: (...arrived) => streams.accept(...arrived),
    }),
  );
  port = listening.port;
  const url = rooms.ownUrl();
  return {
    rooms,
    url,
    port,
    app,
    keys,
    clock,
    index,
    news,
    /** What was logged as an error: must stay empty. */
    errors,
    environments,
    store,
    world,
    registry,
    database,
    /** The URL of an endpoint. */
    at(environment: EnvironmentRow, slug: string): string {
      const known = registry.endpointIn(environment.id, slug);
      if (!known) throw new Error(`no endpoint ${slug}`);
      return endpointUrl(url, environment, known.row);
    },
    /** A call with an environment's secret key; answers the parsed body. */
    async api(path: string, init: { method?: string; body?: unknown; key?: string; headers?: Record<string, string> } = {}) {
      const body = init.body === undefined ? {} : { body: JSON.stringify(init.body) };
      const headers = { authorization: `Bearer ${init.key ?? keys.dev.secretKey}`, ...init.headers };
      const response = await fetch(url + path, { method: init.method ?? "GET", headers, ...body });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
    },
    async stop(): Promise<void> {
      const closed = listening.close();
      listening.force();
      await closed;
      await database.close();
      await postgres.stop();
      await real.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
