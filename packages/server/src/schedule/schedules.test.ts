// Room: schedule, tested on the memory store with a clock of its own: several servers, ticks that were missed, and schedules that changed.
import { beforeEach, expect, it } from "vitest";
import type { FirstClaims } from "../dispatch/first-claim.ts";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import { Events } from "../dispatch/send.ts";
import { realWorld, type World } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { eventQueue } from "../store/queues.ts";
import { Registrations } from "./registrations.ts";
import { Schedules } from "./schedules.ts";

const ENVIRONMENT = "env_00000000000000000000000000";
const START = Date.parse("2026-01-01T08:30:00Z");

function scene() {
  let now = START;
  const world: World = { ...realWorld(), now: () => now };
  const { store, bus } = createMemoryStore();
  const registry = new Registry(store.catalog, world, bus);
  const first: FirstClaims = { of: (plan) => ({ ...plan, stored: () => {}, dropped: () => {} }) };
  const server = () => {
    const events = new Events({ world, registry, store, recent: new RecentEvents(), first });
    const needs = { world, registry, events, ticksIn: () => true };
    return new Schedules({ ...needs, registrations: new Registrations({ ...needs, schedules: store.schedules }) });
  };
  const register = (cron: string, enabled = true) => {
    const event = { name: "trigger.scheduled", title: "Cron", source: "trigger.dev", icon: "clock" };
    const trigger = { type: "scheduled" as const, schedule: { type: "cron" as const, options: { cron } } };
    const rest = { enabled, internal: false, integrations: {}, startPosition: "latest", preprocessRuns: false };
    const jobs = [{ id: "nightly", name: "Nightly", version: "1.0.0", event, trigger, ...rest }];
    const index = { jobs, sources: [], dynamicTriggers: [], dynamicSchedules: [] };
    const app = { environmentId: ENVIRONMENT, slug: "shop", transport: "connect" as const, url: null, sdk: null };
    return registry.saveIndex({ ...app, index });
  };
  /** Delivers what is due, by turns with each server; the payloads of the ticks that started a run. */
  const due = async (...servers: Schedules[]): Promise<unknown[]> => {
    const queues = [{ queue: eventQueue(ENVIRONMENT), limit: 10 }];
    const claim = { queues, now, leaseUntil: now + 1_000, owner: "srv", newToken: (id: string) => `exe.${id}` };
    const { items } = await store.claim(claim, () => null);
    const started: unknown[] = [];
    for (const item of items) {
      if (item.kind !== "event") throw new Error("Not a tick.");
      for (const each of servers) await each.deliver(item.event, item.token);
      const runs = await store.runsOfEvent(item.event.rowId);
      if (runs.length > 1) throw new Error("A tick has two runs.");
      if (runs.length === 1) started.push(JSON.parse(item.event.payloadText));
    }
    return started;
  };
  const goTo = (time: string) => {
    now = Date.parse(time);
  };
  return { store, registry, server, register, due, goTo };
}

let made: ReturnType<typeof scene>;
beforeEach(async () => {
  made = scene();
  await made.store.catalog.saveEnvironment({
    id: ENVIRONMENT,
    slug: "prod",
    type: "PRODUCTION",
    secretKeyHash: "h",
    secretKeySealed: "s",
    publicKey: "pk",
    createdAt: START,
  } as Parameters<typeof made.store.catalog.saveEnvironment>[0]);
});

it("has one run a tick with several servers, each tick naming the one before", async () => {
  const servers = [made.server(), made.server(), made.server()];
  await made.register("0 * * * *");
  for (const each of servers) await each.ensure();
  made.goTo("2026-01-01T08:59:59.999Z");
  expect(await made.due(...servers)).toEqual([]);
  made.goTo("2026-01-01T09:00:00Z");
  expect(await made.due(...servers)).toEqual([{ ts: "2026-01-01T09:00:00.000Z" }]);
  for (const each of servers) await each.ensure();
  made.goTo("2026-01-01T10:00:00Z");
  const second = { ts: "2026-01-01T10:00:00.000Z", lastTimestamp: "2026-01-01T09:00:00.000Z" };
  expect(await made.due(...servers)).toEqual([second]);
});

it("makes up for ticks missed while no server ran with one late run, and goes on in the future", async () => {
  await made.register("0 * * * *");
  await made.server().ensure();
  made.goTo("2026-01-03T12:10:00Z");
  const restarted = made.server();
  await restarted.ensure();
  expect(await made.due(restarted)).toEqual([{ ts: "2026-01-01T09:00:00.000Z" }]);
  expect(await made.due(restarted)).toEqual([]);
  made.goTo("2026-01-03T13:00:00Z");
  expect(await made.due(restarted)).toHaveLength(1);
});

it("starts nothing by a tick of a schedule that was changed or switched off meanwhile, and goes on when it is back", async () => {
  const server = made.server();
  await made.register("0 * * * *");
  await server.ensure();
  await made.register("30 * * * *");
  await server.ensure();
  made.goTo("2026-01-01T09:00:00Z");
  expect(await made.due(server)).toEqual([]);
  made.goTo("2026-01-01T09:30:00Z");
  expect(await made.due(server)).toEqual([{ ts: "2026-01-01T09:30:00.000Z" }]);
  await made.register("30 * * * *", false);
  await server.ensure();
  made.goTo("2026-01-01T10:30:00Z");
  expect(await made.due(server)).toEqual([]);
  await made.register("30 * * * *");
  await server.ensure();
  made.goTo("2026-01-01T11:30:00Z");
  expect(await made.due(server)).toEqual([{ ts: "2026-01-01T11:30:00.000Z" }]);
});

it("refuses a schedule that cannot be used when its app registers", async () => {
  await expect(made.register("every day")).rejects.toThrow(/schedule of job "nightly".*no cron expression/);
});
