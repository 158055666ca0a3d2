// Room: schedule, tested on the memory store with a clock of its own: schedules registered at run time, their phases, changes of them, lost ticks, and several servers.
import type { Schedule } from "@holdfast/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { FirstClaims } from "../dispatch/first-claim.ts";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import { Events } from "../dispatch/send.ts";
import { realWorld, type World } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { eventQueue } from "../store/queues.ts";
import type { EnvironmentRow, EventRow } from "../store/store.ts";
import { Registrations } from "./registrations.ts";
import { Schedules } from "./schedules.ts";

const ENVIRONMENT = "env_00000000000000000000000000";
const START = Date.parse("2026-01-01T08:30:10Z");
const named = { clientId: "shop", scheduleId: "users", key: "user 1" };
const hourly: Schedule = { type: "cron", options: { cron: "0 * * * *" } };
const every = (seconds: number): Schedule => ({ type: "interval", options: { seconds } });
const given = (schedule: Schedule, metadataText: string | null = null) => ({ schedule, accountId: null, metadataText });

function index() {
  const event = { name: "trigger.scheduled", title: "Dynamic Schedule", source: "trigger.dev", icon: "schedule-dynamic" };
  const rest = { enabled: true, internal: false, integrations: {}, startPosition: "latest", preprocessRuns: false, event };
  const job = (id: string, schedule: string) =>
    ({ ...rest, id, name: id, version: "1.0.0", trigger: { type: "dynamic", id: schedule } }) as const;
  const jobs = [job("greet", "users"), job("count", "users"), job("other", "orders")];
  const dynamicSchedules = ["users", "orders", "unused"].map((id) => ({ id, jobs: [] }));
  return { jobs, sources: [], dynamicTriggers: [], dynamicSchedules };
}

async function scene(type: EnvironmentRow["type"], ticks = true) {
  let now = START;
  const world: World = { ...realWorld(), now: () => now };
  const { store, bus } = createMemoryStore();
  const registry = new Registry(store.catalog, world, bus);
  const first: FirstClaims = { of: (plan) => ({ ...plan, stored: () => {}, dropped: () => {} }) };
  const server = () => {
    const events = new Events({ world, registry, store, recent: new RecentEvents(), first });
    const needs = { world, registry, events, ticksIn: () => ticks };
    const registrations = new Registrations({ ...needs, schedules: store.schedules });
    return { registrations, schedules: new Schedules({ ...needs, registrations }) };
  };
  const row = { id: ENVIRONMENT, slug: "e", type, secretKeyHash: "h", secretKeySealed: "s", secretKeyPreview: "p" };
  await store.catalog.saveEnvironment({ ...row, publicKey: "pk", createdAt: START });
  const app = { environmentId: ENVIRONMENT, slug: "shop", transport: "connect" as const, url: null, sdk: null };
  await registry.saveIndex({ ...app, index: index() });
  const claimed = async () => {
    const request = { queues: [{ queue: eventQueue(ENVIRONMENT), limit: 20 }], now, leaseUntil: now + 1_000, owner: "srv" };
    const { items } = await store.claim({ ...request, newToken: (id) => `exe.${id}` }, () => null);
    return items.map((item) => {
      if (item.kind !== "event") throw new Error("Not a tick.");
      return { tick: item.event, token: item.token };
    });
  };
  /** Delivers what is due, by turns with each server: the jobs each tick started, and what they are told. */
  const due = async (...servers: ReturnType<typeof server>[]) => {
    const started: { jobs: string[]; payload: unknown; source: unknown; event: EventRow }[] = [];
    for (const { tick, token } of await claimed()) {
      for (const each of servers) await each.schedules.deliver(tick, token);
      const jobs = (await store.runsOfEvent(tick.rowId)).map(({ jobId }) => jobId).sort();
      const event = (await store.event(null, { rowId: tick.rowId })) as EventRow;
      if (jobs.length > 0)
        started.push({ jobs, payload: JSON.parse(event.payloadText), source: JSON.parse(event.sourceText ?? "0"), event });
    }
    return started;
  };
  const at = (time: string) => {
    now = Date.parse(`2026-01-01T${time}Z`);
  };
  return { store, server, due, at, claimed };
}

describe("a registered schedule", () => {
  let made: Awaited<ReturnType<typeof scene>>;
  let one: ReturnType<(typeof made)["server"]>;
  const register = (schedule: Schedule, metadataText?: string, key = "user 1") =>
    one.registrations.register(ENVIRONMENT, { ...named, key }, given(schedule, metadataText));
  const payloads = async (...servers: (typeof one)[]) => (await made.due(...servers)).map(({ payload }) => payload);
  beforeEach(async () => {
    made = await scene("PRODUCTION");
    one = made.server();
  });

  it("starts every job of its dynamic schedule once a tick, with three servers, and names key, metadata and account", async () => {
    const servers = [one, made.server(), made.server()];
    const row = { schedule: hourly, accountId: "acc", metadataText: '{"m":1}' };
    for (const { registrations } of servers) await registrations.register(ENVIRONMENT, named, row);
    made.at("08:59:59.999");
    expect(await made.due(...servers)).toEqual([]);
    made.at("09:00:00");
    const [tick, ...more] = await made.due(...servers);
    expect(more).toEqual([]);
    expect(tick).toMatchObject({ jobs: ["count", "greet"], payload: { ts: "2026-01-01T09:00:00.000Z" } });
    expect([tick?.source, tick?.event.accountId]).toEqual([{ id: "user 1", metadata: { m: 1 } }, "acc"]);
    for (const { schedules } of servers) await schedules.ensure();
    made.at("10:00:00");
    expect(await payloads(...servers)).toEqual([{ ts: "2026-01-01T10:00:00.000Z", lastTimestamp: "2026-01-01T09:00:00.000Z" }]);
  });

  it("ticks first one period after it was registered, and keeps its phase though it is registered again, or late", async () => {
    await register(every(60));
    made.at("08:31:09");
    expect(await made.due(one)).toEqual([]);
    await register(every(60));
    made.at("08:31:10");
    expect(await payloads(one)).toEqual([{ ts: "2026-01-01T08:31:10.000Z" }]);
    made.at("08:35:30");
    expect(await payloads(one)).toEqual([{ ts: "2026-01-01T08:32:10.000Z", lastTimestamp: "2026-01-01T08:31:10.000Z" }]);
    made.at("08:36:10");
    expect(await payloads(one)).toEqual([{ ts: "2026-01-01T08:36:10.000Z", lastTimestamp: "2026-01-01T08:32:10.000Z" }]);
    await register(every(30));
    made.at("08:36:39");
    expect(await made.due(one)).toEqual([]);
    made.at("08:36:40");
    expect(await payloads(one)).toEqual([{ ts: "2026-01-01T08:36:40.000Z" }]);
  });

  it("says what it was given last, without losing or repeating a tick", async () => {
    await register(hourly, "1");
    await register(hourly, "2");
    made.at("09:00:00");
    const [tick, ...more] = await made.due(one);
    expect([tick?.source, more]).toEqual([{ id: "user 1", metadata: 2 }, []]);
    made.at("10:00:00.050");
    await register(hourly, "3");
    made.at("10:00:00.200");
    expect((await made.due(one)).map(({ source, payload }) => [source, payload])).toEqual([
      [
        { id: "user 1", metadata: 3 },
        { ts: "2026-01-01T10:00:00.000Z", lastTimestamp: "2026-01-01T09:00:00.000Z" },
      ],
    ]);
    await register(hourly, "4");
    made.at("11:00:00");
    expect((await made.due(one)).map(({ source }) => source)).toEqual([{ id: "user 1", metadata: 4 }]);
  });

  it("starts nothing any more once it is unregistered, or by a tick of other times; and begins anew", async () => {
    await register(every(60));
    expect(await one.registrations.unregister(ENVIRONMENT, named)).toBe(true);
    expect(await one.registrations.unregister(ENVIRONMENT, named)).toBe(false);
    made.at("08:31:10");
    expect(await made.due(one)).toEqual([]);
    await register(every(60));
    await register(every(120));
    made.at("08:32:10");
    expect(await made.due(one)).toEqual([]);
    const waiting = [...made.store.tables.work.values()];
    expect(
      waiting.map(({ dueAt }) => new Date(dueAt).toISOString()),
      "nothing is left of former ones",
    ).toEqual(["2026-01-01T08:33:10.000Z"]);
    made.at("08:33:10");
    expect(await payloads(one)).toEqual([{ ts: "2026-01-01T08:33:10.000Z" }]);
  });

  it("has a key of its own on each dynamic schedule, whatever the ids look like", async () => {
    await register(hourly, '"users"');
    await one.registrations.register(ENVIRONMENT, { ...named, scheduleId: "orders" }, given(hourly, '"orders"'));
    await one.registrations.register(ENVIRONMENT, { ...named, scheduleId: "unused" }, given(hourly));
    await register(hourly, '"another"', "user:2");
    made.at("09:00:00");
    const told = (await made.due(one)).map(({ jobs, source }) => [jobs, (source as { metadata: string }).metadata]);
    expect(told.sort((a, b) => String(a[1]).localeCompare(String(b[1])))).toEqual([
      [["count", "greet"], "another"],
      [["other"], "orders"],
      [["count", "greet"], "users"],
    ]);
  });

  it("gets its next tick though the one stored ahead got lost, or its registration was broken off", async () => {
    await register(hourly);
    const row = await one.registrations.register(ENVIRONMENT, { ...named, key: "broken off" }, given(hourly));
    await made.store.schedules.ticked({ ...row, lastAt: null, nextAt: 0 });
    made.at("09:00:00");
    for (const { tick } of await made.claimed()) await made.store.changeEvent(tick.rowId, { type: "cancel", at: 0 });
    made.at("09:01:01");
    await made.server().schedules.ensure();
    made.at("10:00:00");
    const told = await payloads(one);
    const ts = "2026-01-01T10:00:00.000Z";
    expect(told).toHaveLength(2);
    expect(told).toEqual(expect.arrayContaining([{ ts }, { ts, lastTimestamp: "2026-01-01T09:00:00.000Z" }]));
  });

  it("makes up for ticks missed while no server ran with one late run, which the next one names, whoever looked first", async () => {
    await register(hourly);
    made.at("12:10:00");
    const restarted = made.server();
    await restarted.schedules.ensure();
    expect(await payloads(restarted)).toEqual([{ ts: "2026-01-01T09:00:00.000Z" }]);
    expect(await payloads(restarted)).toEqual([]);
    made.at("13:00:00");
    const next = { ts: "2026-01-01T13:00:00.000Z", lastTimestamp: "2026-01-01T09:00:00.000Z" };
    expect(await payloads(restarted)).toEqual([next]);
  });

  it("is refused with what is wrong", async () => {
    const refused = (changed: object, schedule: Schedule = hourly) =>
      expect(one.registrations.register(ENVIRONMENT, { ...named, ...changed }, given(schedule))).rejects;
    await refused({}, every(19)).toMatchObject({ code: "UNPROCESSABLE", message: expect.stringContaining("from 20 to") });
    await refused({}, { type: "cron", options: { cron: "often" } }).toMatchObject({ code: "UNPROCESSABLE" });
    await refused({}, { type: "cron", options: {} }).toMatchObject({ code: "UNPROCESSABLE" });
    await refused({ scheduleId: "none" }).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining('"none"') });
    await refused({ clientId: "none" }).toMatchObject({ code: "NOT_FOUND" });
    await refused({ key: "x".repeat(2000) }).toMatchObject({ code: "BAD_REQUEST" });
    await expect(one.registrations.unregister("env_other", named)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

it("ticks nowhere that schedules are switched off, not even by a tick stored before, and goes on once they are on", async () => {
  const on = await scene("DEVELOPMENT");
  const server = on.server();
  await server.registrations.register(ENVIRONMENT, named, given(hourly));
  on.at("09:00:00");
  expect(await on.due(server)).toHaveLength(1);

  const off = await scene("DEVELOPMENT", false);
  const silent = off.server();
  const row = await silent.registrations.register(ENVIRONMENT, named, given(hourly));
  expect([silent.registrations.runs(ENVIRONMENT), row.nextAt]).toEqual([false, 0]);
  const source = `registered:${row.id}:1:${row.appId}:users`;
  off.at("10:00:00");
  await silent.schedules.ensure();
  expect(await off.claimed()).toEqual([]);
  const earlier = { rowId: "evt_earlier", environmentId: ENVIRONMENT, id: "earlier", name: "dev.trigger.scheduled", source };
  const tick = {
    ...earlier,
    payloadText: "{}",
    contextText: null,
    payloadType: "JSON" as const,
    timestamp: START,
    createdAt: START,
  };
  const event = {
    ...tick,
    deliverAt: START,
    deliveredAt: null,
    canceledAt: null,
    accountId: null,
    isTest: false,
    deliveryId: null,
  };
  const work = [{ id: event.rowId, kind: "event" as const, queue: eventQueue(ENVIRONMENT), dueAt: START }];
  await off.store.intake({ delivery: null, event, runs: [], work, done: null });
  expect(await off.due(silent)).toEqual([]);
  expect(await off.store.event(null, { rowId: event.rowId })).toMatchObject({
    canceledAt: expect.any(Number),
    deliveredAt: null,
  });
});
