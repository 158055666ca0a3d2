// Room: execute. When a suspended run is due: not before the task it waits for, though that task's report took longer to arrive than the execution's end.
// Woken earlier, the run would find nothing due and go back to sleep: an execution for nothing.
import { expect, it } from "vitest";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import type { HttpOutcome } from "../platform/http-client.ts";
import type { World } from "../platform/world.ts";
import { Runs } from "../runs/change.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { claim, ENVIRONMENT, NOW, sampleEvent, sampleIntake, sampleRun, world } from "../store/samples.conformance.ts";
import type { AppRow, EnvironmentRow } from "../store/store.ts";
import { Reports } from "../tasks/report.ts";
import { createMeter } from "../views/meter.ts";
import { Executor } from "./executor.ts";

const WAIT = { key: "k".repeat(64), id: "task_wait", name: "wait", status: "WAITING" as const, attempt: 1, startedAgo: 0 };

it("a run sleeps until the task it waits for is due, by the time its report arrived", async () => {
  const { store, bus } = createMemoryStore();
  const environment = { id: ENVIRONMENT, slug: "dev", type: "DEVELOPMENT", secretKeySealed: "tr_dev_x" } as EnvironmentRow;
  const index = { jobs: [], holdfast: { sdk: "0.1.0" } } as unknown as AppRow["index"];
  const row = { id: world.newId("app"), environmentId: ENVIRONMENT, slug: "shop", transport: "push", url: "http://app.test/" };
  const app = { ...row, sdk: null, index, indexedAt: NOW, lastError: null } as AppRow;
  await store.catalog.saveEnvironment(environment);
  await store.catalog.saveApp(app);

  let now = NOW;
  // The app starts a wait of 500 ms; the server reads that report 40 ms later, and the end of the execution at once.
  const fetch = async (): Promise<HttpOutcome> => {
    now += 40;
    await executor.record(token, [{ ...WAIT, delayMs: 500 }]);
    const outcome = { status: "SUSPENDED", wakeMs: 460, wakeKey: WAIT.key };
    return { ok: true, status: 200, headers: {}, body: Buffer.from(JSON.stringify({ items: [], outcome })) };
  };
  const served: World = { ...world, now: () => now, fetch };
  const registry = new Registry(store.catalog, served, bus);
  await registry.refresh();
  const executor: Executor = new Executor({
    world: served,
    registry,
    store,
    runs: new Runs(served, store),
    reports: new Reports(store, createMeter()),
    vault: { keyId: "none", seal: (plain) => plain, open: (sealed) => sealed },
    recent: new RecentEvents(),
    wake: () => {},
    seen: () => {},
  });
  const event = sampleEvent();
  await store.intake(sampleIntake(event, [sampleRun(event, { appId: app.id })]));
  const [item] = (await claim(store, [app.id])).items;
  if (item?.kind !== "run") throw new Error("the run was not claimed");
  const { run, token } = item;
  await executor.execute(run, token);

  const [task] = await store.tasks(run.id);
  expect(task?.delayUntil).toBe(NOW + 540);
  expect((await store.run(null, run.id))?.state).toEqual({ kind: "waiting", dueAt: NOW + 540 });
});
