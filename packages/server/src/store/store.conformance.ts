// What every store must do, whatever it keeps its rows in. Called by memory-store.test.ts and postgres-store.test.ts with their own way to open one.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  apply,
  changeOf,
  claim,
  ENVIRONMENT,
  executing,
  NOW,
  report,
  sampleDelivery,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  unique,
  world,
} from "./samples.conformance.ts";
import type { Store } from "./store.ts";

export interface Opened {
  store: Store;
  /** A second server's store on the same data (in memory: the same store). */
  other: Store;
  close(): Promise<void>;
}

export function storeConformance(name: string, open: () => Promise<Opened>): void {
  describe(`store: ${name}`, () => {
    const opened: { store: Store; other: Store } = {} as never;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const result = await open();
      Object.assign(opened, result);
      close = result.close;
    });
    afterAll(() => close?.());
    describe("intake", () => intake(opened));
    describe("intake that finishes work", () => settling(opened));
    describe("claim", () => claiming(opened));
    describe("leases", () => leases(opened));
    describe("recordTask", () => recording(opened));
    describe("recordTask, the rules", () => merging(opened));
    describe("openTask", () => opening(opened));
    describe("changeRun", () => changing(opened));
    describe("texts", () => texts(opened));
    describe("catalog", () => catalog(opened));
  });
}

type Context = { store: Store; other: Store };

function intake(context: Context): void {
  it("stores a request, its event and its runs together", async () => {
    const { store } = context;
    const delivery = sampleDelivery({ verdict: "verified", reason: "ok" });
    const event = sampleEvent({ deliveryId: delivery.id, contextText: '{"a":1}' });
    const run = sampleRun(event, { deliveryId: delivery.id });
    const stored = { ...delivery, eventRowId: event.rowId };
    expect(await store.intake({ ...sampleIntake(event, [run]), delivery: stored })).toEqual({ type: "stored" });
    expect(await store.event(ENVIRONMENT, { id: event.id })).toEqual(event);
    expect(await store.event(null, { rowId: event.rowId })).toEqual(event);
    expect(await store.run(ENVIRONMENT, run.id)).toEqual(run);
    expect(await store.runsOfEvent(event.rowId)).toEqual([run]);
    const kept = await store.delivery(ENVIRONMENT, delivery.id);
    expect({ ...kept, body: null }).toEqual({ ...stored, body: null });
    expect(Buffer.from(kept?.body ?? []).equals(Buffer.from(delivery.body))).toBe(true);
  });

  it("hides rows from other environments", async () => {
    const { store } = context;
    const delivery = sampleDelivery();
    const event = sampleEvent();
    const run = sampleRun(event);
    await store.intake({ ...sampleIntake(event, [run]), delivery });
    expect(await store.run("env_other", run.id)).toBeNull();
    expect(await store.event("env_other", { rowId: event.rowId })).toBeNull();
    expect(await store.event("env_other", { id: event.id })).toBeNull();
    expect(await store.delivery("env_other", delivery.id)).toBeNull();
    expect(await store.openTask("env_other", sampleTask(run.id))).toBeNull();
  });

  it("keeps one of five concurrent events with one id, and says whose it is", async () => {
    const { store, other } = context;
    const id = unique("msg");
    const all = Array.from({ length: 5 }, () => sampleEvent({ id }));
    const results = await Promise.all(
      all.map((event, i) =>
        (i % 2 ? store : other).intake({ ...sampleIntake(event, [sampleRun(event)]), delivery: sampleDelivery() }),
      ),
    );
    const winner = results.findIndex(({ type }) => type === "stored");
    const rowId = all[winner]?.rowId;
    expect(results.filter(({ type }) => type === "stored")).toHaveLength(1);
    expect(results.filter((result) => result.type === "duplicate" && result.eventRowId === rowId)).toHaveLength(4);
    const runs = await Promise.all(all.map((event) => store.runsOfEvent(event.rowId)));
    expect(runs.map((list) => list.length)).toEqual(all.map((_, i) => (i === winner ? 1 : 0)));
  });

  it("marks the delivery of a duplicate and drops its runs", async () => {
    const { store } = context;
    const first = sampleEvent();
    await store.intake(sampleIntake(first, []));
    const second = sampleEvent({ id: first.id });
    const delivery = sampleDelivery({ verdict: "verified", eventRowId: second.rowId });
    const run = sampleRun(second);
    expect(await store.intake({ ...sampleIntake(second, [run]), delivery })).toEqual({
      type: "duplicate",
      eventRowId: first.rowId,
    });
    expect(await store.delivery(ENVIRONMENT, delivery.id)).toMatchObject({ verdict: "duplicate", eventRowId: first.rowId });
    expect((await store.delivery(ENVIRONMENT, delivery.id))?.reason).toContain(first.rowId);
    expect(await store.run(null, run.id)).toBeNull();
  });

  it("takes the same id in another environment", async () => {
    const { store } = context;
    const first = sampleEvent();
    await store.intake(sampleIntake(first, []));
    const second = sampleEvent({ id: first.id, environmentId: world.newId("environment") });
    expect(await store.intake(sampleIntake(second, []))).toEqual({ type: "stored" });
  });

  it("answers a repeated intake `stored` and revives nothing", async () => {
    const { store } = context;
    const event = sampleEvent();
    const queue = unique("app");
    const item = sampleIntake(event, [sampleRun(event, { appId: queue })]);
    await store.intake(item);
    const claimed = (await claim(store, [queue])).items[0];
    if (claimed?.kind !== "run") throw new Error("not claimed");
    const finished = await apply(store, claimed.run, { type: "succeeded", token: claimed.token, output: "1" });
    expect(await store.intake(item)).toEqual({ type: "stored" });
    expect(await store.run(null, finished.id)).toEqual(finished);
    expect((await claim(store, [queue])).items).toEqual([]);
  });

  it("does not set a settled delivery back to pending", async () => {
    const { store } = context;
    const delivery = sampleDelivery();
    const queue = unique("app");
    const work = [{ id: delivery.id, kind: "delivery" as const, queue, dueAt: NOW }];
    const pending = { delivery, event: null, runs: [], work, done: null };
    await store.intake(pending);
    const [item] = (await claim(store, [queue])).items;
    const done = { id: delivery.id, token: item?.token ?? "" };
    await store.intake({ delivery: { ...delivery, verdict: "refused", reason: "bad" }, event: null, runs: [], work: [], done });
    expect(await store.intake(pending)).toEqual({ type: "stored" });
    expect(await store.delivery(ENVIRONMENT, delivery.id)).toMatchObject({ verdict: "refused", reason: "bad" });
    expect((await claim(store, [queue])).items).toEqual([]);
  });
}

function settling(context: Context): void {
  async function pending(): Promise<{ delivery: ReturnType<typeof sampleDelivery>; token: string; queue: string }> {
    const delivery = sampleDelivery();
    const queue = unique("app");
    const work = [{ id: delivery.id, kind: "delivery" as const, queue, dueAt: NOW }];
    await context.store.intake({ delivery, event: null, runs: [], work, done: null });
    const [item] = (await claim(context.store, [queue])).items;
    if (item?.kind !== "delivery") throw new Error("the delivery was not claimed");
    expect(item.delivery.id).toBe(delivery.id);
    expect(item.attempts).toBe(1);
    return { delivery, token: item.token, queue };
  }

  it("settles a claimed delivery and removes its work", async () => {
    const { store } = context;
    const { delivery, token, queue } = await pending();
    const event = sampleEvent({ deliveryId: delivery.id });
    const verified = { ...delivery, verdict: "verified" as const, status: 200, eventRowId: event.rowId };
    const done = { id: delivery.id, token };
    const run = sampleRun(event, { appId: queue });
    expect(await store.intake({ ...sampleIntake(event, [run]), delivery: verified, done })).toEqual({ type: "stored" });
    expect(await store.delivery(ENVIRONMENT, delivery.id)).toMatchObject({ verdict: "verified", eventRowId: event.rowId });
    const { items } = await claim(store, [queue], { now: NOW + 60_000 });
    expect(items.map((item) => item.kind)).toEqual(["run"]);
  });

  it("refuses the whole intake when another claim holds the work", async () => {
    const { store } = context;
    const { delivery, queue } = await pending();
    const [second] = (await claim(store, [queue], { now: NOW + 20_000 })).items;
    expect(second?.attempts).toBe(2);
    const event = sampleEvent();
    const done = { id: delivery.id, token: "exe_stale" };
    const verified = { ...delivery, verdict: "verified" as const };
    const run = sampleRun(event);
    expect(await store.intake({ ...sampleIntake(event, [run]), delivery: verified, done })).toEqual({ type: "stale" });
    expect(await store.event(null, { rowId: event.rowId })).toBeNull();
    expect(await store.run(null, run.id)).toBeNull();
    expect(await store.delivery(ENVIRONMENT, delivery.id)).toMatchObject({ verdict: "pending" });
  });

  it("delivers a delayed event once", async () => {
    const { store } = context;
    const queue = unique("server");
    const event = sampleEvent({ deliverAt: NOW + 5_000, deliveredAt: null });
    const work = [{ id: event.rowId, kind: "event" as const, queue, dueAt: NOW + 5_000 }];
    await store.intake({ delivery: null, event, runs: [], work, done: null });
    const early = await claim(store, [queue]);
    expect(early).toEqual({ items: [], changes: [], nextDueAt: NOW + 5_000 });
    const [item] = (await claim(store, [queue], { now: NOW + 5_000 })).items;
    if (item?.kind !== "event") throw new Error("the event was not claimed");
    expect(item.event).toEqual(event);
    const run = sampleRun(event, { appId: queue });
    const start = { ...sampleIntake(event, [run]), event: null, done: { id: event.rowId, token: item.token } };
    expect(await store.intake(start)).toEqual({ type: "stored" });
    expect(await store.intake({ ...start, runs: [sampleRun(event)] })).toEqual({ type: "stale" });
    expect(await store.runsOfEvent(event.rowId)).toEqual([run]);
  });
}

function claiming(context: Context): void {
  it("turns a due run into an executing one and says when to come again", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    expect(run.state).toEqual({ kind: "executing", token, since: NOW });
    expect(run).toMatchObject({ executions: 1, startedAt: NOW, revision: 1 });
    expect(await store.run(null, run.id)).toEqual(run);
    expect(await claim(store, [queue])).toEqual({ items: [], changes: [], nextDueAt: NOW + 15_000 });
  });

  it("claims oldest due first, up to the limit, and asks to come again at once for more", async () => {
    const { store } = context;
    const queue = unique("app");
    const event = sampleEvent();
    const runs = [3, 1, 2].map((ago) => sampleRun(event, { appId: queue, createdAt: NOW - ago }));
    await store.intake(sampleIntake(event, runs));
    const first = await claim(store, [queue], { limit: 2 });
    expect(first.items.map((item) => item.kind === "run" && item.run.id)).toEqual([runs[0]?.id, runs[2]?.id]);
    expect(first.changes.map(({ before }) => before.id)).toEqual([runs[0]?.id, runs[2]?.id]);
    expect(first.nextDueAt).toBe(NOW);
    const second = await claim(store, [queue], { limit: 2 });
    expect(second.items.map((item) => item.kind === "run" && item.run.id)).toEqual([runs[1]?.id]);
    expect(second.nextDueAt).toBe(NOW + 15_000);
  });

  it("never gives one piece of work to two claims at once", async () => {
    const { store, other } = context;
    const queue = unique("app");
    const event = sampleEvent();
    await store.intake(
      sampleIntake(
        event,
        Array.from({ length: 60 }, () => sampleRun(event, { appId: queue })),
      ),
    );
    const claims = await Promise.all(Array.from({ length: 12 }, (_, i) => claim(i % 2 ? store : other, [queue], { limit: 10 })));
    const ids = claims.flatMap(({ items }) => items.map((item) => item.kind === "run" && item.run.id));
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await claim(store, [queue]);
    expect(ids.length + rest.items.length).toBe(60);
  });

  it("claims several queues at once and leaves others alone", async () => {
    const { store } = context;
    const [a, b, c] = [unique("app"), unique("app"), unique("app")];
    const event = sampleEvent();
    await store.intake(
      sampleIntake(
        event,
        [a, b, c].map((appId) => sampleRun(event, { appId })),
      ),
    );
    const { items } = await claim(store, [a, c]);
    expect(new Set(items.map((item) => item.kind === "run" && item.run.appId))).toEqual(new Set([a, c]));
    expect((await claim(store, [b])).items).toHaveLength(1);
  });

  it("moves only the time of a run that is to be left alone", async () => {
    const { store } = context;
    const queue = unique("app");
    const event = sampleEvent();
    const run = sampleRun(event, { appId: queue });
    await store.intake(sampleIntake(event, [run]));
    const request = {
      queues: [{ queue, limit: 5 }],
      now: NOW,
      leaseUntil: NOW + 9_000,
      owner: "srv_1",
      newToken: () => unique("exe"),
    };
    expect(await store.claim(request, () => null)).toEqual({ items: [], changes: [], nextDueAt: NOW + 9_000 });
    expect(await store.run(null, run.id)).toEqual(run);
    expect((await claim(store, [queue])).items).toEqual([]);
    expect((await claim(store, [queue], { now: NOW + 9_000 })).items).toHaveLength(1);
  });

  it("applies changes that end a run without returning it", async () => {
    const { store } = context;
    const queue = unique("app");
    const event = sampleEvent();
    const run = sampleRun(event, { appId: queue });
    await store.intake(sampleIntake(event, [run]));
    const request = {
      queues: [{ queue, limit: 5 }],
      now: NOW,
      leaseUntil: NOW + 9_000,
      owner: "srv_1",
      newToken: () => unique("exe"),
    };
    const claimed = await store.claim(request, (row) => changeOf(row, { type: "canceled" }));
    expect(claimed.items).toEqual([]);
    expect(claimed.changes).toHaveLength(1);
    expect((await store.run(null, run.id))?.state.kind).toBe("finished");
    expect(await claim(store, [queue])).toEqual({ items: [], changes: [], nextDueAt: null });
  });
}

function leases(context: Context): void {
  it("gives the work to another claim once the lease is over, and the former token is worth nothing", async () => {
    const { store, other } = context;
    const { run, token, queue } = await executing(store);
    const [again] = (await claim(other, [queue], { now: NOW + 15_000, owner: "srv_2" })).items;
    if (again?.kind !== "run") throw new Error("not claimed again");
    expect(again.attempts).toBe(2);
    expect(again.run).toMatchObject({ executions: 2, losses: 1 });
    expect(await store.recordTask(report(sampleTask(run.id), token))).toBe("stale");
    expect(await store.renew([token], NOW + 99_000)).toEqual(new Set());
    expect(await other.recordTask(report(sampleTask(run.id), again.token))).toBe("recorded");
  });

  it("renews only what is held", async () => {
    const { store } = context;
    const mine = await executing(store);
    const held = await store.renew([mine.token, "exe_unknown"], NOW + 30_000.5);
    expect(held).toEqual(new Set([mine.token]));
    expect((await claim(store, [mine.queue], { now: NOW + 29_000 })).items).toEqual([]);
    expect((await claim(store, [mine.queue], { now: NOW + 30_001 })).items).toHaveLength(1);
  });

  it("frees the work of dead servers, and no other", async () => {
    const { store } = context;
    const dead = await executing(store);
    const alive = await executing(store);
    const owner = unique("srv");
    const [moved] = (await claim(store, [dead.queue], { now: NOW + 15_000, owner })).items;
    expect(moved).toBeDefined();
    expect(await store.releaseOwners([owner], NOW + 15_001)).toBe(1);
    expect((await claim(store, [dead.queue, alive.queue], { now: NOW + 15_001, owner: "srv_3" })).items).toHaveLength(2);
    expect(await store.releaseOwners([owner], NOW + 15_002)).toBe(0);
  });
}

function recording(context: Context): void {
  it("records a finished task once and keeps its output for ever", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const task = sampleTask(run.id);
    expect(await store.recordTask(report(task, token))).toBe("recorded");
    expect(await store.recordTask(report(task, token))).toBe("kept");
    expect(await store.recordTask(report({ ...task, outputText: "2", status: "ERRORED" }, token))).toBe("kept");
    expect(await store.tasks(run.id)).toEqual([task]);
  });

  it("refuses a report without the current token, after the end, and for no run", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    expect(await store.recordTask(report(sampleTask(run.id), "exe_wrong"))).toBe("stale");
    await apply(store, run, { type: "succeeded", token, output: null });
    expect(await store.recordTask(report(sampleTask(run.id), token))).toBe("stale");
    expect(await store.recordTask(report(sampleTask(run.id), null))).toBe("stale");
    expect(await store.recordTask(report(sampleTask(world.newId("run")), token))).toBe("stale");
    expect(await store.recordTask(report(sampleTask("no id at all"), null))).toBe("stale");
    expect(await store.tasks(run.id)).toEqual([]);
  });

  it("records without a token while the run is unfinished (v2)", async () => {
    const { store } = context;
    const { run } = await executing(store);
    const task = sampleTask(run.id);
    expect(await store.recordTask(report(task, null))).toBe("recorded");
    expect(await store.recordTask(report(task, null))).toBe("kept");
  });

  it("stores all but the bad one of a hundred reports", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const tasks = Array.from({ length: 100 }, (_, i) => sampleTask(run.id, { position: i, name: `step ${i}` }));
    const verdicts = await Promise.all(tasks.map((task) => store.recordTask(report(task, token))));
    expect(new Set(verdicts)).toEqual(new Set(["recorded"]));
    expect((await store.tasks(run.id)).map(({ position }) => position)).toEqual(tasks.map((_, i) => i));
  });

  it("reads tasks by page, by id and by status", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const hash = "0123456789abcdef".repeat(4);
    const tasks = [
      sampleTask(run.id, { position: 1, key: hash, id: `task_${hash.slice(0, 26)}` }),
      sampleTask(run.id, { position: 2, id: "odd", status: "RUNNING", completedAt: null, outputText: null }),
      sampleTask(run.id, { position: 3 }),
    ];
    for (const task of tasks) await store.recordTask(report(task, token));
    expect(await store.tasks(run.id, { limit: 2 })).toEqual(tasks.slice(0, 2));
    expect(await store.tasks(run.id, { after: 2 })).toEqual(tasks.slice(2));
    expect(await store.tasks(run.id, { statuses: ["COMPLETED"] })).toEqual([tasks[0], tasks[2]]);
    expect(await store.tasks(run.id, { ids: ["odd", tasks[0]?.id ?? "", "unknown"] })).toEqual([tasks[0], tasks[1]]);
    expect(await store.tasks(world.newId("run"))).toEqual([]);
  });
}

function merging(context: Context): void {
  it("takes a start, a retry, its failure and the end", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const started = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    const waiting = { ...started, status: "WAITING" as const, delayUntil: NOW + 100.25, detailsText: null };
    const failure = '{"attempt":1,"at":"2026-01-01T00:00:00Z","error":{"message":"é\\u0000"}}';
    await store.recordTask(report(started, token));
    expect(await store.recordTask(report(waiting, token, failure))).toBe("recorded");
    expect(await store.recordTask(report(waiting, token, failure))).toBe("kept");
    expect((await store.tasks(run.id))[0]).toEqual({
      ...waiting,
      delayUntil: NOW + 101,
      detailsText: started.detailsText,
      failuresText: `[${failure}]`,
    });
    expect(await store.recordTask(report({ ...started, attempts: 2 }, token))).toBe("recorded");
    expect(await store.recordTask(report({ ...waiting, attempts: 2 }, token, '{"attempt":2}'))).toBe("recorded");
    const done = { ...started, status: "COMPLETED" as const, attempts: 3, outputText: "null", completedAt: NOW + 9 };
    expect(await store.recordTask(report(done, token))).toBe("recorded");
    const failuresText = `[${failure},{"attempt":2}]`;
    expect(await store.tasks(run.id)).toEqual([{ ...done, delayUntil: NOW + 101, failuresText }]);
  });

  it("keeps the first due time of a wait that is reported again", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const wait = sampleTask(run.id, {
      noop: true,
      status: "WAITING",
      delayUntil: NOW + 5_000,
      completedAt: null,
      outputText: null,
    });
    await store.recordTask(report(wait, token));
    await store.recordTask(report({ ...wait, delayUntil: NOW + 9_000 }, token));
    expect((await store.tasks(run.id))[0]?.delayUntil).toBe(NOW + 5_000);
  });
}

function opening(context: Context): void {
  it("creates a task once and returns it as it is afterwards", async () => {
    const { store, other } = context;
    const { run } = await executing(store);
    const task = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    const opened = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        (i % 2 ? store : other).openTask(ENVIRONMENT, { ...task, position: task.position + i }),
      ),
    );
    expect(opened.filter((result) => result?.created)).toHaveLength(1);
    expect(new Set(opened.map((result) => result?.task.position)).size).toBe(1);
    const done = { ...task, status: "COMPLETED" as const, completedAt: NOW, outputText: "7" };
    await store.recordTask(report(done, null));
    expect(await store.openTask(ENVIRONMENT, task)).toMatchObject({
      created: false,
      task: { status: "COMPLETED", outputText: "7" },
    });
  });

  it("creates nothing open in a finished run, and reopens when the run continues", async () => {
    const { store } = context;
    const { run } = await executing(store);
    const task = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    await store.openTask(ENVIRONMENT, task);
    const canceled = await apply(store, run, { type: "canceled" });
    expect(await store.openTask(ENVIRONMENT, task)).toMatchObject({ created: false, task: { status: "CANCELED" } });
    const late = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    expect(await store.openTask(ENVIRONMENT, late)).toMatchObject({ created: true, task: { status: "CANCELED" } });
    await apply(store, canceled, { type: "continued" });
    expect(await store.openTask(ENVIRONMENT, task)).toMatchObject({
      created: false,
      task: { status: "RUNNING", completedAt: null },
    });
  });

  it("knows no task of an unknown run", async () => {
    expect(await context.store.openTask(ENVIRONMENT, sampleTask(world.newId("run")))).toBeNull();
    expect(await context.store.openTask(ENVIRONMENT, sampleTask("nonsense"))).toBeNull();
  });
}

function changing(context: Context): void {
  it("applies a change once; a copy that is out of date changes nothing", async () => {
    const { store, other } = context;
    const { run, token } = await executing(store);
    const change = changeOf(run, { type: "succeeded", token, output: '{"a":1.0}' });
    if (!change) throw new Error("ignored");
    const results = await Promise.all([store.changeRun(change), other.changeRun(change), store.changeRun(change)]);
    expect(results.filter(Boolean)).toHaveLength(1);
    const outcome = { status: "SUCCESS", output: '{"a":1.0}' };
    expect(await store.run(null, run.id)).toMatchObject({ revision: 2, state: { kind: "finished", at: NOW, outcome } });
  });

  it("settles waits and retries that are due when the run executes again", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    const open = { status: "WAITING" as const, completedAt: null, outputText: null };
    const wait = sampleTask(run.id, { ...open, noop: true, delayUntil: NOW + 100, position: 1 });
    const retry = sampleTask(run.id, { ...open, delayUntil: NOW + 100, position: 2 });
    const later = sampleTask(run.id, { ...open, noop: true, delayUntil: NOW + 500, position: 3 });
    const callback = sampleTask(run.id, { ...open, delayUntil: null, position: 4 });
    await store.recordTask(report(retry, token, '{"attempt":1}'));
    for (const task of [wait, later, callback]) await store.recordTask(report(task, token));
    await apply(store, run, { type: "suspended", token, dueAt: NOW + 100 });
    expect(await claim(store, [queue], { now: NOW + 99 })).toEqual({ items: [], changes: [], nextDueAt: NOW + 100 });
    expect((await claim(store, [queue], { now: NOW + 100 })).items).toHaveLength(1);
    const after = await store.tasks(run.id);
    expect(after.map(({ status, attempts, completedAt }) => [status, attempts, completedAt])).toEqual([
      ["COMPLETED", 1, NOW + 100],
      ["RUNNING", 2, null],
      ["WAITING", 1, null],
      ["WAITING", 1, null],
    ]);
  });

  it("records the reports that travel with an end, cancels the other open tasks, and reopens them", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const open = { status: "RUNNING" as const, completedAt: null, outputText: null };
    const [left, ended, errored] = [1, 2, 3].map((position) => sampleTask(run.id, { ...open, position }));
    if (!left || !ended || !errored) throw new Error("no samples");
    await store.recordTask(report(left, token));
    await store.recordTask(report(ended, token));
    const fresh = sampleTask(run.id, { ...open, position: 4 });
    const done = { ...ended, status: "COMPLETED" as const, completedAt: NOW, outputText: "1" };
    const failed = { ...errored, status: "ERRORED" as const, completedAt: NOW, errorText: '{"message":"x"}' };
    const tasks = [done, failed, fresh].map((task) => report(task, null));
    const error = { message: "x" };
    const finished = await apply(store, run, { type: "failed", token, error }, { tasks });
    expect(finished.state).toMatchObject({ kind: "finished", outcome: { status: "FAILURE", error } });
    expect((await store.tasks(run.id)).map(({ status }) => status)).toEqual(["CANCELED", "COMPLETED", "ERRORED", "CANCELED"]);
    await apply(store, finished, { type: "continued" });
    const after = await store.tasks(run.id);
    expect(after.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["PENDING", 1],
      ["COMPLETED", 1],
      ["RUNNING", 2],
      ["PENDING", 1],
    ]);
    expect(after[2]?.errorText).toBeNull();
    expect(after[1]?.outputText).toBe("1");
  });

  it("wakes a run that nothing but the outside can wake", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    const waiting = await apply(store, run, { type: "suspended", token, dueAt: null });
    expect(await claim(store, [queue], { now: NOW + 1e9 })).toEqual({ items: [], changes: [], nextDueAt: null });
    await apply(store, waiting, { type: "woken" });
    const [item] = (await claim(store, [queue])).items;
    expect(item).toMatchObject({ kind: "run", attempts: 1, run: { executions: 2 } });
  });

  it("knows nothing of a run that is not there", async () => {
    const event = sampleEvent();
    const change = changeOf(sampleRun(event), { type: "canceled" });
    const odd = changeOf(sampleRun(event, { id: "odd" }), { type: "canceled" });
    if (!change || !odd) throw new Error("ignored");
    expect(await context.store.changeRun(change)).toBe(false);
    expect(await context.store.changeRun(odd)).toBe(false);
    expect(await context.store.run(null, "odd")).toBeNull();
  });
}

function texts(context: Context): void {
  const hostile = [
    '"\\u0000 \\ud800 \\"',
    "-0",
    "1e400",
    "12345678901234567890",
    '{"__proto__":1,"b":1,"a":1.0}',
    '"\u{1F600} é"',
    '"{\\"a\\",NULL}"',
  ];

  it("gives outputs and payloads back byte for byte", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    for (const [i, outputText] of hostile.entries()) {
      await store.recordTask(report(sampleTask(run.id, { outputText, position: i, detailsText: outputText }), token));
      const event = sampleEvent({ payloadText: outputText, contextText: outputText });
      await store.intake(sampleIntake(event, []));
      expect(await store.event(null, { rowId: event.rowId })).toEqual(event);
    }
    expect((await store.tasks(run.id)).map(({ outputText }) => outputText)).toEqual(hostile);
    const finished = await apply(store, run, { type: "succeeded", token, output: hostile[0] ?? null });
    expect(finished.state).toMatchObject({ outcome: { output: hostile[0] } });
  });

  it("replaces what a database's text cannot hold", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    await store.recordTask(report(sampleTask(run.id, { name: "a\0b\ud800c", displayKey: "\udc00" }), token));
    expect(await store.tasks(run.id)).toMatchObject([{ name: "a\ufffdb\ufffdc", displayKey: "\ufffd" }]);
    const delivery = sampleDelivery({ url: "/x\0", reason: "\ud83d", headers: [["a", "\0\ud800"]], verdict: "refused" });
    await store.intake({ delivery, event: null, runs: [], work: [], done: null });
    const kept = await store.delivery(ENVIRONMENT, delivery.id);
    expect(kept).toMatchObject({ url: "/x\ufffd", reason: "\ufffd", headers: [["a", "\0\ud800"]] });
    const event = sampleEvent({ id: unique("\0nul") });
    await store.intake(sampleIntake(event, []));
    expect((await store.event(ENVIRONMENT, { id: event.id }))?.rowId ?? "none").toBe(event.rowId);
  });

  it("holds ten megabytes", async () => {
    const { store } = context;
    const big = JSON.stringify('x"\\é'.repeat(1_700_000));
    const body = Buffer.alloc(10 * 1024 * 1024, 7);
    const event = sampleEvent({ payloadText: big });
    const delivery = sampleDelivery({ body, size: body.length, verdict: "verified" });
    await store.intake({ ...sampleIntake(event, []), delivery });
    expect((await store.event(null, { rowId: event.rowId }))?.payloadText === big).toBe(true);
    expect(Buffer.from((await store.delivery(ENVIRONMENT, delivery.id))?.body ?? []).equals(body)).toBe(true);
    const { run, token } = await executing(store);
    await store.recordTask(report(sampleTask(run.id, { outputText: big }), token));
    expect((await store.tasks(run.id))[0]?.outputText === big).toBe(true);
  });
}

function catalog(context: Context): void {
  it("keeps environments, apps, endpoints and settings, and counts their saves", async () => {
    const { catalog: rows } = context.store;
    const before = await rows.revision();
    const environment = {
      id: world.newId("environment"),
      slug: unique("dev"),
      type: "DEVELOPMENT" as const,
      secretKeyHash: unique("hash"),
      secretKeySealed: "sealed",
      secretKeyPreview: "tr_dev_…1234",
      publicKey: unique("pk_dev"),
      createdAt: NOW,
    };
    await rows.saveEnvironment(environment);
    const app = {
      id: world.newId("app"),
      environmentId: environment.id,
      slug: "clerk-example",
      transport: "push" as const,
      url: "http://localhost:3000/api/trigger",
      sdk: null,
      index: null,
      indexedAt: null,
      lastError: "down",
    };
    await rows.saveApp(app);
    await rows.saveApp({ ...app, lastError: null });
    const endpoint = {
      id: world.newId("endpoint"),
      environmentId: environment.id,
      appId: app.id,
      slug: "clerk.com",
      shortcode: "abc",
      preset: null,
      secretSealed: null,
      createdAt: NOW,
    };
    await rows.saveEndpoint(endpoint);
    await rows.saveEndpoint({ ...endpoint, preset: "svix", secretSealed: "s" });
    await rows.saveSetting("a", "1");
    await rows.saveSetting("a", "2");
    expect(await rows.environments()).toContainEqual(environment);
    expect(await rows.apps()).toContainEqual({ ...app, lastError: null });
    expect(await rows.endpoints()).toContainEqual({ ...endpoint, preset: "svix", secretSealed: "s" });
    expect(await rows.setting("a")).toBe("2");
    expect(await rows.setting("b")).toBeNull();
    expect(await rows.revision()).toBe(before + 7);
  });

  it("answers", async () => {
    await context.store.ping();
  });
}
