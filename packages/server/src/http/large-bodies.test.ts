// Room: http. Large bodies take turns: what goes on at once, what waits, and what is refused.
import { beforeEach, expect, it } from "vitest";
import { LargeBodies } from "./large-bodies.ts";

const MB = 1024 * 1024;
let timers: { ms: number; fn: () => void }[];
let bodies: LargeBodies;
beforeEach(() => {
  timers = [];
  const after = (ms: number, fn: () => void) => {
    const timer = { ms, fn };
    timers.push(timer);
    return () => {
      timers = timers.filter((one) => one !== timer);
    };
  };
  bodies = new LargeBodies({ after });
});

/** A request that is done when it is told so. */
function request(mb: number) {
  const state = { began: false, outcome: "pending" };
  let done = () => {};
  const held = new Promise<void>((resolve) => {
    done = resolve;
  });
  const act = async () => {
    state.began = true;
    await held;
  };
  bodies.inTurn(mb * MB, act).then(
    () => Object.assign(state, { outcome: "done" }),
    ({ code }: { code: string }) => Object.assign(state, { outcome: code }),
  );
  return { state, done };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));
const began = (all: ReturnType<typeof request>[]) => all.filter(({ state }) => state.began).length;

it("lets 48 MB go on at once and the rest in their order; small ones pass", async () => {
  const all = Array.from({ length: 10 }, () => request(8));
  const small = request(0.1);
  await settle();
  expect([began(all), small.state.began]).toEqual([6, true]);
  all[0]?.done();
  await settle();
  expect([began(all), all[6]?.state.began]).toEqual([7, true]);
  for (const one of all) one.done();
  small.done();
  await settle();
  expect(all.every(({ state }) => state.outcome === "done")).toBe(true);
  expect(timers).toEqual([]);
});

it("refuses what finds 256 MB waiting, at once, and what has waited for eight seconds", async () => {
  const all = Array.from({ length: 46 }, () => request(8));
  await settle();
  const outcomes = () => all.map(({ state }) => state.outcome);
  expect(outcomes().filter((outcome) => outcome === "OVERLOADED")).toHaveLength(46 - 6 - 32);
  for (const { ms, fn } of [...timers]) if (ms === 8_000) fn();
  await settle();
  expect(outcomes().filter((outcome) => outcome === "OVERLOADED")).toHaveLength(40);
  for (const one of all) one.done();
  await settle();
  const later = request(8);
  await settle();
  expect(later.state.began).toBe(true);
});

it("a request that goes on for long makes room for others", async () => {
  const slow = Array.from({ length: 6 }, () => request(8));
  const next = request(8);
  await settle();
  expect(next.state.began).toBe(false);
  for (const { ms, fn } of [...timers]) if (ms === 5_000) fn();
  await settle();
  expect(next.state.began).toBe(true);
  for (const one of [...slow, next]) one.done();
  await settle();
  expect([...slow, next].map(({ state }) => state.outcome)).toEqual(Array(7).fill("done"));
});

it("one alone has its turn, however large", async () => {
  const one = request(60);
  await settle();
  expect(one.state.began).toBe(true);
});

it("reads what fits beside what is being read or waits, and refuses the rest unread; small ones pass", async () => {
  const read: string[] = [];
  let done = () => {};
  const held = new Promise<void>((resolve) => {
    done = resolve;
  });
  const reading = (name: string, mb: number) =>
    bodies
      .reading(mb * MB, async () => {
        read.push(name);
        await held;
      })
      .catch(({ code }: { code: string }) => code);
  const first = [reading("a", 60), reading("b", 60)];
  expect(await reading("c", 10)).toBe("OVERLOADED");
  const last = [reading("d", 8), reading("small", 0.1)];
  expect(read).toEqual(["a", "b", "d", "small"]);
  done();
  await Promise.all([...first, ...last]);
  await reading("e", 120);
  expect(read.at(-1)).toBe("e");
});

it("slow senders keep others out for five seconds", async () => {
  let done = () => {};
  const held = new Promise<void>((resolve) => {
    done = resolve;
  });
  const slow = bodies.reading(125 * MB, () => held);
  const refused = await bodies.reading(8 * MB, async () => "read").catch(({ code }: { code: string }) => code);
  for (const { ms, fn } of [...timers]) if (ms === 5_000) fn();
  expect([refused, await bodies.reading(8 * MB, async () => "read")]).toEqual(["OVERLOADED", "read"]);
  done();
  await slow;
  expect(await bodies.reading(120 * MB, async () => "read")).toBe("read");
});
