// Room: main. What must be done now and then: tables for the weeks to come, dropping what is older than its retention, looking after gates, asking again
// for webhooks that could not be registered and apps for their jobs, and reading the catalog again in case another server's word of a change got lost.
import type { Connections } from "../connections/connections.ts";
import type { Registry } from "../dispatch/registry.ts";
import type { Reindexing } from "../execute/reindexing.ts";
import type { SourceRegistration } from "../ingest/source-registration.ts";
import type { World } from "../platform/world.ts";
import type { Schedules } from "../schedule/schedules.ts";
import type { PostgresStore } from "../store/postgres/postgres-store.ts";
import type { QuestionStore } from "../store/question-rows.ts";
import type { Bus, OutsideStore } from "../store/store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CATALOG_EVERY_MS = 5_000;
const GATES_EVERY_MS = 30_000;
const SOURCES_EVERY_MS = 30_000;
const CONNECTIONS_EVERY_MS = 30_000;
const APPS_EVERY_MS = 300_000;
/** Finished things are kept this long; event ids longer than any sender retries. */
const RETENTION = { deliveries: 30 * DAY, events: 30 * DAY, runs: 30 * DAY, eventKeys: 30 * DAY };

export interface UpkeepNeeds {
  world: World;
  registry: Registry;
  schedules: Schedules;
  postgres: Pick<PostgresStore, "ensurePartitions" | "dropExpired" | "inviteForgotten" | "forgetIdleGates">;
  outside: Pick<OutsideStore, "forgetWaiters">;
  questions?: Pick<QuestionStore, "forget"> | null;
  sources: Pick<SourceRegistration, "ensure">;
  connections: Pick<Connections, "ensure" | "forget">;
  reindexing: Pick<Reindexing, "ensure" | "stop">;
  bus: Bus;
}

export class Upkeep {
  #cancels = new Map<string, () => void>();
  #unsubscribe: () => void = () => {};

  constructor(private readonly needs: UpkeepNeeds) {}

  start(): void {
    const { world, schedules, postgres, outside, questions, sources, connections, reindexing, bus } = this.needs;
    this.#unsubscribe = bus.subscribe((message) => {
      if (message.type === "catalog") void this.#guard("reading the catalog", () => this.#readCatalog());
    });
    void this.#guard("planning schedules", () => schedules.ensure());
    this.#every("catalog", CATALOG_EVERY_MS, () => this.#readCatalog());
    this.#every("gates", GATES_EVERY_MS, async () => {
      const queues = await postgres.inviteForgotten(world.now());
      if (queues.length > 0) bus.publish({ type: "work", queues });
    });
    this.#every("sources", SOURCES_EVERY_MS, () => sources.ensure());
    this.#every("connections", CONNECTIONS_EVERY_MS, () => connections.ensure());
    this.#every("apps", APPS_EVERY_MS, () => reindexing.ensure());
    this.#every("tables", HOUR, async () => {
      await postgres.ensurePartitions(world.now());
      await postgres.dropExpired(world.now(), RETENTION);
      await postgres.forgetIdleGates(world.now());
      await outside.forgetWaiters(world.now() - DAY);
      await questions?.forget(world.now() - HOUR);
      await connections.forget();
    });
  }

  stop(): void {
    this.#unsubscribe();
    this.needs.reindexing.stop();
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  async #readCatalog(): Promise<void> {
    await this.needs.registry.refresh();
    await this.needs.schedules.ensure();
  }

  #every(name: string, ms: number, act: () => Promise<void>): void {
    const again = () => this.#cancels.set(name, this.needs.world.after(ms, run));
    const run = () => void this.#guard(name, act).then(() => this.#cancels.has(name) && again());
    again();
  }

  async #guard(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.needs.world.log.warn("upkeep failed; it is tried again", { what, error });
    }
  }
}
