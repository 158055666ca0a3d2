// Room: execute. For tests: an executor over the memory store, and one app that is called by URL and answers what the test says.

import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import { Runs } from "../runs/change.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { claim, ENVIRONMENT, sampleEvent, sampleIntake, sampleRun, world } from "../store/samples.conformance.ts";
import type { AppRow, EnvironmentRow, RunRow } from "../store/store.ts";
import { Reports } from "../tasks/report.ts";
import { createMeter } from "../views/meter.ts";
import { Executor } from "./executor.ts";

export interface ExecutorSetting {
  /** Jobs of the app that listen to the event "hello". */
  jobs?: string[];
  url?: string | null;
  /** Parts of the World that differ from the real one. */
  world?: Partial<World>;
}

export type ExecutorScene = Awaited<ReturnType<typeof executorScene>>;

export async function executorScene({ jobs = [], url = "http://app.test/", world: different = {} }: ExecutorSetting = {}) {
  const { store, bus } = createMemoryStore();
  const index = { jobs: jobs.map(jobOf), sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
  const row = {
    id: world.newId("app"),
    environmentId: ENVIRONMENT,
    slug: "shop",
    transport: "push",
    url,
    sdk: null,
    lastError: null,
  };
  await store.catalog.saveEnvironment({
    id: ENVIRONMENT,
    slug: "dev",
    type: "DEVELOPMENT",
    secretKeySealed: "x",
  } as EnvironmentRow);
  await store.catalog.saveApp({ ...row, index, indexedAt: 0 } as unknown as AppRow);
  const served: World = { ...world, ...different };
  const registry = new Registry(store.catalog, served, bus);
  await registry.refresh();
  const runs = new Runs(served, store);
  const woken: string[] = [];
  const executor = new Executor({
    world: served,
    registry,
    store,
    runs,
    reports: new Reports(store, createMeter()),
    vault: { keyId: "none", seal: (plain) => plain, open: (sealed) => sealed },
    recent: new RecentEvents(),
    owner: "srv_1",
    wake: (queues) => woken.push(...queues),
    seen: () => {},
  });
  const app = registry.apps()[0] as AppRow;
  /** Stores runs of the app and claims them. */
  const claimed = async (count: number): Promise<{ run: RunRow; token: string }[]> => {
    const event = sampleEvent();
    await store.intake(
      sampleIntake(
        event,
        Array.from({ length: count }, () => sampleRun(event, { appId: app.id })),
      ),
    );
    const { items } = await claim(store, [app.id], { limit: count });
    return items.flatMap((item) => (item.kind === "run" ? [item] : []));
  };
  return { store, bus, registry, runs, executor, app, woken, claimed };
}

function jobOf(id: string): object {
  const event = { name: "hello", title: "Hello", source: "trigger.dev", icon: "bolt" };
  const trigger = { type: "static", title: "hello", rule: { event: "hello", source: "trigger.dev" } };
  const fixed = {
    version: "1.0.0",
    enabled: true,
    internal: false,
    integrations: {},
    startPosition: "latest",
    preprocessRuns: false,
  };
  return { id, name: id, event, trigger, ...fixed };
}
