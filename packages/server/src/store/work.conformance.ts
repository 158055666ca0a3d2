// What a store must do with requests, claims and leases. Part of the conformance suite: called by store.conformance.ts.
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
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
import type { RunRow } from "./store.ts";

export function intake(context: Context): void {
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

export function settling(context: Context): void {
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

export function claiming(context: Context): void {
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

  it("takes from each queue as much as it asks there, however much has waited longer in others", async () => {
    const { store } = context;
    const [crowd, one] = [unique("app"), unique("app")];
    const event = sampleEvent();
    const crowded = Array.from({ length: 40 }, () => sampleRun(event, { appId: crowd, createdAt: NOW - 60_000 }));
    const late = sampleRun(event, { appId: one });
    await store.intake(sampleIntake(event, [...crowded, late]));
    const request = { now: NOW, leaseUntil: NOW + 15_000, owner: "srv_1", newToken: () => unique("exe") };
    const asked = [
      { queue: crowd, limit: 10 },
      { queue: one, limit: 5 },
    ];
    const decide = (run: RunRow, token: string) =>
      changeOf(run, { type: "claimed", token }, { token, owner: "srv_1", until: NOW + 15_000 });
    const { items, nextDueAt } = await store.claim({ ...request, queues: asked }, decide);
    const ids = items.map((item) => item.kind === "run" && item.run.id);
    expect([ids.length, ids.includes(late.id), nextDueAt]).toEqual([11, true, NOW]);
    // Nobody asks for the crowd while it has no room: the other's turn is not put off.
    expect(await claim(store, [one])).toEqual({ items: [], changes: [], nextDueAt: NOW + 15_000 });
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

export function leases(context: Context): void {
  it("gives the work to another claim once the lease is over, and the former token is worth nothing", async () => {
    const { store, other } = context;
    const { run, token, queue } = await executing(store);
    const [again] = (await claim(other, [queue], { now: NOW + 15_000, owner: "srv_2" })).items;
    if (again?.kind !== "run") throw new Error("not claimed again");
    expect(again.attempts).toBe(2);
    expect(again.run).toMatchObject({ executions: 2, losses: 1 });
    expect(await store.recordTask(report(sampleTask(run.id), token))).toBe("stale");
    expect(await store.renew([token], NOW + 99_000, "srv_2")).toEqual(new Set());
    expect(await other.recordTask(report(sampleTask(run.id), again.token))).toBe("recorded");
  });

  it("renews only what is held", async () => {
    const { store } = context;
    const mine = await executing(store);
    expect(await store.renew([mine.token], NOW + 90_000, "srv_other")).toEqual(new Set());
    const held = await store.renew([mine.token, "exe_unknown"], NOW + 30_000.5, "srv_1");
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
    expect(await store.releaseOwners([owner], NOW + 15_001, NOW + 15_004)).toBe(1);
    expect(await store.releaseOwners([owner], NOW + 15_002, NOW + 15_004)).toBe(0);
    // Its app may come back with the execution until then.
    expect((await claim(store, [dead.queue], { now: NOW + 15_003, owner: "srv_3" })).items).toEqual([]);
    expect((await claim(store, [dead.queue, alive.queue], { now: NOW + 15_004, owner: "srv_3" })).items).toHaveLength(2);
    expect(await store.releaseOwners([owner], NOW + 15_005, NOW + 15_005)).toBe(0);
  });

  it("frees what is no run at once", async () => {
    const { store } = context;
    const event = sampleEvent();
    const [queue, owner] = [unique("q"), unique("srv")];
    const work = { id: event.rowId, kind: "event" as const, queue, dueAt: NOW + 15_000, token: unique("exe"), owner };
    await store.intake({ ...sampleIntake(event, []), work: [work] });
    expect(await store.releaseOwners([owner], NOW + 1, NOW + 2_000)).toBe(1);
    expect((await claim(store, [queue], { now: NOW + 1 })).items).toHaveLength(1);
  });

  it("lets another server adopt an execution: its token stays in force, the lease is the other's", async () => {
    const { store, other } = context;
    const { token: former, queue, run } = await executing(store);
    const first = unique("srv");
    const [claimed] = (await claim(store, [queue], { now: NOW + 15_000, owner: first })).items;
    const token = claimed?.token ?? "";
    expect(await other.adopt([former], NOW + 99_000, "srv_2")).toEqual(new Set());
    expect(await other.adopt([token, "exe_unknown"], NOW + 40_000.5, "srv_2")).toEqual(new Set([token]));
    expect(await store.renew([token], NOW + 99_000, first)).toEqual(new Set());
    expect(await store.recordTask(report(sampleTask(run.id), token))).toBe("recorded");
    expect((await claim(store, [queue], { now: NOW + 40_000 })).items).toEqual([]);
    expect(await store.releaseOwners([first], NOW + 1, NOW + 1)).toBe(0);
    expect(await other.renew([token], NOW + 50_000, "srv_2")).toEqual(new Set([token]));
    expect((await claim(store, [queue], { now: NOW + 50_000 })).items).toHaveLength(1);
    expect(await other.adopt([token], NOW + 99_000, "srv_2")).toEqual(new Set());
  });
}
