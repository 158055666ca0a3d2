// Doors in PostgreSQL: what asking there costs, what the tables refuse whoever asks, what is forgotten, and that other intakes pay nothing.
import type { Door } from "@holdfast/engine";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NOW, sampleEvent, sampleIntake, sampleRun, unique } from "../samples.conformance.ts";
import type { IntakeResult } from "../store.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import type { PostgresStore } from "./postgres-store.ts";
import { statement } from "./statements.ts";

const DAY = 86_400_000;

let database: TestDatabase;
let postgres: PostgresStore & { connection: Awaited<ReturnType<TestDatabase["fresh"]>> };
beforeAll(async () => {
  database = await startTestDatabase();
  postgres = await database.store();
});
afterAll(() => database?.stop());

async function ask(door: Door, at = NOW): Promise<{ event: string; result: IntakeResult }> {
  const event = sampleEvent();
  const asking = { ...sampleRun(event, { appId: unique("app"), createdAt: at, updatedAt: at }), door };
  return { event: event.rowId, result: await postgres.store.intake(sampleIntake(event, [asking])) };
}

async function count(table: string, where: string, value: unknown): Promise<number> {
  const [row] = (await run(postgres.connection, `select count(*)::integer as n from ${table} where ${where}`, [value])) as {
    n: number;
  }[];
  return row?.n ?? -1;
}

interface Node {
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Node[];
}
function rowsOf({ Plans = [], ...node }: Node): number {
  const seen = (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"];
  return seen + Plans.reduce((sum, one) => sum + rowsOf(one), 0);
}

it("touches a handful of rows with 20,000 starts that count, as with 20", async () => {
  const client = new pg.Client(postgres.connection);
  await client.connect();
  await client.query(
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off",
  );
  const touched = async (name: string, value: unknown): Promise<number> => {
    await client.query("begin");
    const { rows } = await client.query(`explain (analyze, format json) ${statement(name).text}`, [value]);
    await client.query("rollback");
    return rowsOf(rows[0]["QUERY PLAN"][0].Plan);
  };
  for (const most of [20, 20_000]) {
    const door: Door = { kind: "rate", id: unique("door"), limit: most, period: DAY };
    await ask(door);
    const more = "insert into starts (door, n, at, opens_at) select $1, i, $2::bigint, 0 from generate_series(1, $3::int - 1) i";
    await run(postgres.connection, more, [door.id, NOW, most]);
    await run(postgres.connection, "update doors set starts = $2 where id = $1", [door.id, most]);
    await run(postgres.connection, "analyze");
    expect((await ask(door, NOW + 5)).result).toMatchObject({ absent: [expect.anything()] });
    const start = { door: door.id, n: most, at: NOW + 2 * DAY, most, period: DAY };
    const asking = { door: door.id, most, asking: 3 };
    const costs = {
      lock: await touched("lock-doors", [door.id]),
      times: await touched("door-times", JSON.stringify([asking])),
      waiting: await touched("put-off", [door.id]),
      start: await touched("add-starts", JSON.stringify([start])),
      known: await touched("known-outcomes", JSON.stringify([{ event: "evt_1", job: "j" }])),
    };
    for (const cost of Object.values(costs)) expect(cost).toBeLessThan(40);
  }
  await client.end();
});

it("cannot let one run too many start, nor one twice, whoever writes", async () => {
  const door: Door = { kind: "rate", id: unique("door"), limit: 1, period: 1000 };
  expect((await ask(door)).result).toEqual({ type: "stored" });
  const add = (n: number, at: number) =>
    run(postgres.connection, statement("add-starts").text, [JSON.stringify([{ door: door.id, n, at, most: 1, period: 1000 }])]);
  await expect(add(1, NOW + 999)).rejects.toThrow("starts_check");
  await expect(add(0, NOW + 5000)).rejects.toThrow("starts_pkey");
  await add(1, NOW + 1000);
  expect(await count("starts", "door = $1", door.id)).toBe(1);
});

it("of jobs without them asks nothing", async () => {
  const fresh = await database.store();
  const event = sampleEvent();
  await fresh.store.intake(sampleIntake(event, [sampleRun(event, { appId: unique("app") })]));
  const names = Object.keys(fresh.counters.statements);
  expect(names.some((name) => name.startsWith("intake-event"))).toBe(true);
  expect(names.filter((name) => /door|skip|put-off|known|starts/.test(name))).toEqual([]);
});

it("forgets doors once nothing of them counts, and skips with their events", async () => {
  const rate: Door = { kind: "rate", id: unique("door"), limit: 1, period: 1000 };
  const late: Door = { kind: "debounce", id: unique("door"), period: 2 * DAY, timeout: null };
  await ask(rate);
  const { event } = await ask(rate);
  await ask(late);
  const retention = { deliveries: 30 * DAY, events: 30 * DAY, runs: 30 * DAY, eventKeys: 30 * DAY };
  await postgres.dropExpired(NOW + 30_000, retention);
  expect(await count("doors", "id = $1", rate.id)).toBe(1);
  await postgres.dropExpired(NOW + DAY, retention);
  expect(await count("doors", "id = $1", rate.id)).toBe(0);
  expect(await count("starts", "door = $1", rate.id)).toBe(0);
  expect(await count("doors", "id = $1", late.id)).toBe(1);
  expect(await count("skips", "event_id = $1", event)).toBe(1);
  await postgres.dropExpired(NOW + 31 * DAY, retention);
  expect(await count("skips", "event_id = $1", event)).toBe(0);
});
