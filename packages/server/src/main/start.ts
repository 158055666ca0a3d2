// Room: main. Builds a server from its configuration, starts it, and stops it. The only place that knows every room.
// Called by the CLI (`holdfast dev`, `holdfast start`) and by tests.
import { mkdirSync } from "node:fs";
import { catalogue } from "@holdfast/catalogue";
import { type Plan, planRuns } from "../dispatch/plan.ts";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import { Events } from "../dispatch/send.ts";
import type { AppCalls } from "../execute/app-calls.ts";
import { appCalls } from "../execute/apps.ts";
import { Executor } from "../execute/executor.ts";
import { Registration } from "../execute/register.ts";
import { createHttp } from "../http/app.ts";
import { acceptConnections } from "../http/connect-upgrade.ts";
import { type Listening, listen } from "../http/listen.ts";
import { hashPassword } from "../http/password.ts";
import type { Rooms } from "../http/rooms.ts";
import { createIngest, type Ingest } from "../ingest/ingest.ts";
import { DEFAULT_BODY_BYTES } from "../ingest/ports.ts";
import { createVault, type Vault } from "../platform/secrets.ts";
import { realWorld, type World } from "../platform/world.ts";
import { Runs } from "../runs/change.ts";
import { createPostgresStore, type PostgresStore } from "../store/postgres/postgres-store.ts";
import type { EventRow } from "../store/store.ts";
import { Reports } from "../tasks/report.ts";
import { V2Tasks } from "../tasks/v2-tasks.ts";
import { createMeter, type Meter } from "../views/meter.ts";
import { createViews } from "../views/views.ts";
import { News } from "../worker/news.ts";
import { Worker } from "../worker/worker.ts";
import { builtDashboard } from "./built-dashboard.ts";
import type { RunningServer, ServerConfig } from "./config.ts";
import { type Database, openDatabase } from "./database.ts";
import { encryptionKeyOf } from "./encryption-key.ts";
import { ensureEnvironments } from "./environments.ts";
import { takeIdentity } from "./identity.ts";
import { Upkeep } from "./upkeep.ts";
import { VERSION } from "./version.ts";

/** How long a stop waits for HTTP requests under way. */
const CLOSE_MS = 5_000;

/**
 * Starts a server.
 *
 * @throws UserFacingError BAD_CONFIGURATION, CONFLICT (port or data directory taken), DATABASE_UNREACHABLE
 * @example const server = await startServer({ mode: "dev", host: "127.0.0.1", port: 0, dataDir: ".holdfast" }); await server.stop();
 */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const world = realWorld({ log: { level: config.logLevel ?? "info", json: config.json ?? false } });
  mkdirSync(config.dataDir, { recursive: true });
  const vault = createVault(encryptionKeyOf(config));
  const undo: (() => Promise<void>)[] = [() => world.close()];
  try {
    const database = await openDatabase(config, world.log);
    undo.push(() => database.stop());
    const postgres = createPostgresStore({ connection: database.connection, world, log: world.log });
    undo.push(() => postgres.close());
    await postgres.migrate();
    return await serve({ config, world, vault, database, postgres, undo });
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

interface Opened {
  config: ServerConfig;
  world: World;
  vault: Vault;
  database: Database;
  postgres: PostgresStore;
  /** What a stop does, last first. */
  undo: (() => Promise<void>)[];
}

/** The rooms that do the work, wired to each other. */
interface Core {
  registry: Registry;
  runs: Runs;
  events: Events;
  executor: Executor;
  worker: Worker;
  apps: AppCalls;
  ingest: Ingest;
  meter: Meter;
  wake: (queues: string[]) => void;
}

async function serve(opened: Opened): Promise<RunningServer> {
  const { config, world, vault, postgres, undo } = opened;
  const { store, bus } = postgres;
  const { owner, predecessor } = takeIdentity(config.dataDir, world);
  if (predecessor) await store.releaseOwners([predecessor], world.now());
  const keys = await ensureEnvironments(config, store.catalog, vault, world);
  const registry = new Registry(store.catalog, world, bus);
  await registry.refresh();
  const core = buildCore(opened, registry, owner);
  const port = { number: config.port };
  const rooms = await buildRooms(opened, core, () => ownUrl(config.host, port.number));
  const listening = await listen(createHttp(rooms), config, (server) =>
    acceptConnections(server, registry, (...arrived) => core.executor.hub.accept(...arrived)),
  );
  port.number = listening.port;
  undo.push(() => closeHttp(listening, world));
  const upkeep = new Upkeep(world, registry, postgres, bus);
  upkeep.start();
  core.worker.start();
  undo.push(async () => {
    upkeep.stop();
    await core.worker.stop();
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= unwind(undo);
    return stopped;
  };
  return { url: rooms.ownUrl(), port: listening.port, keys, stop };
}

function buildCore({ config, world, vault, postgres }: Opened, registry: Registry, owner: string): Core {
  const { store, bus } = postgres;
  // An event nobody listens for makes no work: looking for it would cost four statements.
  const wake = (queues: string[]): void => {
    if (queues.length > 0) bus.publish({ type: "work", queues });
  };
  const recent = new RecentEvents();
  const news = new News(world, bus);
  const meter = createMeter();
  const runs = new Runs(world, store);
  const reports = new Reports(world, store, meter);
  const executor = new Executor({ world, registry, store, runs, reports, vault, recent, wake, seen: (run) => news.tasks(run) });
  const events = new Events({ world, registry, store, recent, wake });
  const apps = appCalls(executor.hub, executor.push);
  const plan = (event: EventRow): Plan => {
    recent.add(event);
    return planRuns(registry, world, event);
  };
  const bodyBytes = config.maxBodyBytes ?? DEFAULT_BODY_BYTES;
  const { mode } = config;
  const ingest = createIngest({ world, registry, store, bus, apps, planRuns: plan, vault, meter, owner, mode, bodyBytes });
  const worker = new Worker({ world, store, bus, registry, runs, events, executor, apps, ingest, owner });
  runs.onChange((run, change) => {
    news.run(run);
    if (run.state.kind === "finished") meter.count("holdfast_runs_finished_total", { status: run.state.outcome.status });
    if (change.work && "dueAt" in change.work) wake([run.appId]);
  });
  return { registry, runs, events, executor, worker, apps, ingest, meter, wake };
}

async function buildRooms({ config, world, vault, postgres }: Opened, core: Core, url: () => string): Promise<Rooms> {
  const { store, bus } = postgres;
  const { registry, executor, worker, wake } = core;
  const draining = { forceYield: () => worker.stopping, progressed: (runId: string) => executor.progressed(runId) };
  return {
    ...core,
    mode: config.mode,
    version: VERSION,
    world,
    store,
    bus,
    vault,
    catalogue,
    views: createViews(postgres.reader),
    reports: executor,
    tasks: new V2Tasks(world, store, draining),
    registration: new Registration(registry, executor.push, wake),
    adminPasswordHash: config.adminPassword ? await hashPassword(config.adminPassword, vault.keyId) : null,
    sampleSecrets: config.sampleSecrets ?? {},
    dashboardDir: config.dashboardDir ?? builtDashboard(),
    ownUrl: url,
    storeCounters: () => flatCounters(postgres.counters),
  };
}

/** {"statements.record-task": 12, "commits.record-task": 7, …} */
function flatCounters({ statements, commits, items }: PostgresStore["counters"]): Record<string, number> {
  const flat = (group: string, counts: Record<string, number>) =>
    Object.entries(counts).map(([name, n]) => [`${group}.${name}`, n] as const);
  return Object.fromEntries([...flat("statements", statements), ...flat("commits", commits), ...flat("items", items)]);
}

async function closeHttp(listening: Listening, world: World): Promise<void> {
  const cancel = world.after(CLOSE_MS, () => listening.force());
  await listening.close();
  cancel();
}

async function unwind(undo: (() => Promise<void>)[]): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step();
}

function ownUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
