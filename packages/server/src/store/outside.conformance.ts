// What a store must do with what lies outside of runs: callbacks that time out, waiters for events, requests to be made. Called by store.conformance.ts.
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import { eventQueue } from "./queues.ts";
import {
  apply,
  claim,
  ENVIRONMENT,
  executing,
  NOW,
  report,
  sampleEvent,
  sampleIntake,
  sampleTask,
  unique,
  world,
} from "./samples.conformance.ts";
import type { OutboundRow, WaiterRow } from "./store.ts";

const sampleWaiter = (fields: Partial<WaiterRow> = {}): WaiterRow => ({
  id: unique("wtr"),
  environmentId: ENVIRONMENT,
  names: [unique("paid")],
  ruleText: '{"url":"http://x"}',
  expiresAt: NOW + 1_000,
  ...fields,
});
const sampleOutbound = (fields: Partial<OutboundRow> = {}): OutboundRow => ({
  id: unique("out"),
  environmentId: ENVIRONMENT,
  kind: "post",
  queue: unique("queue"),
  runId: null,
  requestText: '{"url":"http://x"}',
  createdAt: NOW,
  awaitsEnd: false,
  ...fields,
});

export function outside(context: Context): void {
  it("gives up a callback nobody called, unless its task waits for a retry", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    const detailsText = '{"callbackUrl":"http://x/1"}';
    const open = { status: "WAITING" as const, completedAt: null, outputText: null, detailsText, delayUntil: NOW + 10 };
    const late = sampleTask(run.id, { ...open, position: 1 });
    const retried = sampleTask(run.id, { ...open, position: 2 });
    const again = sampleTask(run.id, { ...open, attempts: 2, position: 3 });
    const later = sampleTask(run.id, { ...open, delayUntil: NOW + 99, position: 4 });
    for (const task of [late, later]) await store.recordTask(report(task, token));
    for (const task of [retried, { ...again, attempts: 1 }])
      await store.recordTask(report(task, token, '{"attempt":1,"at":"","error":{"message":"no"}}'));
    await store.recordTask(report({ ...again, status: "RUNNING", delayUntil: null }, token));
    await store.recordTask(report(again, token));
    await apply(store, run, { type: "suspended", token, dueAt: NOW + 10 });
    expect((await claim(store, [queue], { now: NOW + 10 })).items).toHaveLength(1);
    const after = await store.tasks(run.id);
    const error = '{"message":"Remote callback timeout - no requests received"}';
    expect(after.map(({ status, attempts, errorText, completedAt }) => [status, attempts, errorText, completedAt])).toEqual([
      ["ERRORED", 1, error, NOW + 10],
      ["RUNNING", 2, null, null],
      ["ERRORED", 2, error, NOW + 10],
      ["WAITING", 1, null, null],
    ]);
  });

  it("keeps the lease of an executing run that is woken, and refuses an end that was decided before", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    const woken = await apply(store, run, { type: "woken" }, { work: { held: true } });
    expect(woken).toMatchObject({ revision: run.revision + 1, state: run.state });
    expect(await store.renew([token], NOW + 15_000, "srv_1")).toEqual(new Set([token]));
    await expect(apply(store, run, { type: "suspended", token, dueAt: null })).rejects.toThrow("was not applied");
    await apply(store, woken, { type: "suspended", token, dueAt: NOW });
    expect((await claim(store, [queue])).items).toHaveLength(1);
  });

  it("makes work of an event somebody may wait for, and of no other", async () => {
    const { store, other } = context;
    const waiter = sampleWaiter({ names: [unique("paid"), unique("shipped")] });
    await store.outside.addWaiter(waiter);
    await other.outside.addWaiter({ ...waiter, ruleText: "{}" });
    const [paid, shipped] = waiter.names.map((name) => sampleEvent({ name }));
    if (!paid || !shipped) throw new Error("no samples");
    expect(await other.intake(sampleIntake(paid, []))).toEqual({ type: "stored", awaited: true });
    expect(await store.intake(sampleIntake(shipped, []))).toEqual({ type: "stored", awaited: true });
    expect(await store.intake(sampleIntake(sampleEvent(), []))).toEqual({ type: "stored" });
    const elsewhere = sampleEvent({ name: paid.name, environmentId: world.newId("environment") });
    expect(await store.intake(sampleIntake(elsewhere, []))).toEqual({ type: "stored" });
    // Of its environment's own queue, so that nobody else's events stand before it.
    const { items } = await claim(store, [eventQueue(ENVIRONMENT)], { now: NOW + 1_000 });
    const mine = items.flatMap((item) => (item.kind === "waiters" && waiter.names.includes(item.event.name) ? [item] : []));
    expect(mine.map(({ event }) => event).sort((a, b) => (a.rowId < b.rowId ? -1 : 1))).toEqual(
      [paid, shipped].sort((a, b) => (a.rowId < b.rowId ? -1 : 1)),
    );
    const { names: _, ...kept } = waiter;
    expect(await store.outside.waiters(ENVIRONMENT, paid.name, "", 10)).toEqual([kept]);
    expect(await store.outside.waiters(ENVIRONMENT, paid.name, waiter.id, 10)).toEqual([]);
    for (const { event, token } of mine) await store.outside.finish({ id: `${event.rowId}:waiters`, token });
    expect(
      await store.renew(
        mine.map(({ token }) => token),
        NOW,
        "srv_1",
      ),
    ).toEqual(new Set());
    await store.outside.forgetWaiters(waiter.expiresAt);
    expect(await store.outside.waiters(ENVIRONMENT, shipped.name, "", 10)).toHaveLength(1);
    await store.outside.dropWaiters([waiter.id]);
    expect(await store.outside.waiters(ENVIRONMENT, shipped.name, "", 10)).toEqual([]);
  });

  it("makes one request of several events at once for one who waits, and none for who waits no more", async () => {
    const { store, other } = context;
    const names = [unique("paid"), unique("shipped")];
    const waiter = sampleWaiter({ names });
    await store.outside.addWaiter(waiter);
    const { queue } = sampleOutbound();
    const rows = Array.from({ length: 8 }, () => sampleOutbound({ queue }));
    await Promise.all(rows.map((row, n) => (n % 2 ? store : other).outside.tellWaiter(waiter.id, row, NOW)));
    expect(await store.outside.waiters(ENVIRONMENT, names[1] ?? "", "", 10)).toEqual([]);
    expect((await claim(store, [queue])).items).toHaveLength(1);
    await store.outside.addWaiter(waiter);
    const again = sampleOutbound();
    await store.outside.tellWaiter(waiter.id, again, NOW);
    expect((await claim(store, [again.queue])).items).toMatchObject([{ kind: "outbound", outbound: again }]);
  });

  it("keeps a request until it is finished by who holds it", async () => {
    const { store, other } = context;
    const row = sampleOutbound({ requestText: '{"a":"\\u0000"}' });
    await store.outside.addOutbound(row, NOW);
    await other.outside.addOutbound({ ...row, kind: "fetch" }, NOW + 99);
    const { items } = await claim(store, [row.queue]);
    expect(items).toMatchObject([{ kind: "outbound", attempts: 1, outbound: row }]);
    await store.outside.finish({ id: row.id, token: "exe_other" });
    const again = await claim(store, [row.queue], { now: NOW + 20_000 });
    expect(again.items).toMatchObject([{ attempts: 2, outbound: row }]);
    await store.outside.finish({ id: row.id, token: again.items[0]?.token ?? "" });
    expect(await claim(store, [row.queue], { now: NOW + 99_000 })).toMatchObject({ items: [], nextDueAt: null });
  });

  it("makes a request that awaits the end of a run due with that end, whatever it is", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const [one, dropped] = [
      sampleOutbound({ runId: run.id, awaitsEnd: true }),
      sampleOutbound({ runId: run.id, awaitsEnd: true }),
    ];
    for (const row of [one, dropped]) await store.outside.addOutbound(row, NOW);
    await store.outside.dropOutbound([dropped.id]);
    const suspended = await apply(store, run, { type: "suspended", token, dueAt: null });
    expect((await claim(store, [one.queue])).items).toEqual([]);
    const change = {
      before: suspended,
      at: NOW + 5,
      work: null,
      tasks: [],
      settleTasksAt: null,
      cancelTasksAt: NOW + 5,
      reopenTasks: false,
    };
    const after = { ...suspended, state: { kind: "finished" as const, at: NOW + 5, outcome: { status: "CANCELED" as const } } };
    expect(await store.changeRun({ ...change, after })).toEqual({ due: [one.queue] });
    expect((await claim(store, [one.queue, dropped.queue], { now: NOW + 5 })).items).toMatchObject([{ outbound: one }]);
  });
}
