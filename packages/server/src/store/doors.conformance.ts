// What a store must do with runs that ask at doors: rate limits and debouncing. Part of the conformance suite: called by store.conformance.ts.
import type { Door } from "@holdfast/engine";
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import { claimed, tokenOf } from "./gates.conformance.ts";
import { apply, claim, NOW, sampleEvent, sampleIntake, sampleRun, unique } from "./samples.conformance.ts";
import type { EventRow, IntakeResult, PlannedRun, Store } from "./store.ts";

type Given = Partial<PlannedRun> & { appId: string };

/** An event with one run that asks at this door, at NOW and so many milliseconds. */
async function send(
  to: Store,
  door: Door,
  after: number,
  fields: Given,
): Promise<{ event: EventRow; run: PlannedRun; result: IntakeResult }> {
  const event = sampleEvent({ payloadText: String(after) });
  const run: PlannedRun = { ...sampleRun(event, { createdAt: NOW + after, updatedAt: NOW + after, ...fields }), door };
  return { event, run, result: await to.intake(sampleIntake(event, [run])) };
}

function rate(limit: number, period: number): Door {
  return { kind: "rate", id: unique("door"), limit, period };
}
function debounce(period: number, timeout: number | null = null): Door {
  return { kind: "debounce", id: unique("door"), period, timeout };
}

export function doors(context: Context): void {
  const at = (queue: string, after: number) => claim(context.store, [queue], { now: NOW + after, until: NOW + 600_000 });

  it("lets in as many as the limit in any period, on two servers at once, and notes why the others started nothing", async () => {
    const appId = unique("app");
    const door = rate(5, 1000);
    const crowd = Array.from({ length: 40 }, (_, i) => send(i % 2 ? context.store : context.other, door, i % 3, { appId }));
    const sent = await Promise.all(crowd);
    const absent = sent.filter(({ result }) => result.type === "stored" && result.absent);
    expect(absent).toHaveLength(35);
    expect(claimed(await at(appId, 10))).toHaveLength(5);
    const [one] = absent;
    expect(one?.result).toEqual({ type: "stored", absent: [one?.run.id] });
    expect(await context.store.run(null, one?.run.id ?? "")).toBeNull();
    const [skip] = await context.other.skipsOfEvent(one?.event.rowId ?? "");
    expect(skip).toMatchObject({
      eventRowId: one?.event.rowId,
      jobId: one?.run.jobId,
      reason: "rate-limited",
      byEventRowId: null,
    });
    expect((skip?.until ?? 0) - NOW).toBeGreaterThanOrEqual(1000);
    expect((await send(context.store, door, 999, { appId })).result).toMatchObject({ absent: [expect.anything()] });
    expect((await send(context.store, door, 1002, { appId })).result).toEqual({ type: "stored" });
  });

  it("counts by the limit given, also one that was changed, and forgets no start that still counts", async () => {
    const appId = unique("app");
    const door = { ...rate(3, 1000), kind: "rate" as const };
    const enters = async (limit: number, after: number) =>
      !("absent" in (await send(context.store, { ...door, limit } as Door, after, { appId })).result);
    const ask = [
      [3, 0],
      [3, 10],
      [3, 20],
      [3, 30],
      [5, 40],
      [5, 50],
      [5, 60],
      [2, 1045],
      [2, 1050],
      [2, 1100],
    ] as const;
    const answers: boolean[] = [];
    for (const [limit, after] of ask) answers.push(await enters(limit, after));
    expect(answers).toEqual([true, true, true, false, true, true, false, true, true, false]);
  });

  it("answers a repeated intake as before, and a duplicate uses up nothing", async () => {
    const appId = unique("app");
    const door = rate(2, 1000);
    const first = await send(context.store, door, 0, { appId });
    const again = sampleIntake(first.event, [first.run]);
    expect(await context.other.intake(again)).toMatchObject({ type: "stored" });
    const copy = sampleEvent({ id: first.event.id });
    const double = sampleIntake(copy, [{ ...sampleRun(copy, { appId }), door }]);
    expect(await context.store.intake(double)).toMatchObject({ type: "duplicate" });
    expect((await send(context.store, door, 1, { appId })).result).toEqual({ type: "stored" });
    const refused = await send(context.store, door, 2, { appId });
    await context.store.intake(sampleIntake(refused.event, [refused.run]));
    expect(claimed(await at(appId, 10)).map(({ id }) => id)).toHaveLength(2);
    expect(await context.store.skipsOfEvent(refused.event.rowId)).toHaveLength(1);
    expect(await context.store.skipsOfEvent(first.event.rowId)).toEqual([]);
  });

  it("keeps the other runs of an event, and those of its gates wait there", async () => {
    const appId = unique("app");
    const door = rate(1, 1000);
    const flow = { gates: [{ id: appId, rule: appId, limit: 1 }], priority: 0 };
    await send(context.store, door, 0, { appId, flow });
    const event = sampleEvent();
    const refused = { ...sampleRun(event, { appId, jobId: "limited" }), door };
    const free = sampleRun(event, { appId, jobId: "free" });
    const gated = sampleRun(event, { appId, jobId: "gated", flow });
    const result = await context.store.intake(sampleIntake(event, [refused, free, gated]));
    expect(result).toEqual({ type: "stored", absent: [refused.id] });
    expect(claimed(await at(appId, 10)).map(({ id }) => id)).toHaveLength(2);
    expect((await context.store.skipsOfEvent(event.rowId)).map(({ jobId }) => jobId)).toEqual(["limited"]);
  });

  it("debounces: one run, of the last event, once nothing came for a period", async () => {
    const appId = unique("app");
    const door = debounce(1000);
    const first = await send(context.store, door, 0, { appId });
    expect(first.result).toEqual({ type: "stored" });
    expect((await context.store.run(null, first.run.id))?.state).toMatchObject({ kind: "queued", dueAt: NOW + 1000 });
    const flow = { gates: [{ id: appId, rule: appId, limit: 1 }], priority: 0 };
    const second = await send(context.other, door, 900, { appId, flow });
    const third = await send(context.store, door, 1800, { appId, flow, jobVersion: "9.9.9" });
    expect(third.result).toEqual({ type: "stored", absent: [third.run.id] });
    expect(await at(appId, 2799)).toMatchObject({ items: [], nextDueAt: NOW + 2800 });
    const [run] = claimed(await at(appId, 2800));
    expect(run).toMatchObject({ id: first.run.id, eventRowId: third.event.rowId, jobVersion: "9.9.9", flow, createdAt: NOW });
    const replaced = await Promise.all([first, second].map(({ event }) => context.store.skipsOfEvent(event.rowId)));
    const by = { reason: "debounced", until: null };
    expect(replaced).toEqual([
      [expect.objectContaining({ ...by, byEventRowId: second.event.rowId })],
      [expect.objectContaining({ ...by, byEventRowId: third.event.rowId })],
    ]);
    expect(await context.store.skipsOfEvent(third.event.rowId)).toEqual([]);
    expect((await context.store.runsOfEvent(third.event.rowId)).map(({ id }) => id)).toEqual([first.run.id]);
    const next = await send(context.store, door, 2810, { appId });
    expect(next.result).toEqual({ type: "stored" });
    expect((await context.store.run(null, next.run.id))?.eventRowId).toBe(next.event.rowId);
  });

  it("puts a run off no longer than the timeout, and one that was canceled not at all", async () => {
    const appId = unique("app");
    const door = debounce(1000, 1500);
    const first = await send(context.store, door, 0, { appId });
    await send(context.store, door, 900, { appId });
    expect(await at(appId, 1000)).toMatchObject({ items: [], nextDueAt: NOW + 1500 });
    await apply(context.store, (await context.store.run(null, first.run.id)) as PlannedRun, { type: "canceled" });
    const next = await send(context.store, door, 1000, { appId });
    expect(next.result).toEqual({ type: "stored" });
    expect(claimed(await at(appId, 2000)).map(({ id }) => id)).toEqual([next.run.id]);
  });

  it("leaves a run alone that has begun, whatever it waits for", async () => {
    const appId = unique("app");
    const door = debounce(1000);
    const first = await send(context.store, door, 0, { appId });
    const [run] = claimed(await at(appId, 1000)) as [PlannedRun];
    await apply(context.store, run, { type: "suspended", token: tokenOf(run), dueAt: NOW + 50_000 });
    const next = await send(context.store, door, 990, { appId });
    expect(next.result).toEqual({ type: "stored" });
    expect((await context.store.run(null, run.id))?.eventRowId).toBe(first.event.rowId);
    expect(await context.store.skipsOfEvent(first.event.rowId)).toEqual([]);
  });

  it("makes one run of twenty events that come at once on two servers", async () => {
    const appId = unique("app");
    const door = debounce(1000);
    const crowd = Array.from({ length: 20 }, (_, i) => send(i % 2 ? context.store : context.other, door, i, { appId }));
    const sent = await Promise.all(crowd);
    expect(sent.filter(({ result }) => !("absent" in result))).toHaveLength(1);
    const runs = claimed(await at(appId, 1020));
    expect(runs).toHaveLength(1);
    const skips = (await Promise.all(sent.map(({ event }) => context.store.skipsOfEvent(event.rowId)))).flat();
    expect(skips).toHaveLength(19);
    expect(skips.map(({ eventRowId }) => eventRowId)).not.toContain(runs[0]?.eventRowId);
  });
}
