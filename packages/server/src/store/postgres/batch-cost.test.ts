// A batch costs what its items do: what the nodes of a statement's plan look at grows with the items, not with their square. Counted by PostgreSQL itself,
// from the very statements the store sends: each is explained right before it is sent, and what that did is rolled back.
import type { RunInput } from "@holdfast/engine";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  changeOf,
  claim,
  ENVIRONMENT,
  NOW,
  report,
  sampleDelivery,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  unique,
} from "../samples.conformance.ts";
import type { Claim, RunRow, TaskWrite } from "../store.ts";
import { startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import { weekOfRun } from "./groups.ts";
import { statementOfWeek } from "./statements.ts";

const FEW = 10;
const MANY = 80;

interface PlanNode {
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Join Filter"?: number;
  Plans?: PlanNode[];
}

/** What the types of `pg` leave out. */
type NamedClient = pg.Client & { connectionParameters: { application_name: string } };

let database: TestDatabase;
let postgres: Awaited<ReturnType<TestDatabase["store"]>>;
/** By statement: how many rows its nodes looked at, the time it was most. */
const looked = new Map<string, number>();

/** Rows given and thrown away by a node and those below it, and how often each was begun. */
function lookedAt({ Plans = [], ...node }: PlanNode): number {
  const each = node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  return node["Actual Loops"] * (each + 1) + Plans.reduce((sum, plan) => sum + lookedAt(plan), 0);
}

beforeAll(async () => {
  database = await startTestDatabase();
  postgres = await database.store();
  const query = pg.Client.prototype.query as (this: pg.Client, ...given: unknown[]) => Promise<pg.QueryResult>;
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(async function (this: NamedClient, ...given: unknown[]) {
    const { name = "", text = "", values } = given[0] as { name?: string; text?: string; values?: unknown[] };
    const [of = "", week] = name.split("@");
    // A claim sends its statements without waiting, in a transaction of its own.
    const apart = this.connectionParameters.application_name !== "holdfast claim";
    if ((week === undefined && of !== "intake") || !apart || !/insert|update/.test(text)) return query.apply(this, given);
    await query.call(this, "begin");
    const { rows } = await query.call(this, `explain (analyze, timing off, format json) ${text}`, values);
    await query.call(this, "rollback");
    looked.set(of, Math.max(looked.get(of) ?? 0, lookedAt(rows[0]["QUERY PLAN"][0].Plan)));
    return query.apply(this, given);
  } as never);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await database?.stop();
});

async function runsClaimed(count: number): Promise<Extract<Claim["items"][number], { kind: "run" }>[]> {
  const queue = unique("app");
  const intakes = Array.from({ length: count }, () => {
    const event = sampleEvent();
    return sampleIntake(event, [sampleRun(event, { appId: queue })]);
  });
  await Promise.all(intakes.map((intake) => postgres.store.intake(intake)));
  const { items } = await claim(postgres.store, [queue]);
  return items.filter((item) => item.kind === "run");
}

async function change(run: RunRow, input: RunInput, tasks: TaskWrite[] = []): Promise<RunRow> {
  const made = changeOf(run, input, { token: "token" in input ? input.token : "", owner: "srv_1", until: NOW + 9_000 }, NOW + 10);
  if (!made || !(await postgres.store.changeRun({ ...made, tasks }))) throw new Error(`${input.type} was not applied`);
  return { ...run, ...made.after, revision: run.revision + 1, updatedAt: made.at };
}

/** What one batch of so many items makes each of the statements look at. */
async function costOf(count: number): Promise<Record<string, number>> {
  looked.clear();
  const requests = Array.from({ length: count }, () => sampleDelivery({ verdict: "pending" }));
  const held = (id: string) => ({ id, kind: "delivery" as const, queue: "q", dueAt: NOW, token: `t ${id}`, owner: "srv_1" });
  await Promise.all(
    requests.map((delivery) => postgres.store.intake({ delivery, event: null, runs: [], work: [held(delivery.id)], done: null })),
  );
  await Promise.all(
    requests.map((delivery) => {
      const event = sampleEvent({ deliveryId: delivery.id });
      const verified = { ...delivery, verdict: "verified" as const, eventRowId: event.rowId };
      const done = { id: delivery.id, token: `t ${delivery.id}` };
      return postgres.store.intake({ ...sampleIntake(event, [sampleRun(event)]), delivery: verified, done });
    }),
  );
  const first = requests.map(() => sampleEvent({ deliveredAt: null, deliverAt: NOW }));
  for (const events of [first, first.map(({ id }) => sampleEvent({ id }))]) {
    const delayed = (rowId: string) => ({ id: rowId, kind: "event" as const, queue: "q", dueAt: NOW });
    await Promise.all(
      events.map((event) =>
        postgres.store.intake({ ...sampleIntake(event, []), work: event.deliverAt === null ? [] : [delayed(event.rowId)] }),
      ),
    );
  }
  const claimed = await runsClaimed(count);
  await Promise.all(claimed.map(({ run, token }) => postgres.store.recordTask(report(sampleTask(run.id), token))));
  await Promise.all(claimed.map(({ run }) => postgres.store.recordTask(report(sampleTask(run.id), null))));
  const opened = claimed.map(({ run }) => sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null }));
  for (let again = 0; again < 2; again++) await Promise.all(opened.map((task) => postgres.store.openTask(ENVIRONMENT, task)));
  const asleep = await Promise.all(
    claimed.map(({ run, token }) => {
      const sleeps = sampleTask(run.id, { status: "WAITING", completedAt: null, delayUntil: NOW + 5, outputText: null });
      return change(run, { type: "suspended", token, dueAt: NOW + 5 }, [report(sleeps, token)]);
    }),
  );
  const suspending = looked.get("change-run") ?? Number.NaN;
  looked.delete("change-run");
  const awake = await Promise.all(asleep.map((run) => change(run, { type: "claimed", token: `wakes ${run.id}` })));
  await Promise.all(awake.map((run) => change(run, { type: "succeeded", token: `wakes ${run.id}`, output: null })));
  return { ...Object.fromEntries(looked), "change-run that suspends": suspending };
}

describe("the cost of a batch", () => {
  it("grows with its items, not with their square", async () => {
    await costOf(FEW);
    const [few, many] = [await costOf(FEW), await costOf(MANY)];
    const intakes = ["intake", "intake-request", "intake-event", "intake-verified"];
    const reports = ["record-task", "record-unfenced-task", "open-task"];
    expect(Object.keys(many).sort()).toEqual(
      [...intakes, ...reports, "change-run", "change-run that suspends", "end-run"].sort(),
    );
    const times = Object.entries(many).map(([name, cost]) => [name, cost / MANY / ((few[name] ?? 0) / FEW)] as const);
    expect(times.filter(([, growth]) => growth >= 1.1)).toEqual([]);
  });
});

it("changes look for the tasks of their runs, though statistics say that hardly any is open", async () => {
  const [claimed] = await runsClaimed(1);
  if (!claimed) throw new Error("no run was claimed");
  const steps = Array.from({ length: 2_000 }, () => postgres.store.recordTask(report(sampleTask(claimed.run.id), claimed.token)));
  await Promise.all(steps);
  const client = new pg.Client(postgres.connection);
  await client.connect();
  await client.query("analyze; set plan_cache_mode = force_generic_plan; set enable_seqscan = off");
  await client.query("set enable_hashjoin = off; set enable_mergejoin = off; set enable_bitmapscan = off");
  for (const [name, values] of Object.entries({ "change-run": "'[]', '[]'", "end-run": "'[]'" })) {
    const types = name === "end-run" ? "json" : "json, json";
    await client.query(`prepare "${name}" (${types}) as ${statementOfWeek(name, weekOfRun(claimed.run.id)).text}`);
    const { rows } = await client.query<{ "QUERY PLAN": string }>(`explain execute "${name}" (${values})`);
    const lines = rows.map((row) => row["QUERY PLAN"]);
    const scans = lines.flatMap((line, i) => (/Scan using tasks_/.test(line) ? [lines[i + 1] ?? ""] : []));
    expect(scans.length, name).toBeGreaterThan(0);
    for (const next of scans) expect(next).toMatch(/Index Cond: .*run_id = /);
  }
  await client.end();
});
