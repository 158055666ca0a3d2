// What a store must do with runs whose gates have a pace: so many starts in each period. Part of the conformance suite: called by store.conformance.ts.
import type { Flow } from "@holdfast/engine";
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import { claimed, ok, store, tokenOf } from "./gates.conformance.ts";
import { apply, claim, NOW, unique } from "./samples.conformance.ts";
import type { RunRow } from "./store.ts";

function pacedFlow(name: string, [limit, period, burst]: readonly [number, number, number], more: Flow["gates"] = []): Flow {
  const gate = JSON.stringify(["env", "throttle", name, period, burst]);
  return { gates: [...more, { id: gate, rule: gate, limit, pace: { period, burst } }], priority: 0 };
}
function several(count: number, flow: Flow): Flow[] {
  return Array.from({ length: count }, () => flow);
}

export function paces(context: Context): void {
  /** Claims whenever something is due, from NOW on, and answers after how many milliseconds each run started. */
  async function starts(queue: string, count: number, ends: (run: RunRow, now: number) => Promise<unknown>): Promise<number[]> {
    const seen: number[] = [];
    let now = NOW;
    for (let tries = 0; seen.length < count && tries < 100; tries++) {
      const claim = await claimAt(queue, now);
      for (const run of claimed(claim)) {
        seen.push(now - NOW);
        await ends(run, now);
      }
      if (!claim.invited) now = Math.max(now, claim.nextDueAt ?? now + 1);
    }
    return seen;
  }
  const claimAt = (queue: string, now: number) => claim(context.store, [queue], { now, until: now + 600_000 });
  const end = (run: RunRow, now: number) => apply(context.other, run, { ...ok, token: tokenOf(run) }, {}, now);

  it("starts runs one by one at their pace, the oldest first, and says when the next is due", async () => {
    const queue = unique("app");
    const runs = await store(context.store, queue, several(5, pacedFlow(queue, [5, 1000, 1])));
    const order: string[] = [];
    const times = await starts(queue, 5, async (run, now) => {
      order.push(run.id);
      await end(run, now);
    });
    expect(times).toEqual([0, 200, 400, 600, 800]);
    expect(order).toEqual(runs.map(({ id }) => id));
    expect(await claimAt(queue, NOW + 800)).toEqual({ items: [], changes: [], nextDueAt: null });
  });

  it("lets a burst start at once, and after a pause another; an app that was away catches up no faster", async () => {
    const queue = unique("app");
    await store(context.store, queue, several(6, pacedFlow(queue, [2, 1000, 3])));
    expect(await starts(queue, 6, end)).toEqual([0, 0, 0, 500, 1000, 1500]);
    await store(context.store, queue, several(5, pacedFlow(queue, [2, 1000, 3])), NOW + 100_000);
    const late = await claimAt(queue, NOW + 200_000);
    expect(claimed(late)).toHaveLength(3);
    for (const run of claimed(late)) await end(run, NOW + 200_000);
    expect(claimed(await claimAt(queue, NOW + 200_499))).toHaveLength(0);
  });

  it("counts a start once: a run that waits, or whose server died, goes on without", async () => {
    const queue = unique("app");
    await store(context.store, queue, several(2, pacedFlow(queue, [1, 10_000, 1])));
    const [first] = claimed(await claimAt(queue, NOW)) as [RunRow];
    await apply(context.store, first, { type: "suspended", token: tokenOf(first), dueAt: NOW + 50 });
    const [again] = claimed(await claimAt(queue, NOW + 50)) as [RunRow];
    expect(again).toMatchObject({ id: first.id, executions: 2 });
    const [lost] = claimed(await claimAt(queue, NOW + 700_000)) as [RunRow];
    expect(lost).toMatchObject({ id: first.id, losses: 1 });
  });

  it("a canceled run gives its turn to the next, and a limit of executions holds beside the pace", async () => {
    const queue = unique("app");
    const alone = { id: `a ${queue}`, rule: `a ${queue}`, limit: 1 };
    const runs = await store(context.store, queue, several(4, pacedFlow(queue, [10, 1000, 1], [alone])));
    await apply(context.store, runs[0] as RunRow, { type: "canceled" });
    let running: RunRow | undefined;
    const times = await starts(queue, 1, async (run) => {
      running = run;
    });
    expect(times).toHaveLength(1);
    expect(running?.id).toBe(runs[1]?.id);
    for (const now of [NOW + 100, NOW + 200]) expect(claimed(await claimAt(queue, now))).toEqual([]);
    await end(running as RunRow, NOW + 300);
    const rest: string[] = [];
    for (let now = NOW + 300; rest.length < 2 && now < NOW + 5000; now += 50)
      for (const run of claimed(await claimAt(queue, now))) {
        rest.push(run.id);
        await end(run, now);
      }
    expect(rest).toEqual(runs.slice(2).map(({ id }) => id));
  });

  it("never starts more than the pace allows, with many claimers", async () => {
    const queue = unique("app");
    await store(context.store, queue, several(30, pacedFlow(queue, [10, 1000, 2])));
    const seen: number[] = [];
    for (let now = NOW; seen.length < 30 && now < NOW + 3000; now += 37) {
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, i) => claim(i % 2 ? context.store : context.other, [queue], { now, until: now + 600_000 })),
      );
      seen.push(...claims.flatMap(claimed).map(() => now));
    }
    expect(seen.length).toBeGreaterThan(20);
    for (const from of seen) expect(seen.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(11);
  });
}
