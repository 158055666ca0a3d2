import type { Flow } from "@holdfast/engine";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apply, claim, executing, NOW, sampleEvent, sampleIntake, sampleRun, unique } from "../samples.conformance.ts";
import type { RunRow } from "../store.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import type { PostgresStore } from "./postgres-store.ts";
import { statementOfWeek } from "./statements.ts";
import { weekAt } from "./weeks.ts";

const HOUR = 3_600_000;

let database: TestDatabase;
let postgres: PostgresStore & { connection: Awaited<ReturnType<TestDatabase["fresh"]>> };
beforeAll(async () => {
  database = await startTestDatabase();
  postgres = await database.store();
});
afterAll(() => database?.stop());

function flowAt(gate: string, limit = 1): Flow {
  return { gates: [{ id: gate, rule: gate, limit }], priority: 0 };
}

/** Runs of a queue at a gate of the same name. */
async function stored(queue: string, count: number): Promise<RunRow[]> {
  const event = sampleEvent();
  const runs = Array.from({ length: count }, () => sampleRun(event, { appId: queue, flow: flowAt(queue) }));
  await postgres.store.intake(sampleIntake(event, runs));
  return runs;
}

async function parkMany(queue: string, count: number): Promise<void> {
  await run(
    postgres.connection,
    "insert into parked (run_id, gate, queue, priority, turn, invited) select 'run_' || $1 || i, $1, $1, 0, 1, false from generate_series(1, $2::int) i",
    [queue, count],
  );
}

interface Node {
  "Actual Rows": number;
  "Actual Loops": number;
  Plans?: Node[];
}
function rowsOf({ Plans = [], ...node }: Node): number {
  return node["Actual Rows"] * node["Actual Loops"] + Plans.reduce((sum, one) => sum + rowsOf(one), 0);
}

describe("a claim", () => {
  it("touches a handful of rows with 20,000 runs waiting, as with 20", async () => {
    const client = new pg.Client(postgres.connection);
    await client.connect();
    await client.query(
      "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set enable_bitmapscan = off",
    );
    /** Rows that the nodes of the plan gave, all added up. */
    const touched = async (name: string, values: unknown[]): Promise<number> => {
      const { text } = statementOfWeek(name, weekAt(NOW));
      await client.query("begin");
      const { rows } = await client.query(`explain (analyze, format json) ${text}`, values);
      await client.query("rollback");
      return rowsOf(rows[0]["QUERY PLAN"][0].Plan);
    };
    const costs: Record<string, number>[] = [];
    for (const waiting of [20, 20_000]) {
      const queue = unique("app");
      await stored(queue, 3);
      await parkMany(queue, waiting);
      await run(postgres.connection, "analyze");
      const asked = JSON.stringify([{ queue, max: 100 }]);
      const gate = JSON.stringify([{ id: queue, rule: queue, capacity: 1 }]);
      expect((await claim(postgres.store, [queue])).items).toHaveLength(1);
      const held = {
        "claim-work": await touched("claim-work", [asked, NOW]),
        "next-due": await touched("next-due", [asked, NOW]),
      };
      const locked = { "lock-gates": await touched("lock-gates", [gate, NOW]), full: await touched("invite", [[queue], NOW]) };
      await run(postgres.connection, "update gates set used = 0 where id = $1", [queue]);
      costs.push({ ...held, ...locked, open: await touched("invite", [[queue], NOW]) });
    }
    await client.end();
    expect(costs[0]?.open).toBeGreaterThan(0);
    // Not the very same: the plans may differ by a row or two.
    for (const cost of costs) expect(Math.max(...Object.values(cost))).toBeLessThan(40);
  });

  it("of runs without gates asks nothing of them, nor does the end of such a run", async () => {
    const fresh = await database.store();
    const { run: mine, token } = await executing(fresh.store);
    await apply(fresh.store, mine, { type: "succeeded", token, output: null });
    const names = Object.keys(fresh.counters.statements);
    expect(names.some((name) => name.startsWith("change-run"))).toBe(true);
    for (const of of ["lock-work", "lock-gates", "take-slots", "park", "free-slots", "invite"])
      expect(names.filter((name) => name.startsWith(of))).toEqual([]);
  });

  it("cannot be given one slot too many, whoever asks", async () => {
    const queue = unique("app");
    await stored(queue, 2);
    await claim(postgres.store, [queue]);
    const more = run(postgres.connection, "update gates set used = used + 1 where id = $1", [queue]);
    await expect(more).rejects.toMatchObject({ code: "23514" });
  });
});

describe("tending gates", () => {
  beforeAll(async () => {
    postgres = await database.store();
  });

  it("finds parked work that nobody invited, at any gate, and nothing when all is well", async () => {
    const queues = [unique("app"), unique("app")].sort();
    const runs = (await Promise.all(queues.map((queue) => stored(queue, 2)))) as [RunRow[], RunRow[]];
    expect(await postgres.inviteForgotten(NOW)).toEqual([]);
    const all = runs.flat().map(({ id }) => id);
    await run(postgres.connection, "update parked set invited = false where run_id = any($1)", [all]);
    await run(postgres.connection, "delete from work where id = any($1)", [all]);
    expect((await claim(postgres.store, queues)).items).toEqual([]);
    expect((await postgres.inviteForgotten(NOW)).sort()).toEqual(queues);
    expect((await claim(postgres.store, queues)).items).toHaveLength(2);
  });

  it("forgets a gate that was idle for an hour, not one at which someone waits, and a limit that was set stays", async () => {
    const [idle, used] = [unique("app"), unique("app")];
    await postgres.store.catalog.saveLimits([{ rule: idle, limit: 2 }], NOW);
    const [one] = (await stored(idle, 1)) as [RunRow];
    await stored(used, 1);
    await apply(postgres.store, one, { type: "canceled" });
    const known = () => run(postgres.connection, "select id from gates where id = any($1) order by id", [[idle, used]]);
    await postgres.forgetIdleGates(NOW + HOUR - 1);
    expect(await known()).toHaveLength(2);
    await postgres.forgetIdleGates(NOW + 2 * HOUR);
    expect(await known()).toEqual([{ id: used }]);
    await stored(idle, 4);
    expect((await claim(postgres.store, [idle])).items).toHaveLength(2);
  });
});
