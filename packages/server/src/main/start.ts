// Room: main. Builds a server from its configuration, starts it, and stops it. The only place that knows every room.
// Called by the CLI (`holdfast dev`, `holdfast start`) and by tests.
import { catalogue } from "@holdfast/catalogue";
import { RunEnds } from "../deliver/run-ends.ts";
import { Registry } from "../dispatch/registry.ts";
import { ADOPT_MS } from "../execute/lease.ts";
import { Registration } from "../execute/register.ts";
import { Reindexing } from "../execute/reindexing.ts";
import { createHttp } from "../http/app.ts";
import { AppStreams } from "../http/app-stream.ts";
import { acceptConnections } from "../http/connect-upgrade.ts";
import { type Listening, listen } from "../http/listen.ts";
import { hashPassword } from "../http/password.ts";
import type { Rooms } from "../http/rooms.ts";
import { answerCalls } from "../http/streamed-call.ts";
import { DEFAULT_BODY_BYTES } from "../ingest/ports.ts";
import { createVault, type Vault } from "../platform/secrets.ts";
import { realWorld, type World } from "../platform/world.ts";
import { LocalBus } from "../store/local-bus.ts";
import { createPostgresStore, type PostgresStore } from "../store/postgres/postgres-store.ts";
import type { QuestionStore } from "../store/question-rows.ts";
import { withSealedOutputs } from "../store/sealed-outputs.ts";
import type { Bus, TaskRow } from "../store/store.ts";
import { RunOwners } from "../tasks/owners.ts";
import { V2Tasks } from "../tasks/v2-tasks.ts";
import { createViews } from "../views/views.ts";
import { builtDashboard } from "./built-dashboard.ts";
import type { RunningServer, ServerConfig } from "./config.ts";
import { buildCore, type Core } from "./core.ts";
import { openDataDir } from "./data-dir.ts";
import { openDatabase } from "./database.ts";
import { encryptionKeyOf } from "./encryption-key.ts";
import { checkGivenKeys, ensureEnvironments } from "./environments.ts";
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
  checkGivenKeys(config);
  openDataDir(config.dataDir);
  const vault = createVault(encryptionKeyOf(config));
  const undo: (() => Promise<void>)[] = [() => world.close()];
  try {
    const database = await openDatabase(config, world.log);
    undo.push(() => database.stop());
    const postgres = createPostgresStore({ connection: database.connection, world, log: world.log });
    undo.push(() => postgres.close());
    await postgres.migrate();
    // Nobody else can reach the embedded database, so news of it need not travel.
    const bus = database.embedded
      ? new LocalBus((error) => world.log.error("a listener of the bus failed", { error }))
      : postgres.bus;
    const store = withSealedOutputs(postgres.store, vault);
    const questions = database.embedded ? null : postgres.questions;
    return await serve({ config, world, vault, postgres: { ...postgres, store }, bus, questions, undo });
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

interface Opened {
  config: ServerConfig;
  world: World;
  vault: Vault;
  postgres: PostgresStore;
  bus: Bus;
  /** Null where nobody else can reach the database. */
  questions: QuestionStore | null;
  /** What a stop does, last first. */
  undo: (() => Promise<void>)[];
}

async function serve(opened: Opened): Promise<RunningServer> {
  const { config, world, vault, postgres, bus, questions, undo } = opened;
  const { store } = postgres;
  const { owner, predecessor, release } = takeIdentity(config.dataDir, world);
  undo.push(async () => release());
  if (predecessor) await store.releaseOwners([predecessor], world.now(), world.now() + ADOPT_MS);
  const keys = await ensureEnvironments(config, store.catalog, vault, world);
  const registry = new Registry(store.catalog, world, bus, config.runsAtOnce ?? null);
  await registry.refresh();
  await registry.limitEnvironments();
  const bodyBytes = config.maxBodyBytes ?? DEFAULT_BODY_BYTES;
  const { mode, devSchedules } = config;
  const port = { number: config.port };
  const ownAddress = () => ownUrl(config.host, port.number);
  const publicUrl = () => config.publicUrl ?? ownAddress();
  const core = buildCore({ world, store, bus, registry, vault, owner, mode, bodyBytes, devSchedules, publicUrl, questions });
  const rooms = await buildRooms(opened, core, ownAddress);
  const fetch = createHttp(rooms);
  const streams = new AppStreams({ ...rooms, answerCall: answerCalls(fetch) });
  const listening = await listen(fetch, config, (server) =>
    acceptConnections(server, registry, {
      connect: (...arrived) => core.executor.hub.accept(...arrived),
      stream: (...arrived) => streams.accept(...arrived),
    }),
  );
  port.number = listening.port;
  undo.push(async () => {
    rooms.ends.stop();
    streams.close();
    await closeHttp(listening, world);
  });
  const upkeep = new Upkeep({
    world,
    registry,
    schedules: core.schedules,
    postgres,
    outside: store.outside,
    questions,
    sources: core.sources,
    connections: core.connections,
    reindexing: rooms.reindexing,
    bus,
  });
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

async function buildRooms(
  { config, world, vault, postgres, bus }: Opened,
  core: Core,
  url: () => string,
): Promise<Rooms & { ends: RunEnds; reindexing: Reindexing }> {
  const { store } = postgres;
  const { registry, executor, worker, wake } = core;
  const server = {
    forceYield: () => worker.stopping,
    progressed: (runId: string) => executor.progressed(runId),
    operate: (environmentId: string, task: TaskRow) => core.operations.begin(environmentId, task),
  };
  const registration = new Registration(registry, executor.push, wake);
  return {
    ...core,
    mode: config.mode,
    apiRate: config.apiRate ?? null,
    version: VERSION,
    world,
    store,
    bus,
    vault,
    catalogue,
    views: createViews(postgres.reader),
    reports: executor,
    owners: new RunOwners(store),
    ends: new RunEnds({ world, store, bus, runs: core.runs, executes: (id) => executor.executes(id) }),
    tasks: new V2Tasks(world, store, server),
    registration,
    reindexing: new Reindexing({ world, registry, registration }),
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
