// What a store must do with runs whose gates limit how many execute at once. Part of the conformance suite: called by store.conformance.ts.
import type { Flow } from "@holdfast/engine";
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import { apply, claim, NOW, sampleEvent, sampleIntake, sampleRun, unique, world } from "./samples.conformance.ts";
import type { Claim, Intake, RunRow, Store } from "./store.ts";

const LATER = NOW + 60_000;
export const ok = { type: "succeeded", output: "1" } as const;

function flowAt(gates: Record<string, number>, priority = 0): Flow {
  const list = Object.entries(gates).map(([id, limit]) => ({ id, rule: id, limit }));
  return { gates: list.sort((a, b) => (a.id < b.id ? -1 : 1)), priority };
}

/** Stores runs of one queue with these flows, in order of id. */
export async function store(to: Store, queue: string, flows: Flow[], now = NOW): Promise<RunRow[]> {
  const event = sampleEvent();
  const ids = flows.map(() => world.newId("run")).sort();
  const runs = flows.map((flow, i) => sampleRun(event, { id: ids[i] as never, appId: queue, flow, createdAt: now }));
  await to.intake(sampleIntake(event, runs));
  return runs;
}

export function claimed({ items }: Claim): RunRow[] {
  return items.flatMap((item) => (item.kind === "run" ? [item.run] : []));
}
function ids(runs: readonly { id: string }[]): string[] {
  return runs.map(({ id }) => id).sort();
}
export function tokenOf({ state }: RunRow): string {
  return state.kind === "executing" ? state.token : "none";
}
async function take(from: Store, queue: string, now = NOW): Promise<RunRow[]> {
  return claimed(await claim(from, [queue], { now, until: now + 15_000 }));
}

export function gates(context: Context): void {
  it("claims as many as the limit, the oldest first, and the next when one ends", async () => {
    const queue = unique("app");
    const runs = await store(
      context.store,
      queue,
      Array.from({ length: 5 }, () => flowAt({ [queue]: 2 })),
    );
    const first = await take(context.store, queue);
    expect(ids(first)).toEqual(ids(runs.slice(0, 2)));
    expect(first[0]?.flow).toEqual(runs[0]?.flow);
    expect(await take(context.store, queue, LATER - 60_000 + 1)).toEqual([]);
    const [done] = first as [RunRow];
    await apply(context.store, done, { ...ok, token: tokenOf(done) });
    expect(ids(await take(context.other, queue, NOW + 2))).toEqual([runs[2]?.id]);
  });

  it("says that nothing is due while all wait, and in which queue something is when a slot is free", async () => {
    const queue = unique("app");
    const [first] = await store(context.store, queue, [flowAt({ [queue]: 1 }), flowAt({ [queue]: 1 })]);
    const [one] = (await take(context.store, queue)) as [RunRow];
    expect(one.id).toBe(first?.id);
    expect(await claim(context.store, [queue], { now: NOW + 1 })).toEqual({ items: [], changes: [], nextDueAt: NOW + 15_000 });
    await apply(context.store, one, { type: "canceled" });
    expect(await take(context.store, queue, NOW + 2)).toHaveLength(1);
    expect(await claim(context.store, [queue], { now: NOW + 3 })).toMatchObject({ items: [], nextDueAt: NOW + 15_002 });
  });

  it("lets the higher priority go first", async () => {
    const queue = unique("app");
    const flows = [0, 0, 5, -1, 5].map((priority) => flowAt({ [queue]: 1 }, priority));
    const runs = await store(context.store, queue, flows);
    const order: string[] = [];
    for (let i = 0; i < runs.length; i++) {
      const [run] = (await take(context.store, queue, NOW + i)) as [RunRow];
      order.push(run.id);
      await apply(context.store, run, { ...ok, token: tokenOf(run) }, {}, NOW + i);
    }
    expect(order).toEqual([2, 4, 0, 1, 3].map((i) => runs[i]?.id));
  });

  it("gives each key its turn at a shared gate: one run of a key waits for no crowd of another", async () => {
    const queue = unique("app");
    const keyed = (key: string): Flow => {
      const own = { id: `${queue} key ${key}`, rule: `rule of ${queue} key`, limit: 9 };
      return { gates: [{ id: `${queue} all`, rule: `${queue} all`, limit: 1 }, own], priority: 0 };
    };
    const [first] = (await store(context.store, queue, [keyed("crowd")])) as [RunRow];
    expect(ids(await take(context.store, queue))).toEqual([first.id]);
    const crowd = await store(
      context.store,
      queue,
      Array.from({ length: 6 }, () => keyed("crowd")),
    );
    const late = await store(context.store, queue, [keyed("one"), keyed("two")], NOW + 1);
    const order: string[] = [];
    let [now, running] = [NOW + 2, await context.store.run(null, first.id)];
    while (running && order.length < 8) {
      await apply(context.store, running, { ...ok, token: tokenOf(running) }, {}, now);
      now += 1;
      [running = null] = await take(context.store, queue, now);
      order.push(running?.id ?? "");
    }
    expect(
      ids(late)
        .map((id) => order.indexOf(id))
        .every((place) => place >= 0 && place <= 3),
    ).toBe(true);
    expect(order.filter((id) => crowd.some((run) => run.id === id))).toEqual(crowd.map(({ id }) => id));
  });

  it("keys need no shared gate to be fair to each other: of each no more than its limit stand in the line of their app", async () => {
    const queue = unique("app");
    const keyed = (key: string): Flow => flowAt({ [`${queue} key ${key}`]: 2 });
    const crowd = Array.from({ length: 12 }, () => keyed("crowd"));
    await store(context.store, queue, crowd);
    const [late] = (await store(context.store, queue, [keyed("one")], NOW + 1)) as [RunRow];
    const order: string[] = [];
    // The app has room for one run at a time.
    for (let now = NOW + 2; order.length < 6; now += 2) {
      const [run] = claimed(await claim(context.store, [queue], { now, limit: 1, until: now + 15_000 })) as [RunRow];
      order.push(run.id);
      await apply(context.store, run, { ...ok, token: tokenOf(run) }, {}, now + 1);
    }
    // Two of the crowd were there first; those asked in since stand behind.
    expect(order.indexOf(late.id)).toBe(2);
  });

  it("a run that waits holds no slot, and gets one again before it goes on", async () => {
    const queue = unique("app");
    await store(context.store, queue, [flowAt({ [queue]: 1 }), flowAt({ [queue]: 1 })]);
    const [first] = (await take(context.store, queue)) as [RunRow];
    await apply(context.store, first, { type: "suspended", token: tokenOf(first), dueAt: NOW + 50 });
    const [second] = (await take(context.store, queue, NOW + 1)) as [RunRow];
    expect(second.id).not.toBe(first.id);
    expect(await take(context.store, queue, NOW + 60)).toEqual([]);
    expect((await context.store.run(null, first.id))?.state).toEqual({ kind: "waiting", dueAt: NOW + 50 });
    await apply(context.store, second, { ...ok, token: tokenOf(second) }, {}, NOW + 70);
    const [resumed] = (await take(context.store, queue, NOW + 70)) as [RunRow];
    expect(resumed).toMatchObject({ id: first.id, executions: 2, state: { kind: "executing" } });
  });

  it("a run woken or yielding while others wait asks again and is not lost", async () => {
    const queue = unique("app");
    await store(context.store, queue, [flowAt({ [queue]: 1 }), flowAt({ [queue]: 1 })]);
    const [first] = (await take(context.store, queue)) as [RunRow];
    const waiting = await apply(context.store, first, { type: "suspended", token: tokenOf(first), dueAt: NOW + 10 });
    const [second] = (await take(context.store, queue, NOW + 1)) as [RunRow];
    expect(await take(context.store, queue, NOW + 11)).toEqual([]);
    await apply(context.store, waiting, { type: "woken" }, {}, NOW + 12);
    expect(await take(context.store, queue, NOW + 13)).toEqual([]);
    await apply(context.store, second, { type: "yielded", token: tokenOf(second), key: "y", dueAt: null }, {}, NOW + 14);
    const seen = new Set<string>();
    for (let now = NOW + 15; seen.size < 2; now++) {
      const [run] = (await take(context.store, queue, now)) as [RunRow];
      seen.add(run.id);
      await apply(context.store, run, { ...ok, token: tokenOf(run) }, {}, now);
    }
    expect([...seen].sort()).toEqual(ids([first, second]));
  });

  it("cancels a run that waits for a slot, and gives its turn to the next", async () => {
    const queue = unique("app");
    const runs = (await store(
      context.store,
      queue,
      [0, 1, 2].map(() => flowAt({ [queue]: 1 })),
    )) as [RunRow, RunRow, RunRow];
    await apply(context.store, runs[1], { type: "canceled" });
    const [first] = (await take(context.store, queue)) as [RunRow];
    expect(first.id).toBe(runs[0].id);
    await apply(context.store, first, { type: "canceled" });
    expect(ids(await take(context.store, queue, NOW + 1))).toEqual([runs[2].id]);
  });

  it("cancels a run that was invited, and invites the next instead", async () => {
    const queue = unique("app");
    const runs = (await store(
      context.store,
      queue,
      [0, 1].map(() => flowAt({ [queue]: 1 })),
    )) as [RunRow, RunRow];
    await apply(context.store, runs[0], { type: "canceled" });
    expect(ids(await take(context.store, queue))).toEqual([runs[1].id]);
  });

  it("an execution whose lease expired keeps its slot until it is claimed again, and needs no second one", async () => {
    const queue = unique("app");
    const runs = await store(
      context.store,
      queue,
      [0, 1].map(() => flowAt({ [queue]: 1 })),
    );
    await take(context.store, queue);
    expect(await take(context.store, queue, NOW + 14_000)).toEqual([]);
    const [again] = (await take(context.other, queue, LATER)) as [RunRow];
    expect(again).toMatchObject({ id: runs[0]?.id, executions: 2, losses: 1 });
    await apply(context.store, again, { type: "lost", token: tokenOf(again), progressed: false }, {}, LATER);
    expect(ids(await take(context.store, queue, LATER))).toEqual([runs[1]?.id]);
  });

  it("takes slots at all gates or at none", async () => {
    const queue = unique("app");
    const [wide, narrow] = [`${queue} a`, `${queue} b`];
    const both = flowAt({ [wide]: 2, [narrow]: 1 });
    const runs = await store(context.store, queue, [both, both, flowAt({ [wide]: 2 }), flowAt({ [narrow]: 1 })]);
    // The second was asked in for the wide gate and is turned away at the narrow one; the third is asked in instead.
    const first = [...(await take(context.store, queue)), ...(await take(context.store, queue))];
    expect(ids(first)).toEqual(ids([runs[0] as RunRow, runs[2] as RunRow]));
    const [holder] = first.filter(({ id }) => id === runs[0]?.id) as [RunRow];
    await apply(context.store, holder, { ...ok, token: tokenOf(holder) });
    expect(ids(await take(context.store, queue, NOW + 1))).toEqual([runs[1]?.id]);
    const [other] = first.filter(({ id }) => id === runs[2]?.id) as [RunRow];
    await apply(context.store, other, { ...ok, token: tokenOf(other) });
    expect(await take(context.store, queue, NOW + 2)).toEqual([]);
  });

  it("an app that is away keeps nobody from the slots of a shared gate", async () => {
    const [away, here] = [unique("app"), unique("app")];
    const shared = flowAt({ [away]: 1 });
    await store(context.store, away, [shared, shared]);
    const [run] = await store(context.store, here, [shared]);
    expect(ids(await take(context.store, here))).toEqual([run?.id]);
    const [held] = [await context.store.run(null, run?.id ?? "")] as [RunRow];
    expect(await take(context.store, away, NOW + 1)).toEqual([]);
    await apply(context.store, held, { ...ok, token: tokenOf(held) });
    expect(await take(context.store, away, NOW + 2)).toHaveLength(1);
  });

  it("parks nothing twice: a repeated intake, and one whose event was there before", async () => {
    const queue = unique("app");
    const event = sampleEvent();
    const run = sampleRun(event, { appId: queue, flow: flowAt({ [queue]: 1 }) });
    const item: Intake = sampleIntake(event, [run]);
    expect(await context.store.intake(item)).toEqual({ type: "stored" });
    expect(await context.store.intake(item)).toEqual({ type: "stored" });
    const second = sampleEvent({ id: event.id });
    const copy = sampleRun(second, { appId: queue, flow: run.flow as Flow });
    expect(await context.store.intake(sampleIntake(second, [copy]))).toMatchObject({ type: "duplicate" });
    const [only] = (await take(context.store, queue)) as [RunRow];
    expect(only.id).toBe(run.id);
    expect(await context.store.intake(item)).toEqual({ type: "stored" });
    await apply(context.store, only, { ...ok, token: tokenOf(only) });
    expect(await context.store.intake(item)).toEqual({ type: "stored" });
    expect(await claim(context.store, [queue], { now: LATER })).toEqual({ items: [], changes: [], nextDueAt: null });
  });

  it("a change that comes too late frees nothing", async () => {
    const queue = unique("app");
    await store(
      context.store,
      queue,
      [0, 1].map(() => flowAt({ [queue]: 1 })),
    );
    const [first] = (await take(context.store, queue)) as [RunRow];
    const stale = { ...first, revision: first.revision - 1 };
    await expect(apply(context.store, stale, { ...ok, token: tokenOf(first) })).rejects.toThrow("was not applied");
    expect(await take(context.store, queue, NOW + 1)).toEqual([]);
  });
}

export function limits(context: Context): void {
  it("a limit that is lowered or raised counts from the next admission on", async () => {
    const queue = unique("app");
    const { store: one } = context;
    await store(
      one,
      queue,
      Array.from({ length: 9 }, () => flowAt({ [queue]: 3 })),
    );
    const three = await take(one, queue);
    expect(three).toHaveLength(3);
    const set = (limit: number, now: number) => one.catalog.saveLimits([{ rule: queue, limit }], now);
    expect(await set(2, NOW)).toEqual([]);
    for (const [i, run] of three.entries()) {
      await apply(one, run, { ...ok, token: tokenOf(run) });
      expect(await take(one, queue, NOW + 1 + i)).toHaveLength(i === 0 ? 0 : 1);
    }
    expect(await set(5, NOW + 10)).toEqual([queue]);
    expect(await take(one, queue, NOW + 10)).toHaveLength(3);
    expect(await set(5, NOW + 11)).toEqual([]);
    expect(await take(one, queue, NOW + 12)).toEqual([]);
  });

  it("a limit set before counts for the first run already", async () => {
    const queue = unique("app");
    await context.store.catalog.saveLimits([{ rule: queue, limit: 1 }], NOW);
    await store(
      context.store,
      queue,
      [0, 1, 2].map(() => flowAt({ [queue]: 3 })),
    );
    expect(await take(context.store, queue)).toHaveLength(1);
  });
}

/** Sixty-four claimers on two servers; some end what they claimed, others vanish, so that its lease expires. */
export function crowds(context: Context): void {
  it.each([1, 2, 3, 5])(
    "never lets more than %i execute, whoever claims and whoever vanishes, and leaks no slot",
    async (limit) => {
      const queue = unique("app");
      const shared = unique("group");
      const flow = flowAt({ [queue]: limit, [shared]: limit + 1 });
      const runs = await store(
        context.store,
        queue,
        Array.from({ length: 48 }, () => flow),
      );
      const elsewhere = unique("app");
      const neighbours = await store(
        context.store,
        elsewhere,
        Array.from({ length: 16 }, () => flowAt({ [shared]: limit + 1 })),
      );
      const scene = { now: NOW, holding: new Map<string, RunRow>(), done: new Set<string>(), most: 0, mostShared: 0 };
      const own = new Set(ids(runs));
      const round = async (i: number): Promise<void> => {
        const on = i % 2 ? context.store : context.other;
        const now = scene.now;
        const found = claimed(await claim(on, [queue, elsewhere], { limit: 3, now, until: now + 15_000, owner: `srv_${i}` }));
        for (const run of found) scene.holding.set(run.id, run);
        const held = [...scene.holding.keys()];
        scene.most = Math.max(scene.most, held.filter((id) => own.has(id)).length);
        scene.mostShared = Math.max(scene.mostShared, held.length);
        if (i % 5 === 0) return;
        for (const run of found) {
          scene.holding.delete(run.id);
          const ended = await apply(on, run, { ...ok, token: tokenOf(run) }, {}, now).then(
            () => true,
            () => false,
          );
          if (ended) scene.done.add(run.id);
        }
      };
      for (let rounds = 0; scene.done.size < runs.length + neighbours.length && rounds < 200; rounds++) {
        await Promise.all(Array.from({ length: 64 }, (_, i) => round(i + rounds)));
        scene.now += 15_000;
      }
      expect(scene.done.size).toBe(runs.length + neighbours.length);
      expect(scene.most).toBeLessThanOrEqual(limit);
      expect(scene.mostShared).toBeLessThanOrEqual(limit + 1);
      const fresh = await store(
        context.store,
        queue,
        Array.from({ length: limit + 1 }, () => flow),
        scene.now,
      );
      expect(await take(context.store, queue, scene.now)).toHaveLength(limit);
      expect(fresh).toHaveLength(limit + 1);
    },
  );
}
