// Room: worker. After the database stood still for longer than a lease, or the process did: what is being carried out is kept, and not claimed again by its own
// server, nor by another that is as late.
import { afterEach, beforeEach, expect, it } from "vitest";
import { LEASE_MS } from "../execute/lease.ts";
import { LocalBus } from "../store/local-bus.ts";
import type { Claimed, ClaimRequest, Store } from "../store/store.ts";
import { Worker, type WorkerNeeds } from "./worker.ts";

interface Timer {
  at: number;
  fn: () => void;
}
let now: number;
let timers: Timer[];
let asked: string[];
let begun: string[];
/** While set, nothing is answered until it resolves. */
let stall: Promise<void> | null;
let due: string[];
let worker: Worker;

/** Lets time pass; what falls due on the way happens then. */
async function pass(ms: number): Promise<void> {
  const end = now + ms;
  for (;;) {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
    if (!next) break;
    timers = timers.filter((one) => one !== next);
    now = Math.max(now, next.at);
    next.fn();
  }
  now = end;
}

beforeEach(() => {
  [now, timers, asked, begun, stall, due] = [1_000_000, [], [], [], null, []];
  const world = {
    now: () => now,
    after: (ms: number, fn: () => void) => {
      const timer = { at: now + ms, fn };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    log: { warn: () => {}, error: () => {} },
    newId: (kind: string) => kind,
    random: (bytes: number) => new Uint8Array(bytes),
  };
  const store = {
    claim: async ({ leaseUntil }: ClaimRequest) => {
      await stall;
      asked.push(`claim at ${now}`);
      const items = due.splice(0).map((token) => ({ kind: "run", token, run: { id: token } }) as unknown as Claimed);
      if (items.length > 0) asked.push(`leases end ${leaseUntil - now} ms from now`);
      return { items, changes: [], nextDueAt: null };
    },
    renew: async (tokens: string[], until: number) => {
      await stall;
      asked.push(`renew ${tokens.join()} until ${until - now} ms from now`);
      return new Set(tokens);
    },
  } as unknown as Store;
  const live = { all: () => [{ token: "held" }], size: 1, get: () => undefined, drop: () => {} };
  const executor = {
    live,
    room: () => 5,
    reserve: () => {},
    release: () => {},
    begin: (_run: unknown, token: string) => begun.push(token),
  };
  const registry = { environments: () => [], apps: () => [{ id: "app_1" }] };
  const apps = { reachable: () => false };
  const runs = { told: () => {}, claimed: () => null };
  worker = new Worker({
    world,
    store,
    bus: new LocalBus(),
    registry,
    executor,
    apps,
    runs,
    owner: "srv_1",
  } as unknown as WorkerNeeds);
  worker.start();
});
afterEach(() => {
  timers = [];
});

it("renews what it holds before it claims anything, and leaves the other servers time to do so", async () => {
  await pass(3_000);
  let resume = () => {};
  stall = new Promise((resolve) => {
    resume = resolve;
  });
  await pass(LEASE_MS + 5_000);
  asked = [];
  stall = null;
  const back = now;
  resume();
  await pass(5_000);
  const claims = asked.filter((one) => one.startsWith("claim at")).map((one) => Number(one.split(" ")[2]));
  const whole = asked.indexOf(`renew held until ${LEASE_MS} ms from now`);
  expect(whole).toBeGreaterThanOrEqual(0);
  // The one that was under way is answered first: by its own, late, time.
  const [underWay, ...later] = claims;
  expect(underWay).toBe(back);
  expect(whole).toBeLessThan(asked.indexOf(`claim at ${later[0]}`));
  expect(later[0]).toBeGreaterThanOrEqual(back + 2_000);
});

it("gives what a late claim brought a whole lease before it is begun", async () => {
  await pass(3_000);
  let resume = () => {};
  stall = new Promise((resolve) => {
    resume = resolve;
  });
  await pass(LEASE_MS + 5_000);
  due = ["late"];
  stall = null;
  resume();
  await pass(100);
  expect(asked).toContain(`renew late until ${LEASE_MS} ms from now`);
  expect(begun).toEqual(["late"]);
});

it("rests for nothing while claims are answered", async () => {
  await pass(60_000);
  expect(asked.filter((one) => one.startsWith("claim")).length).toBeGreaterThan(50);
});
