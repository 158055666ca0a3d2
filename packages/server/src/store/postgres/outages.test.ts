import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  apply,
  changeOf,
  claim,
  executing,
  NOW,
  report,
  sampleDelivery,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  unique,
} from "../samples.conformance.ts";
import type { Store } from "../store.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.conformance.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import type { PostgresStore } from "./postgres-store.ts";

let database: TestDatabase;
let direct: Awaited<ReturnType<TestDatabase["store"]>>;
beforeAll(async () => {
  database = await startTestDatabase();
  direct = await database.store();
});
afterAll(() => database?.stop());

describe("commits whose answer was lost", () => {
  let wire: CuttingProxy;
  let store: Store;
  beforeAll(async () => {
    wire = await startCuttingProxy(direct.connection);
    store = database.another(wire.connection).store;
    await store.ping();
  });
  afterAll(() => wire?.close());

  it("answers an intake `stored`, once", async () => {
    const event = sampleEvent();
    const cut = wire.cut("\0intake-event@", "SELECT 1");
    const stored = store.intake(sampleIntake(event, [sampleRun(event)]));
    await cut;
    expect(await stored).toEqual({ type: "stored" });
    expect(await store.runsOfEvent(event.rowId)).toHaveLength(1);
  });

  it("answers a request, and then its verdict, `stored`, once", async () => {
    const delivery = sampleDelivery();
    const work = [{ id: delivery.id, kind: "delivery" as const, queue: unique("q"), dueAt: NOW, token: "exe_1", owner: "srv_1" }];
    const requestCut = wire.cut("\0intake-request@", "INSERT 0 1");
    const kept = store.intake({ delivery, event: null, runs: [], work, done: null });
    await requestCut;
    expect(await kept).toEqual({ type: "stored" });
    const event = sampleEvent({ deliveryId: delivery.id });
    const verified = { ...delivery, verdict: "verified" as const, eventRowId: event.rowId };
    const done = { id: delivery.id, token: "exe_1" };
    const verdictCut = wire.cut("\0intake-verified@", "SELECT 1");
    const stored = store.intake({ ...sampleIntake(event, [sampleRun(event)]), delivery: verified, done });
    await verdictCut;
    expect(await stored).toEqual({ type: "stored" });
    expect(await store.runsOfEvent(event.rowId)).toHaveLength(1);
    expect(await store.delivery(delivery.environmentId, delivery.id)).toMatchObject({
      verdict: "verified",
      eventRowId: event.rowId,
    });
  });

  it("answers an intake that finished its work `stored`", async () => {
    const event = sampleEvent({ deliveredAt: null, deliverAt: 1 });
    const queue = unique("q");
    const work = [{ id: event.rowId, kind: "event" as const, queue, dueAt: 1 }];
    await store.intake({ delivery: null, event, runs: [], work, done: null });
    const [item] = (await claim(store, [queue])).items;
    const done = { id: event.rowId, token: item?.token ?? "" };
    const cut = wire.cut("\0intake\0", "SELECT 1");
    const stored = store.intake({ ...sampleIntake(event, [sampleRun(event)]), event: null, done });
    await cut;
    expect(await stored).toEqual({ type: "stored" });
    expect(await store.runsOfEvent(event.rowId)).toHaveLength(1);
  });

  it("answers a change true", async () => {
    const { run: before, token } = await executing(store);
    const change = changeOf(before, { type: "succeeded", token, output: "1" });
    if (!change) throw new Error("ignored");
    const cut = wire.cut("\0end-run@", "SELECT 1");
    const changed = store.changeRun(change);
    await cut;
    expect(await changed).toEqual({ due: [] });
    expect((await store.run(null, before.id))?.revision).toBe(before.revision + 1);
  });

  it("answers a change false when it was another that won", async () => {
    const { run: before, token } = await executing(store);
    const change = changeOf(before, { type: "succeeded", token, output: "1" });
    if (!change) throw new Error("ignored");
    await apply(direct.store, before, { type: "canceled" });
    const cut = wire.cut("\0end-run@", "SELECT 0");
    const changed = store.changeRun(change);
    await cut;
    expect(await changed).toBe(false);
  });

  it("parks, gives and frees a slot once", async () => {
    const queue = unique("q");
    const event = sampleEvent();
    const flow = { gates: [{ id: queue, rule: queue, limit: 1 }], priority: 0 };
    const runs = [1, 2].map(() => sampleRun(event, { appId: queue, flow }));
    const slots = () =>
      run(direct.connection, "select used, (select count(*)::int from slots where gate = id) as held from gates where id = $1", [
        queue,
      ]);
    const intakeCut = wire.cut("\0park-new\0", "COMMIT");
    const stored = store.intake(sampleIntake(event, runs));
    await intakeCut;
    expect(await stored).toEqual({ type: "stored" });
    const claimCut = wire.cut("\0take-slots\0", "COMMIT");
    const claimed = claim(store, [queue]);
    await claimCut;
    const [item] = (await claimed).items;
    if (item?.kind !== "run") throw new Error("not claimed");
    expect(await slots()).toEqual([{ used: 1, held: 1 }]);
    const change = changeOf(item.run, { type: "succeeded", token: item.token, output: "1" });
    if (!change) throw new Error("ignored");
    const changeCut = wire.cut("\0free-slots@", "COMMIT");
    const changed = store.changeRun(change);
    await changeCut;
    expect(await changed).toEqual({ due: [] });
    expect(await slots()).toEqual([{ used: 0, held: 0 }]);
    expect((await claim(store, [queue])).items).toHaveLength(1);
    expect(await slots()).toEqual([{ used: 1, held: 1 }]);
  });

  it("records a report once", async () => {
    const { run: before, token } = await executing(store);
    const failed = sampleTask(before.id, { status: "WAITING", completedAt: null, outputText: null, delayUntil: 5 });
    const cut = wire.cut("\0record-lone-task@", "INSERT 0 1");
    const verdict = store.recordTask(report(failed, token, '{"attempt":1}'));
    await cut;
    expect(["recorded", "kept"]).toContain(await verdict);
    expect(await store.tasks(before.id)).toMatchObject([{ failuresText: '[{"attempt":1}]' }]);
  });

  it("gives up on a database that takes a request and never answers, then goes on", async () => {
    const event = sampleEvent();
    void wire.cut("\0intake-event@", "no such reply");
    const first = store.intake(sampleIntake(event, []));
    await expect(first).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    void wire.cut("no such request", "");
    expect(await store.intake(sampleIntake(event, []))).toEqual({ type: "stored" });
  });

  it("keeps a claim that was committed", async () => {
    const event = sampleEvent();
    const queue = unique("q");
    await store.intake(sampleIntake(event, [sampleRun(event, { appId: queue })]));
    const cut = wire.cut("commit", "COMMIT");
    const claimed = claim(store, [queue]);
    await cut;
    const [item] = (await claimed).items;
    if (item?.kind !== "run") throw new Error("not claimed");
    expect(item.attempts).toBe(1);
    expect(await store.recordTask(report(sampleTask(item.run.id), item.token))).toBe("recorded");
    expect((await store.run(null, item.run.id))?.executions).toBe(1);
  });
});

describe("PostgreSQL killed and back", () => {
  it("loses nothing that was acknowledged, and goes on by itself", { timeout: 90_000 }, async () => {
    const { store } = direct;
    const { run: before, token } = await executing(store);
    const acknowledged: string[] = [];
    let going = true;
    const writer = async (): Promise<void> => {
      while (going) {
        const task = sampleTask(before.id);
        if ((await store.recordTask(report(task, token))) !== "stale") acknowledged.push(task.key);
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    const goesOn = async (): Promise<void> => {
      const seen = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(seen + 50);
    };
    try {
      for (let round = 0; round < 3; round++) {
        await goesOn();
        const killed = database.postgres.pid;
        process.kill(killed, "SIGKILL");
        await expect.poll(() => database.postgres.pid, { timeout: 20_000 }).not.toBe(killed);
      }
      await goesOn();
    } finally {
      going = false;
      await Promise.all(writers);
    }
    const kept = new Set((await store.tasks(before.id)).map(({ key }) => key));
    expect(acknowledged.filter((key) => !kept.has(key))).toEqual([]);
    await store.ping();
  });

  it("survives its idle connections being ended, on every path", async () => {
    const second: PostgresStore = database.another(direct.connection);
    const { run: before, token, event } = await executing(second.store);
    const end =
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'holdfast %' and datname = current_database()";
    const paths: (() => Promise<unknown>)[] = [
      () => second.store.recordTask(report(sampleTask(before.id), token)),
      () => second.store.recordTask(report(sampleTask(before.id), null)),
      () => second.store.openTask(before.environmentId, sampleTask(before.id)),
      () => second.store.intake(sampleIntake(sampleEvent(), [])),
      () => second.store.renew([token], before.createdAt + 60_000, "srv_1"),
      () => second.store.run(null, before.id),
      () => second.store.event(null, { rowId: event.rowId }),
      () => second.store.catalog.revision(),
      () => claim(second.store, [unique("q")]),
      () => apply(second.store, before, { type: "succeeded", token, output: null }),
    ];
    for (const path of paths) {
      await run(direct.connection, end);
      await path();
    }
  });
});

describe("no PostgreSQL at all", () => {
  it("says so in time, and never hangs", { timeout: 30_000 }, async () => {
    const nowhere = database.another({ ...direct.connection, host: "/nonexistent" });
    await expect(nowhere.store.ping()).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    const started = database.world.monotonic();
    const refused = nowhere.store.intake(sampleIntake(sampleEvent(), []));
    await expect(refused).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    expect(database.world.monotonic() - started).toBeLessThan(7_500);
  });
});
