// What a store must do with events that wait for their time. Part of the conformance suite: called by store.conformance.ts.
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import { claim, ENVIRONMENT, NOW, sampleEvent, sampleIntake, sampleRun } from "./samples.conformance.ts";
import type { EventRow, Store } from "./store.ts";

const LATER = NOW + 3_600_000;

async function waiting(store: Store, deliverAt = LATER): Promise<EventRow> {
  const event = sampleEvent({ deliverAt, deliveredAt: null });
  const work = [{ id: event.rowId, kind: "event" as const, queue: event.rowId, dueAt: deliverAt }];
  await store.intake({ ...sampleIntake(event, []), work });
  return event;
}
const replacement = (deliverAt: number, dueFrom = NOW + 5_000) =>
  ({ type: "replace", dueFrom, payloadText: '{"n":2.0}', contextText: '"\\u0000"', deliverAt }) as const;

/** The event as a server delivers it, with its one run. */
async function deliver(store: Store, event: EventRow, token: string): Promise<string> {
  const run = sampleRun(event);
  const delivered = { ...event, deliveredAt: LATER };
  return (await store.intake({ ...sampleIntake(delivered, [run]), done: { id: event.rowId, token } })).type;
}

export function waitingEvents(context: Context): void {
  it("cancels one, which then is never claimed, and says so once", async () => {
    const { store, other } = context;
    const event = await waiting(store);
    expect(await other.changeEvent(event.rowId, { type: "cancel", at: NOW + 1 })).toBe(true);
    expect(await store.changeEvent(event.rowId, { type: "cancel", at: NOW + 2 })).toBe(false);
    expect(await store.event(ENVIRONMENT, { id: event.id })).toEqual({ ...event, canceledAt: NOW + 1 });
    expect((await claim(store, [event.rowId], { now: LATER })).items).toEqual([]);
    expect(await store.changeEvent(event.rowId, replacement(LATER))).toBe(false);
  });

  it("lets a delivery under way start nothing once its event is canceled, nor a cancel change what was delivered", async () => {
    const { store, other } = context;
    const [canceled, delivered] = [await waiting(store), await waiting(store)];
    const claimed = async ({ rowId }: EventRow) => (await claim(store, [rowId], { now: LATER })).items[0]?.token ?? "";
    const tokens = [await claimed(canceled), await claimed(delivered)];
    expect(await other.changeEvent(canceled.rowId, { type: "cancel", at: NOW })).toBe(true);
    expect(await deliver(store, canceled, tokens[0] ?? "")).toBe("stale");
    expect(await store.runsOfEvent(canceled.rowId)).toEqual([]);
    expect(await deliver(store, delivered, tokens[1] ?? "")).toBe("stored");
    expect(await deliver(other, delivered, tokens[1] ?? "")).toBe("stale");
    expect(await other.changeEvent(delivered.rowId, { type: "cancel", at: NOW })).toBe(false);
    expect(await store.event(null, { rowId: delivered.rowId })).toMatchObject({ canceledAt: null, deliveredAt: LATER });
    expect(await store.runsOfEvent(delivered.rowId)).toHaveLength(1);
  });

  it("replaces what one says and when, later or sooner, and it is claimed at its new time only", async () => {
    const { store, other } = context;
    const event = await waiting(store);
    expect(await store.changeEvent(event.rowId, replacement(LATER + 500))).toBe(true);
    const { payloadText, contextText } = replacement(0);
    const replaced = { ...event, payloadText, contextText, deliverAt: LATER + 500 };
    expect(await other.event(null, { rowId: event.rowId })).toEqual(replaced);
    expect((await claim(store, [event.rowId], { now: LATER + 499 })).items).toEqual([]);
    expect(await other.changeEvent(event.rowId, replacement(NOW))).toBe(true);
    const { items } = await claim(store, [event.rowId], { now: NOW });
    expect(items).toMatchObject([{ kind: "event", event: { ...replaced, deliverAt: NOW } }]);
  });

  it("does not replace one that is due too soon, is being delivered, was delivered, or never waited", async () => {
    const { store } = context;
    const soon = await waiting(store, NOW + 4_999);
    expect(await store.changeEvent(soon.rowId, replacement(LATER))).toBe(false);
    const taken = await waiting(store);
    const { items } = await claim(store, [taken.rowId], { now: LATER, until: LATER + 60_000 });
    expect(await store.changeEvent(taken.rowId, replacement(LATER))).toBe(false);
    await deliver(store, taken, items[0]?.token ?? "");
    expect(await store.changeEvent(taken.rowId, replacement(LATER))).toBe(false);
    const plain = sampleEvent();
    await store.intake(sampleIntake(plain, []));
    expect(await store.changeEvent(plain.rowId, replacement(LATER))).toBe(false);
    expect(await store.changeEvent("evt_nothing", { type: "cancel", at: NOW })).toBe(false);
    expect(await store.event(null, { rowId: plain.rowId })).toEqual(plain);
  });
}
