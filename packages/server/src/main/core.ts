// Room: main. The rooms that do the work, wired to each other over any World, Store and Bus: the real ones in start.ts, seeded ones in the simulator.
// Called by start.ts and by tests/simulation. Promises: starts nothing; the caller starts the worker once it is ready.

import { Connections } from "../connections/connections.ts";
import type { Starting } from "../dispatch/first-claim.ts";
import { planRuns } from "../dispatch/plan.ts";
import { RecentEvents } from "../dispatch/recent-events.ts";
import type { Registry } from "../dispatch/registry.ts";
import { Events } from "../dispatch/send.ts";
import type { AppCalls } from "../execute/app-calls.ts";
import { appCalls } from "../execute/apps.ts";
import { Elsewhere } from "../execute/elsewhere.ts";
import { Executor } from "../execute/executor.ts";
import { createIngest, type Ingest } from "../ingest/ingest.ts";
import { SourceRegistration } from "../ingest/source-registration.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import { type ChangeListener, Runs } from "../runs/change.ts";
import { Registrations } from "../schedule/registrations.ts";
import { Schedules } from "../schedule/schedules.ts";
import type { QuestionStore } from "../store/question-rows.ts";
import type { Bus, EventRow, Store } from "../store/store.ts";
import { Reports } from "../tasks/report.ts";
import { createMeter, type Meter } from "../views/meter.ts";
import { FirstClaims } from "../worker/first-claims.ts";
import { News } from "../worker/news.ts";
import { Worker } from "../worker/worker.ts";
import { buildDelivery, type Delivery } from "./delivery.ts";

/** What the rooms are built over. */
export interface CoreParts {
  world: World;
  store: Store;
  bus: Bus;
  registry: Registry;
  vault: Vault;
  /** Asks apps that are connected to another server; absent where there is none. */
  questions?: QuestionStore | null | undefined;
  /** Names this server in leases. */
  owner: string;
  mode: "dev" | "start";
  /** Bytes of a request's body accepted, packed and unpacked. */
  bodyBytes: number;
  /** Where other services reach this server: "https://jobs.example.com". */
  publicUrl(): string;
  /** Whether schedules run in DEVELOPMENT environments. Default true. */
  devSchedules?: boolean | undefined;
}

export interface Core extends Delivery {
  registry: Registry;
  runs: Runs;
  events: Events;
  schedules: Schedules;
  registrations: Registrations;
  sources: SourceRegistration;
  connections: Connections;
  executor: Executor;
  worker: Worker;
  apps: AppCalls;
  ingest: Ingest;
  meter: Meter;
  wake: (queues: string[]) => void;
}

/**
 * Builds the rooms.
 *
 * @example const core = buildCore({ world, store, bus, registry, vault, owner, mode: "dev", bodyBytes: DEFAULT_BODY_BYTES, publicUrl }); core.worker.start();
 */
export function buildCore(parts: CoreParts): Core {
  const { world, store, bus, registry, vault, owner, mode, bodyBytes, publicUrl, questions, devSchedules = true } = parts;
  // An event nobody listens for makes no work: looking for it would cost four statements.
  const wake = (queues: string[]): void => {
    if (queues.length > 0) bus.publish({ type: "work", queues });
  };
  const recent = new RecentEvents();
  const news = new News(world, bus);
  const meter = createMeter();
  const runs = new Runs(world, store);
  const reports = new Reports(store, meter);
  const executor = new Executor({
    ...{ world, registry, store, runs, reports, vault, recent, owner, wake },
    connections: () => connections,
    seen: (run) => news.tasks(run),
    whenEnded: (run, listens) => delivery.outbound.whenEnded(run, listens),
  });
  const first = new FirstClaims({ world, registry, runs, executor, news, wake, owner });
  const events = new Events({ world, registry, store, recent, first });
  const ticksIn = (id: string): boolean => devSchedules || registry.environment(id)?.type !== "DEVELOPMENT";
  const connections = new Connections({ world, registry, store, runs, events, vault, publicUrl });
  const registrations = new Registrations({ world, registry, schedules: store.schedules, events, ticksIn });
  const sources = new SourceRegistration({ world, registry, store, events, vault, publicUrl });
  registry.whenIndexed((app) => sources.indexed(app));
  const schedules = new Schedules({ world, registry, events, registrations, ticksIn });
  const elsewhere = questions ? new Elsewhere({ world, bus, questions, hub: executor.hub }) : null;
  const apps = appCalls(executor.hub, executor.push, elsewhere);
  const delivery = buildDelivery({ world, store, registry, runs, vault, apps, owner, wake });
  const plan = (event: EventRow): Starting => {
    recent.add(event);
    return first.of(planRuns(registry, world, event));
  };
  const served = { world, registry, store, bus, events, apps, owner };
  const ingest = createIngest({ ...served, connections, planRuns: plan, vault, meter, mode, bodyBytes });
  const worker = new Worker({ ...served, runs, schedules, executor, ingest, ...delivery });
  runs.onChange(tellOfChanges({ news, wake, meter, worker }));
  const told = { registrations, sources, connections, meter, wake };
  return { registry, runs, events, schedules, executor, worker, apps, ingest, ...told, ...delivery };
}

/** What is told, counted and looked at after each change of a run. */
function tellOfChanges({
  news,
  wake,
  meter,
  worker,
}: {
  news: News;
  wake: Core["wake"];
  meter: Meter;
  worker: Worker;
}): ChangeListener {
  return (run, change, due) => {
    news.run(run);
    wake(due);
    if (run.state.kind === "finished") meter.count("holdfast_runs_finished_total", { status: run.state.outcome.status });
    if (change.work && "dueAt" in change.work) worker.wakeAt(run.appId, change.work.dueAt);
    // Its slots are free: work that waited for them may be due, here or with another server.
    if (run.flow && run.state.kind !== "executing") wake([run.appId]);
  };
}
