import type { RunStatus } from "@holdfast/protocol";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EmbeddedConnection } from "../../platform/postgres/embedded.ts";
import {
  changeOf,
  claim,
  ENVIRONMENT,
  executing,
  NOW,
  report,
  sampleDelivery,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  unique,
} from "../samples.conformance.ts";
import { storableTask } from "../storable.ts";
import type { BusMessage, RunRow, Store } from "../store.ts";
import { payloadsOf } from "./bus.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import { weekOfRun } from "./groups.ts";
import { TASK_COLUMNS, taskColumns } from "./rows.ts";
import { statementOfWeek } from "./statements.ts";
import { weekAt, weekName } from "./weeks.ts";

let database: TestDatabase;
let postgres: Awaited<ReturnType<TestDatabase["store"]>>;
beforeAll(async () => {
  database = await startTestDatabase();
  postgres = await database.store();
});
afterAll(() => database?.stop());

async function connected(connection: EmbeddedConnection): Promise<pg.Client> {
  const client = new pg.Client(connection);
  await client.connect();
  return client;
}

describe("group commit", () => {
  it("writes what arrives together in a few commits", async () => {
    const { store, counters } = postgres;
    const runs = await Promise.all(Array.from({ length: 20 }, () => executing(store)));
    const before = { ...counters.commits };
    const writes = runs.flatMap(({ run: { id }, token }) => Array.from({ length: 10 }, () => report(sampleTask(id), token)));
    const verdicts = await Promise.all(writes.map((write) => store.recordTask(write)));
    expect(new Set(verdicts)).toEqual(new Set(["recorded"]));
    expect((counters.commits["record-task"] ?? 0) - (before["record-task"] ?? 0)).toBe(1);
    expect(counters.items["record-task"]).toBeGreaterThanOrEqual(200);
  });

  it("reads the tasks of runs that wake together by few statements, and gives each run its own", async () => {
    const { store, counters } = postgres;
    const runs = await Promise.all(Array.from({ length: 120 }, () => executing(store)));
    const tasks = await Promise.all(
      runs.map(async ({ run: { id }, token }, i) => {
        const own = Array.from({ length: i % 3 }, (_, n) => sampleTask(id, { position: 3 - n }));
        for (const task of own) await store.recordTask(report(task, token));
        return own.reverse().slice(0, 1);
      }),
    );
    const before = counters.statements["tasks-of-runs"] ?? 0;
    const pages = await Promise.all(runs.map(({ run: { id } }) => store.tasks(id, { limit: 1 })));
    expect(pages).toEqual(tasks);
    expect((counters.statements["tasks-of-runs"] ?? 0) - before).toBe(3);
  });

  it("reads the events of runs that wake together by few statements, and none of another environment", async () => {
    const { store, counters } = postgres;
    const events = await Promise.all(Array.from({ length: 60 }, async () => (await executing(store)).event));
    const before = counters.statements["events-by-id"] ?? 0;
    const rowIds = [...events.map(({ rowId }) => rowId), sampleEvent().rowId, events[0]?.rowId ?? ""];
    const found = await Promise.all(rowIds.map((rowId) => store.event(null, { rowId })));
    expect(found.map((event) => event?.id)).toEqual([...events.map(({ id }) => id), undefined, events[0]?.id]);
    expect((counters.statements["events-by-id"] ?? 0) - before).toBe(4);
    expect(await store.event("env_other", { rowId: events[0]?.rowId ?? "" })).toBeNull();
  });

  it("refuses only the bad one of a batch", async () => {
    const { store } = postgres;
    const { run: before, token } = await executing(store);
    const tasks = Array.from({ length: 100 }, (_, i) => sampleTask(before.id, i === 37 ? { attempts: 2 ** 40 } : {}));
    const results = await Promise.allSettled(tasks.map((task) => store.recordTask(report(task, token))));
    expect(results.map(({ status }) => status)).toEqual(tasks.map((_, i) => (i === 37 ? "rejected" : "fulfilled")));
    expect(results[37]).toMatchObject({ reason: { code: "UNPROCESSABLE" } });
    expect(await store.tasks(before.id)).toHaveLength(99);
  });

  it("refuses only the bad one of a batch of requests", async () => {
    const events = Array.from({ length: 20 }, () => sampleEvent());
    const items = events.map((event, i) => sampleIntake(event, [sampleRun(event, i === 3 ? { revision: 2 ** 40 } : {})]));
    const results = await Promise.allSettled(items.map((item) => postgres.store.intake(item)));
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(await postgres.store.event(null, { rowId: events[3]?.rowId ?? "" })).toBeNull();
    expect(await postgres.store.event(null, { rowId: events[4]?.rowId ?? "" })).toEqual(events[4]);
  });
});

describe("the fence, with two connections", () => {
  /** Resolves once some connection waits for a lock. */
  async function someoneWaits(): Promise<void> {
    const waiting = (): Promise<unknown[]> => run(postgres.connection, "select 1 from pg_locks where not granted");
    await expect.poll(async () => (await waiting()).length, { timeout: 10_000 }).toBeGreaterThan(0);
  }

  it("refuses a report whose run is claimed by another server between its check and its commit", async () => {
    const { store } = postgres;
    const { run: before, token } = await executing(store);
    const other = await connected(postgres.connection);
    await other.query("begin");
    await other.query("update work set token = 'exe_new' where id = $1", [before.id]);
    const verdict = store.recordTask(report(sampleTask(before.id), token));
    await someoneWaits();
    await other.query("commit");
    await other.end();
    expect(await verdict).toBe("stale");
    expect(await store.tasks(before.id)).toEqual([]);
  });

  it("keeps a claim away while a report is being written", async () => {
    const { store } = postgres;
    const { run: before, token, queue } = await executing(store);
    const other = await connected(postgres.connection);
    const row = { ...taskColumns(storableTask(report(sampleTask(before.id), token))), token };
    await other.query("begin");
    const { rows } = await other.query(statementOfWeek("record-task", weekOfRun(before.id)).text, [JSON.stringify([row])]);
    expect(rows).toHaveLength(2);
    expect((await claim(store, [queue], { now: NOW + 20_000 })).items).toEqual([]);
    await other.query("commit");
    await other.end();
    expect((await claim(store, [queue], { now: NOW + 20_000 })).items).toHaveLength(1);
    expect(await store.tasks(before.id)).toHaveLength(1);
  });

  it("refuses a v2 report whose run ends between its check and its commit", async () => {
    const { store } = postgres;
    const { run: before } = await executing(store);
    const other = await connected(postgres.connection);
    await other.query("begin");
    await other.query("update runs set state_kind = 'finished', finished_at = 1, token = null where id = $1", [before.id]);
    const verdict = store.recordTask(report(sampleTask(before.id), null));
    await someoneWaits();
    await other.query("commit");
    await other.end();
    expect(await verdict).toBe("stale");
  });

  it("stores one of two concurrent events with one id when the other commits late", async () => {
    const { store } = postgres;
    const first = sampleEvent();
    const other = await connected(postgres.connection);
    await other.query("begin");
    await other.query("insert into event_keys values ($1, $2, $3, 0)", [ENVIRONMENT, first.id, first.rowId]);
    const second = store.intake(sampleIntake(sampleEvent({ id: first.id }), []));
    await someoneWaits();
    await other.query("commit");
    await other.end();
    expect(await second).toEqual({ type: "duplicate", eventRowId: first.rowId });
  });

  it("settles a claimed delivery whose event id another batch is storing at that moment", async () => {
    const { store } = postgres;
    const [queue, first, delivery] = [unique("app"), sampleEvent(), sampleDelivery()];
    const work = { id: delivery.id, kind: "delivery" as const, queue, dueAt: NOW };
    await store.intake({ delivery, event: null, runs: [], work: [work], done: null });
    const [claimed] = (await claim(store, [queue])).items;
    const other = await connected(postgres.connection);
    await other.query("begin");
    await other.query("insert into event_keys values ($1, $2, $3, 0)", [ENVIRONMENT, first.id, first.rowId]);
    const event = sampleEvent({ id: first.id, deliveryId: delivery.id });
    const verified = { ...delivery, verdict: "verified" as const, eventRowId: event.rowId };
    const done = { id: delivery.id, token: claimed?.token ?? "" };
    const settling = store.intake({ delivery: verified, event, runs: [], work: [], done });
    await someoneWaits();
    await other.query("commit");
    await other.end();
    expect(await settling).toEqual({ type: "duplicate", eventRowId: first.rowId });
    expect(await store.delivery(ENVIRONMENT, delivery.id)).toMatchObject({ verdict: "duplicate", eventRowId: first.rowId });
    expect((await claim(store, [queue], { now: NOW + 60_000 })).items).toEqual([]);
  });
});

describe("what the end of a run costs", () => {
  /** A run stored as claimed, as most are. */
  async function born(store: Store): Promise<{ run: RunRow; token: string }> {
    const event = sampleEvent();
    const made = sampleRun(event);
    const token = `${unique("exe")}.${made.id}`;
    const lease = { token, owner: "srv_1", until: NOW + 9_000 };
    const run = { ...made, ...changeOf(made, { type: "claimed", token }, lease)?.after };
    const { until: dueAt, ...held } = lease;
    await store.intake({ ...sampleIntake(event, [run]), work: [{ id: run.id, kind: "run", queue: run.appId, dueAt, ...held }] });
    return { run, token };
  }

  it("is no entry of any index, if it executed and succeeded: of one that ends alone, and of most that end together", async () => {
    const { store, connection, close } = await database.store();
    const end = async (): Promise<void> => {
      const { run: executes, token } = await born(store);
      const ended = changeOf(executes, { type: "succeeded", token, output: "1" });
      expect(ended && (await store.changeRun(ended))).toEqual({ due: [] });
    };
    for (let i = 0; i < 20; i++) await end();
    await Promise.all(Array.from({ length: 400 }, end));
    // A connection tells what it did when it ends, at the latest.
    await close();
    const told = (): Promise<{ all: number; lean: number }[]> =>
      run(
        connection,
        `select n_tup_upd::integer as all, n_tup_hot_upd::integer as lean from pg_stat_user_tables where relname = '${weekName("runs", weekAt(NOW))}'`,
      );
    await expect.poll(async () => (await told())[0]?.all, { timeout: 10_000 }).toBe(420);
    // Of hundreds that end in one commit as many as find room beside them in their pages.
    expect((await told())[0]?.lean).toBeGreaterThan(420 * 0.8);
  });
});

describe("what a step costs", () => {
  /** Pages touched by recording one task alone and as a batch of one, as the hot connection would plan it. */
  async function pagesOf(client: pg.Client, runId: string, token: string): Promise<number> {
    const week = weekOfRun(runId);
    const [lone, batched] = [0, 1].map(() => taskColumns(storableTask(report(sampleTask(runId), token))));
    const alone = await pages(client, statementOfWeek("record-lone-task", week).text, [
      ...TASK_COLUMNS.map((column) => lone?.[column]),
      token,
    ]);
    return alone + (await pages(client, statementOfWeek("record-task", week).text, [JSON.stringify([{ ...batched, token }])]));
  }

  async function pages(client: pg.Client, text: string, values: unknown[]): Promise<number> {
    const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, format json) ${text}`,
      values,
    );
    const plan = rows[0]?.["QUERY PLAN"][0].Plan ?? {};
    return (plan["Shared Hit Blocks"] ?? 0) + (plan["Shared Read Blocks"] ?? 0);
  }

  it("is the same after 5,000 steps, and with fifty more weeks of tables", { timeout: 120_000 }, async () => {
    const { store, connection, ensurePartitions } = await database.store();
    const { run: before, token } = await executing(store);
    const client = await connected(connection);
    await client.query(
      "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off",
    );
    const warm = async (): Promise<number> => {
      await pagesOf(client, before.id, token);
      return pagesOf(client, before.id, token);
    };
    const first = await warm();
    const many = Array.from({ length: 5_000 }, () => store.recordTask(report(sampleTask(before.id), token)));
    expect(new Set(await Promise.all(many))).toEqual(new Set(["recorded"]));
    const late = await warm();
    expect(late).toBeLessThanOrEqual(first + 16);
    for (let weeks = 10; weeks <= 50; weeks += 10) await ensurePartitions(NOW + weeks * 604_800_000);
    expect(await warm()).toBeLessThanOrEqual(late + 4);
    const plan = await client.query(`explain ${statementOfWeek("record-task", weekOfRun(before.id)).text.replace("$1", "'[]'")}`);
    const text = plan.rows.map((row: Record<string, string>) => row["QUERY PLAN"]).join("\n");
    expect(text).toMatch(/Index Scan using work_(pkey|by_token)/);
    expect(text).not.toContain("Seq Scan");
    await client.end();
  });

  it("plans every hot statement by an index on empty tables too", async () => {
    const { connection } = await database.store();
    const client = await connected(connection);
    await client.query(
      "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off",
    );
    await client.query("analyze");
    const hot = [
      "record-lone-task",
      "record-task",
      "record-unfenced-task",
      "open-task",
      "change-run",
      "end-run",
      "intake",
      "intake-request",
      "intake-event",
      "intake-verified",
      "claim-work",
      "next-due",
      "lease-work",
      "renew",
      "adopt",
      "lock-work",
      "lock-gates",
      "take-slots",
      "park",
      "park-new",
      "free-slots",
      "invite",
      "run",
      "tasks",
      "tasks-of-runs",
      "key-value",
      "drop-key-value",
      "schedule-by-key",
      "schedule-by-id",
      "tick-schedule",
      "overdue-schedules",
      "cancel-event",
      "replace-event",
    ];
    for (const name of hot) {
      const { text } = statementOfWeek(name, weekAt(NOW));
      await client.query(`prepare s as ${text}`);
      const parameters = [...new Set(text.match(/\$\d+/g) ?? [])].map(() => "null").join(", ");
      const { rows } = await client.query(`explain execute s(${parameters})`);
      const plan = rows.map((row: Record<string, string>) => row["QUERY PLAN"]).join("\n");
      expect(plan, name).not.toMatch(/Seq Scan/);
      expect(plan, name).not.toMatch(/(Hash|Merge) .*Join/);
      await client.query("deallocate s");
    }
    await client.end();
  });
});

const STATUSES: RunStatus[] = ["QUEUED", "EXECUTING", "SUCCESS"];

describe("bus", () => {
  it("carries news to the other servers, merged, and to this one at once", async () => {
    const second = database.another(postgres.connection);
    const heard: BusMessage[] = [];
    const own: BusMessage[] = [];
    second.bus.subscribe((message) => heard.push(message));
    postgres.bus.subscribe((message) => own.push(message));
    const until = (probe: () => boolean): Promise<void> => expect.poll(probe, { timeout: 10_000 }).toBe(true);
    await until(() => {
      if (heard.length === 0) postgres.bus.publish({ type: "catalog" });
      return heard.length > 0;
    });
    heard.length = 0;
    own.length = 0;
    for (let i = 0; i < 50; i++) postgres.bus.publish({ type: "work", queues: [`q${i % 5}`] });
    expect(own).toHaveLength(50);
    const queues = (): Set<string> => new Set(heard.flatMap((message) => (message.type === "work" ? message.queues : [])));
    await until(() => queues().size === 5);
    expect(heard.length).toBeLessThan(10);
    expect(own).toHaveLength(50);
    const news = (id: string, status: RunStatus): BusMessage => ({
      type: "live",
      environmentId: ENVIRONMENT,
      message: { type: "run", id, job: "j", status },
    });
    for (const id of ["run_1", "run_2"]) for (const status of STATUSES) postgres.bus.publish(news(id, status));
    const live = (): BusMessage[] => heard.filter(({ type }) => type === "live");
    await until(() => live().length >= 2);
    expect(live()).toEqual([news("run_1", "SUCCESS"), news("run_2", "SUCCESS")]);
    expect(own).toHaveLength(50 + 2 * STATUSES.length);
    await run(
      postgres.connection,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast bus'",
    );
    heard.length = 0;
    await until(() => {
      postgres.bus.publish({ type: "work", queues: ["back"] });
      return queues().has("back");
    });
  });

  it("packs any number of messages into payloads NOTIFY takes", () => {
    const queues = Array.from({ length: 1_000 }, () => unique("app_0123456789"));
    const payloads = payloadsOf("srv", [{ type: "work", queues }, { type: "catalog" }]);
    expect(payloads.every((payload) => Buffer.byteLength(payload) < 8_000)).toBe(true);
    const messages = payloads.flatMap((payload) => (JSON.parse(payload) as { messages: BusMessage[] }).messages);
    expect(messages.flatMap((message) => (message.type === "work" ? message.queues : []))).toEqual(queues);
  });
});

describe("reader", () => {
  it("runs a view's statement", async () => {
    const event = sampleEvent({ deliveredAt: null, deliverAt: NOW });
    const queue = unique("q");
    const work = [{ id: event.rowId, kind: "event" as const, queue, dueAt: NOW }];
    await postgres.store.intake({ delivery: null, event, runs: [], work, done: null });
    expect(await postgres.reader.rows("work-due", [[queue], NOW])).toEqual([{ kind: "event", due: 1, oldest: NOW }]);
    await expect(postgres.reader.rows("no-such-view")).rejects.toThrow(/no-such-view/);
  });
});
