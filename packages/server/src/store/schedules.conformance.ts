// What a store must do with schedules registered at run time. Part of the conformance suite: called by store.conformance.ts.
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import { NOW, sampleEvent, sampleIntake, unique, world } from "./samples.conformance.ts";
import type { ScheduleRow } from "./schedule-rows.ts";

function sample(fields: Partial<ScheduleRow> = {}): ScheduleRow {
  return {
    id: world.newId("schedule"),
    environmentId: world.newId("environment"),
    appId: world.newId("app"),
    scheduleId: "users",
    key: unique("a/é"),
    schedule: { type: "cron", options: { cron: "0 * * * *" } },
    accountId: null,
    metadataText: null,
    revision: 1,
    anchorAt: NOW,
    lastAt: null,
    nextAt: 0,
    updatedAt: NOW,
    ...fields,
  };
}

export function schedules(context: Context): void {
  it("keeps one for each key of a dynamic schedule, and gives it back as it was", async () => {
    const { store, other } = context;
    const row = sample({ accountId: "acc", metadataText: '{"m":1.0}', nextAt: null, lastAt: NOW });
    expect(await store.schedules.get(row, row.key)).toBeNull();
    expect(await store.schedules.save(row, null)).toBe(true);
    expect(await other.schedules.get(row, row.key)).toEqual(row);
    expect(await other.schedules.byId(row.id)).toEqual(row);
    for (const elsewhere of [{ scheduleId: "orders" }, { appId: world.newId("app") }, { environmentId: "env_other" }]) {
      expect(await store.schedules.get({ ...row, ...elsewhere }, row.key)).toBeNull();
      expect(await store.schedules.delete({ ...row, ...elsewhere }, row.key)).toBe(false);
      expect(await store.schedules.save({ ...row, id: world.newId("schedule"), ...elsewhere }, null)).toBe(true);
    }
    expect([await store.schedules.delete(row, row.key), await store.schedules.delete(row, row.key)]).toEqual([true, false]);
    expect(await store.schedules.byId(row.id)).toBeNull();
  });

  it("lets one of several who register a key at once have it, and replaces only what was read", async () => {
    const { store, other } = context;
    const first = sample();
    const rivals = Array.from({ length: 5 }, () => ({ ...first, id: world.newId("schedule") }));
    const won = await Promise.all(rivals.map((row, i) => (i % 2 ? store : other).schedules.save(row, null)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const kept = await store.schedules.get(first, first.key);
    if (!kept) throw new Error("it was not kept");
    const changed = {
      ...kept,
      revision: 2,
      metadataText: "2",
      schedule: { type: "interval" as const, options: { seconds: 60 } },
    };
    const replaced = await Promise.all([store, other, store].map(({ schedules: rows }) => rows.save(changed, kept)));
    expect(replaced.filter(Boolean)).toHaveLength(1);
    expect(await store.schedules.save({ ...changed, revision: 3, id: world.newId("schedule") }, changed)).toBe(true);
    expect(await other.schedules.byId(kept.id)).toEqual({ ...changed, revision: 3 });
    await store.schedules.delete(first, first.key);
    expect(await store.schedules.get(first, first.key)).toBeNull();
  });

  it("notes ticks of the revision that came, and does not replace what ticked meanwhile", async () => {
    const { store, other } = context;
    const row = sample();
    await store.schedules.save(row, null);
    expect(await other.schedules.ticked({ ...row, lastAt: NOW, nextAt: NOW + 10 })).toBe(true);
    expect(await store.schedules.byId(row.id)).toEqual({ ...row, lastAt: NOW, nextAt: NOW + 10 });
    expect(await store.schedules.save({ ...row, revision: 2 }, row)).toBe(false);
    expect(await store.schedules.save({ ...row, revision: 2 }, { ...row, nextAt: NOW + 10 })).toBe(true);
    expect(await store.schedules.ticked({ ...row, lastAt: NOW + 10, nextAt: null })).toBe(false);
    expect(await store.schedules.ticked({ ...row, id: "sch_none", lastAt: NOW, nextAt: null })).toBe(false);
    expect(await store.schedules.byId(row.id)).toMatchObject({ revision: 2, nextAt: 0 });
  });

  it("finds those whose tick is overdue, longest first, in the environments asked for", async () => {
    const { store } = context;
    const { environmentId } = sample();
    const due = [NOW - 1, 0, NOW - 2, NOW, null];
    for (const nextAt of due) await store.schedules.save(sample({ environmentId, nextAt }), null);
    await store.schedules.save(sample({ nextAt: 0 }), null);
    const found = async (limit: number) =>
      (await store.schedules.overdue([environmentId], NOW, limit)).map(({ nextAt }) => nextAt);
    expect([await found(10), await found(2)]).toEqual([
      [0, NOW - 2, NOW - 1],
      [0, NOW - 2],
    ]);
    expect(await store.schedules.overdue([], NOW, 10)).toEqual([]);
  });

  it("keeps with an event what its run sees as its source", async () => {
    const { store } = context;
    const event = sampleEvent({ sourceText: '{"id":"a","metadata":1.0}', deliverAt: NOW + 1_000, deliveredAt: null });
    await store.intake({ ...sampleIntake(event, []), work: [{ id: event.rowId, kind: "event", queue: "@none", dueAt: NOW }] });
    expect(await store.event(null, { rowId: event.rowId })).toEqual(event);
  });
}
