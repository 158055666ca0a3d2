// Room: dispatch, tested on the memory store: events now and later, and ids that come twice.
import { beforeEach, describe, expect, it } from "vitest";
import { realWorld } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { eventQueue } from "../store/queues.ts";
import type { FirstClaims } from "./first-claim.ts";
import { RecentEvents } from "./recent-events.ts";
import { Registry } from "./registry.ts";
import { Events } from "./send.ts";

const ENVIRONMENT = "env_00000000000000000000000000";
const world = realWorld();

function scene() {
  const { store, bus } = createMemoryStore();
  const registry = new Registry(store.catalog, world, bus);
  const woken: string[] = [];
  const first: FirstClaims = {
    of: (plan) => ({ ...plan, stored: () => woken.push(...plan.work.map(({ queue }) => queue)), dropped: () => {} }),
  };
  const events = new Events({ world, registry, store, recent: new RecentEvents(), first });
  return { store, registry, events, woken };
}

async function withJob() {
  const made = scene();
  const trigger = {
    type: "static" as const,
    title: "order",
    rule: { event: "order", source: "trigger.dev", payload: { vip: [true] } },
  };
  const event = { name: "order", title: "Order", source: "trigger.dev", icon: "bolt" };
  const job = {
    id: "greet",
    name: "Greet",
    version: "1.0.0",
    event,
    trigger,
    enabled: true,
    internal: false,
    integrations: {},
    startPosition: "latest",
    preprocessRuns: false,
  };
  const index = { jobs: [job], sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
  const app = await made.registry.saveIndex({
    environmentId: ENVIRONMENT,
    slug: "shop",
    transport: "connect",
    url: null,
    sdk: null,
    index,
  });
  return { ...made, app };
}

describe("an event", () => {
  let made: Awaited<ReturnType<typeof withJob>>;
  beforeEach(async () => {
    made = await withJob();
  });

  it("starts a run of each job whose filter it passes, and wakes its app's queue", async () => {
    expect((await made.events.send(ENVIRONMENT, { name: "order", payload: { vip: false } })).runs).toEqual([]);
    const { runs } = await made.events.send(ENVIRONMENT, { name: "order", payload: { vip: true } });
    expect(runs.map(({ jobId, appId }) => [jobId, appId])).toEqual([["greet", made.app.id]]);
    expect(made.woken).toEqual([made.app.id]);
  });

  it("with an id that came before changes nothing and answers the first", async () => {
    const first = await made.events.send(ENVIRONMENT, { id: "o1", name: "order", payload: { vip: true } });
    const again = await made.events.send(ENVIRONMENT, { id: "o1", name: "order", payload: { vip: true, other: 1 } });
    expect([again.duplicate, again.event.rowId, again.runs]).toEqual([true, first.event.rowId, []]);
    expect(await made.store.runsOfEvent(first.event.rowId)).toHaveLength(1);
  });

  describe("sent for later", () => {
    const later = { deliverAfter: 3600, replace: true };
    const due = () => world.now() + 7_300_000;
    /** The payloads delivered by then. */
    const delivered = async (now: number): Promise<unknown[]> => {
      const queues = [{ queue: eventQueue(ENVIRONMENT), limit: 5 }];
      const { items } = await made.store.claim(
        { queues, now, leaseUntil: now + 1000, owner: "srv", newToken: (id) => `exe.${id}` },
        () => null,
      );
      const payloads: unknown[] = [];
      for (const item of items) {
        if (item.kind !== "event") throw new Error("Not an event.");
        await made.events.deliver(item.event, item.token);
        const runs = await made.store.runsOfEvent(item.event.rowId);
        payloads.push(...runs.map(() => JSON.parse(item.event.payloadText)));
      }
      return payloads;
    };

    it("and again takes the new payload and time, and wakes who delivers it", async () => {
      const first = await made.events.send(ENVIRONMENT, { id: "o", name: "order", payload: { vip: true, n: 1 } }, later);
      const again = { id: "o", name: "order", payload: { vip: true, n: 2 }, context: { c: 1 } };
      const second = await made.events.send(ENVIRONMENT, again, { deliverAfter: 7200, replace: true });
      expect(second).toMatchObject({ duplicate: true, runs: [], event: { rowId: first.event.rowId, contextText: '{"c":1}' } });
      expect(await delivered(world.now() + 3_700_000)).toEqual([]);
      made.woken.length = 0;
      const now = await made.events.send(ENVIRONMENT, { ...again, payload: { vip: true, n: 3 } }, { replace: true });
      expect(now.event).toMatchObject({ payloadText: '{"vip":true,"n":3}', deliveredAt: null });
      expect(made.woken).toEqual([eventQueue(ENVIRONMENT)]);
      expect(await delivered(world.now())).toEqual([{ vip: true, n: 3 }]);
      const late = await made.events.send(ENVIRONMENT, { ...again, payload: { vip: true, n: 4 } }, later);
      expect(late.event.payloadText).toBe('{"vip":true,"n":3}');
      expect(await delivered(due())).toEqual([]);
    });

    it("and again stays as it is when it is due in less than five seconds, and when whoever sends it does not replace", async () => {
      await made.events.send(ENVIRONMENT, { id: "soon", name: "order", payload: { vip: true, n: 1 } }, { deliverAfter: 4 });
      const soon = await made.events.send(ENVIRONMENT, { id: "soon", name: "order", payload: { vip: true, n: 2 } }, later);
      expect(soon.event.payloadText).toBe('{"vip":true,"n":1}');
      await made.events.send(ENVIRONMENT, { id: "tick", name: "order", payload: { vip: true, n: 3 } }, later);
      await made.events.send(ENVIRONMENT, { id: "tick", name: "order", payload: { vip: true, n: 4 } }, { deliverAfter: 7200 });
      expect(await delivered(world.now() + 3_700_000)).toEqual([
        { vip: true, n: 1 },
        { vip: true, n: 3 },
      ]);
    });

    it("and canceled starts nothing, though it is sent again; what was delivered stays", async () => {
      await made.events.send(ENVIRONMENT, { id: "c", name: "order", payload: { vip: true } }, later);
      const canceled = await made.events.cancel(ENVIRONMENT, "c");
      expect(canceled).toMatchObject({ canceledAt: expect.any(Number), deliveredAt: null });
      expect(await made.events.cancel(ENVIRONMENT, "c")).toEqual(canceled);
      for (const options of [later, { replace: true }]) {
        const again = await made.events.send(ENVIRONMENT, { id: "c", name: "order", payload: { vip: true } }, options);
        expect(again).toMatchObject({ runs: [], event: { canceledAt: canceled?.canceledAt } });
      }
      expect(await delivered(due())).toEqual([]);
      const plain = await made.events.send(ENVIRONMENT, { id: "p", name: "order", payload: { vip: true } });
      expect(await made.events.cancel(ENVIRONMENT, "p")).toEqual(plain.event);
      expect(await made.events.cancel(ENVIRONMENT, "nothing")).toBeNull();
      expect(await made.events.cancel("env_other", "p")).toBeNull();
    });
  });

  it("sent for later starts nothing until it is delivered, then says when", async () => {
    const sent = await made.events.send(ENVIRONMENT, { name: "order", payload: { vip: true } }, { deliverAfter: 3600 });
    expect([sent.runs, sent.event.deliveredAt]).toEqual([[], null]);
    const due = world.now() + 3_700_000;
    const request = {
      queues: [{ queue: eventQueue(ENVIRONMENT), limit: 5 }],
      leaseUntil: due + 1000,
      owner: "srv",
      newToken: (id: string) => `exe.${id}`,
    };
    expect((await made.store.claim({ ...request, now: world.now() }, () => null)).items).toEqual([]);
    const [item] = (await made.store.claim({ ...request, now: due }, () => null)).items;
    if (item?.kind !== "event") throw new Error("The event was not claimed.");
    await made.events.deliver(item.event, item.token);
    await made.events.deliver(item.event, item.token);
    expect(await made.store.runsOfEvent(sent.event.rowId)).toHaveLength(1);
    expect((await made.store.event(ENVIRONMENT, { rowId: sent.event.rowId }))?.deliveredAt).toEqual(expect.any(Number));
  });
});

it("a filter that could not be evaluated is refused when its app registers", async () => {
  const { registry } = scene();
  const trigger = {
    type: "static" as const,
    title: "t",
    rule: { event: "e", source: "trigger.dev", payload: { a: [{ $regex: "x" }] } },
  };
  const event = { name: "e", title: "E", source: "trigger.dev", icon: "bolt" };
  const job = {
    id: "bad",
    name: "Bad",
    version: "1.0.0",
    event,
    trigger,
    enabled: true,
    internal: false,
    integrations: {},
    startPosition: "latest",
    preprocessRuns: false,
  };
  const index = { jobs: [job], sources: [], dynamicTriggers: [], dynamicSchedules: [] };
  const registered = registry.saveIndex({
    environmentId: ENVIRONMENT,
    slug: "s",
    transport: "connect",
    url: null,
    sdk: null,
    index,
  });
  await expect(registered).rejects.toThrow(/job "bad".*\$regex/s);
});
