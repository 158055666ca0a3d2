// Room: http. What the routes are built on: the rooms below, as main put them together. Routes call these and nothing else.
import type { CatalogueEntry } from "@holdfast/protocol";
import type { Connections } from "../connections/connections.ts";
import type { Outbound } from "../deliver/outbound.ts";
import type { RunEnds } from "../deliver/run-ends.ts";
import type { Waiters } from "../deliver/waiters.ts";
import type { Registry } from "../dispatch/registry.ts";
import type { Events } from "../dispatch/send.ts";
import type { AppCalls } from "../execute/app-calls.ts";
import type { Executor } from "../execute/executor.ts";
import type { Registration } from "../execute/register.ts";
import type { Reindexing } from "../execute/reindexing.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { SourceRegistration } from "../ingest/source-registration.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { Registrations } from "../schedule/registrations.ts";
import type { Bus, Store } from "../store/store.ts";
import type { Callbacks } from "../tasks/callbacks.ts";
import type { RunOwners } from "../tasks/owners.ts";
import type { V2Tasks } from "../tasks/v2-tasks.ts";
import type { Meter } from "../views/meter.ts";
import type { Views } from "../views/views.ts";
import type { ApiRate } from "./api-rate.ts";

export interface Rooms {
  /** dev: loopback only, nobody logs in. start: a login for people, keys for programs. */
  mode: "dev" | "start";
  version: string;
  world: World;
  registry: Registry;
  store: Store;
  bus: Bus;
  views: Views;
  meter: Meter;
  ingest: Ingest;
  runs: Pick<Runs, "cancel" | "cancelAll" | "continueRun">;
  events: Pick<Events, "send" | "repeat" | "cancel">;
  registrations: Pick<Registrations, "register" | "unregister" | "runs">;
  sources: Pick<SourceRegistration, "register" | "registered" | "webhookRegistered">;
  connections: Pick<
    Connections,
    "apps" | "authorizations" | "shown" | "find" | "finish" | "bring" | "disconnect" | "refresh" | "byId" | "titleOf"
  >;
  callbacks: Pick<Callbacks, "called">;
  waiters: Pick<Waiters, "add">;
  outbound: Pick<Outbound, "callWhenEnded">;
  ends: Pick<RunEnds, "of" | "waiting">;
  reports: Pick<Executor, "record">;
  owners: Pick<RunOwners, "owns">;
  tasks: Pick<V2Tasks, "open" | "complete" | "fail" | "cachedTasks">;
  registration: Pick<Registration, "register" | "refresh">;
  reindexing: Pick<Reindexing, "hookOf" | "called">;
  apps: Pick<AppCalls, "reachableByAny">;
  vault: Pick<Vault, "seal" | "open">;
  /** How often programs of one environment may call this server; null: as often as they like. */
  apiRate: ApiRate | null;
  /** {@link hashPassword} of the admin password; null in dev. */
  adminPasswordHash: string | null;
  /** `catalogue` of @holdfast/catalogue. */
  catalogue: readonly CatalogueManifest[];
  /** Values of providers' secret variables, for signing samples. */
  sampleSecrets: Readonly<Record<string, string>>;
  /** Folder of the built dashboard, or null. */
  dashboardDir: string | null;
  /** http://host:port this server listens at; samples are sent there. */
  ownUrl(): string;
  /** The store's counters (commits, statements by kind) as Prometheus-style names, for GET /metrics. */
  storeCounters?(): Readonly<Record<string, number>>;
}

/** What is read of a catalogue entry: what the API answers of it, and which sources it fits. */
export interface CatalogueManifest extends CatalogueEntry {
  readonly sources: readonly string[];
}
