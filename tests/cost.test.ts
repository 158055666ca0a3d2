// What a step costs the database, in figures that do not depend on the machine: of a lone run, at most one statement and one commit a step, and the
// thousandth step costs what the tenth did (DESIGN §7). Counted by the store, and again by PostgreSQL itself. And what it costs the server in allocations.
import { afterAll, beforeAll, expect, test } from "vitest";
import { between, type Counters } from "../bench/counters.ts";
import { Stand } from "../bench/stand.ts";
import { allocatedBy, INSPECTABLE } from "./harness/allocations.ts";
import { cleanUp } from "./harness/processes.ts";
import { until } from "./harness/until.ts";

let stand: Stand;
/** Flushes of the log by the sessions of clients, and transactions that wrote, before anything was measured. */
let atFirst = { fsyncs: 0, xid: 0 };
/** What goes on besides steps: looking for work once a second, leases, starting and ending the run. Per step, over 500 steps. */
const BESIDES = 0.1;
/** Bytes of the database's log, about half as much again as measured: 730 a step, 2,600 a run without steps, 5,880 a webhook with one step. */
const MOST_BYTES = { step: 1_200, run: 3_900, webhook: 8_800 };
/** Bytes of the server's heap, garbage included, about half as much again as measured: 27,000 a step, 98,000 a run without steps. */
const MOST_ALLOCATED = { step: 41_000, run: 147_000 };

beforeAll(async () => {
  stand = await Stand.open(INSPECTABLE);
  // PostgreSQL's own housekeeping writes to the log when it likes, which is no step's doing.
  await stand.database.query("alter system set autovacuum = off");
  await stand.database.query("select pg_reload_conf()");
  atFirst = { fsyncs: await flushed(), xid: (await written()).xid };
  await costOf(1_000);
});
afterAll(async () => {
  await stand.close();
  await cleanUp();
});

type Figure = "statements" | "commits" | "writes" | "walBytes";
interface Cost extends Counters {
  /** Transactions that wrote, as PostgreSQL numbers them. */
  writes: number;
  walBytes: number;
}

const costOf = (steps: number): Promise<Cost> => costOfOne(() => stand.send("steps", { steps }));

async function costOfOne(start: () => Promise<unknown>): Promise<Cost> {
  const [before, asked] = [await written(), await stand.counters()];
  await start();
  await stand.finished(1);
  const [after, answered] = [await written(), await stand.counters()];
  return { ...between(asked, answered), writes: after.xid - before.xid, walBytes: after.lsn - before.lsn };
}

/** PostgreSQL's own and exact figures: the next transaction number and the length of its log. */
async function written(): Promise<{ xid: number; lsn: number }> {
  const text = `select pg_snapshot_xmax(pg_current_snapshot())::text::float8 as xid,
    (pg_current_wal_insert_lsn() - '0/0')::float8 as lsn`;
  const { rows } = await stand.database.query<{ xid: number; lsn: number }>(text);
  return rows[0] ?? { xid: Number.NaN, lsn: Number.NaN };
}

/** PostgreSQL's count of fsyncs of its log by sessions. A session tells it once a second at most, so the last second may be missing. */
async function flushed(): Promise<number> {
  const text = `select coalesce(sum(fsyncs), 0)::float8 as fsyncs from pg_stat_io where object = 'wal' and backend_type = 'client backend'`;
  const { rows } = await stand.database.query<{ fsyncs: number }>(text);
  return rows[0]?.fsyncs ?? Number.NaN;
}

test("a step of a lone run is one statement and one commit, and stays so from the 10th to the 1,000th", async () => {
  const ten = await costOf(10);
  const half = await costOf(505);
  const whole = await costOf(1_000);
  const early = (key: Figure) => (half[key] - ten[key]) / 495;
  const late = (key: Figure) => (whole[key] - half[key]) / 495;
  for (const key of ["statements", "commits"] as const) {
    expect(early(key), `${key} a step, early`).toBeLessThanOrEqual(1 + BESIDES);
    expect(late(key), `${key} a step, late`).toBeLessThanOrEqual(1 + BESIDES);
  }
  // Group commit must not be what makes it cheap: each step waits for its own record.
  expect(late("commits")).toBeGreaterThan(0.9);
  expect(late("writes"), "writing transactions a step, as PostgreSQL counts them").toBeLessThanOrEqual(1 + BESIDES);
  // Flat: what is written for a step does not grow with the steps recorded before.
  expect(late("walBytes")).toBeLessThanOrEqual(early("walBytes") * 1.5);
  expect(late("walBytes"), "bytes of the database's log a step").toBeLessThanOrEqual(MOST_BYTES.step);
});

test("a run costs two commits: its event and start, and its end; a webhook one more, for what was received, and its step one", async () => {
  const run = await leastOf(5, () => stand.send("steps", { steps: 0 }));
  expect(run.writes, "writing transactions of a run without steps").toBe(2);
  expect(run.walBytes, "bytes of the database's log").toBeLessThanOrEqual(MOST_BYTES.run);
  const webhook = await leastOf(5, () => stand.webhook());
  expect(webhook.writes, "writing transactions of a webhook verified by its app, whose run has one step").toBe(4);
  expect(webhook.walBytes, "bytes of the database's log").toBeLessThanOrEqual(MOST_BYTES.webhook);
});

/** The least of some tries, each figure by itself: now and then the server's or the database's housekeeping writes in between. */
async function leastOf(tries: number, start: () => Promise<unknown>): Promise<Pick<Cost, "writes" | "walBytes">> {
  const least = { writes: Number.POSITIVE_INFINITY, walBytes: Number.POSITIVE_INFINITY };
  for (let i = 0; i < tries; i++) {
    const { writes, walBytes } = await costOfOne(start);
    least.writes = Math.min(least.writes, writes);
    least.walBytes = Math.min(least.walBytes, walBytes);
  }
  return least;
}

test("many runs at once share statements and commits", async () => {
  const before = await stand.counters();
  await Promise.all(Array.from({ length: 20 }, () => stand.send("steps", { steps: 50 })));
  await stand.finished(20);
  const { statements, commits } = between(before, await stand.counters());
  expect(commits / 1_000).toBeLessThan(0.5);
  expect(statements / 1_000).toBeLessThan(0.7);
});

test("a step and a run allocate no more of the server's heap than they did, and a late step what an early one does", async () => {
  const allocated = (work: () => Promise<unknown>) => allocatedBy(stand.server.program, work);
  const early = (await allocated(() => costOf(500))) / 500;
  const whole = (await allocated(() => costOf(1_500))) / 1_500;
  expect(early, "bytes a step").toBeLessThanOrEqual(MOST_ALLOCATED.step);
  expect(whole, "bytes a step of a run three times as long").toBeLessThanOrEqual(early * 1.25);
  const runs = await allocated(async () => {
    for (let i = 0; i < 300; i++) await stand.send("steps", { steps: 0 });
    await stand.finished(300);
  });
  expect(runs / 300, "bytes a run without steps").toBeLessThanOrEqual(MOST_ALLOCATED.run);
});

test("what is recorded is flushed to the disk, and once a commit at most", async () => {
  const commits = (await written()).xid - atFirst.xid;
  const fsyncs = async () => (await flushed()) - atFirst.fsyncs;
  // Commits of several sessions may share one; but were the log not flushed at all, this would wait for ever.
  await until(async () => (await fsyncs()) > commits / 2, { what: () => "the sessions to tell of their fsyncs" });
  expect(await fsyncs()).toBeLessThanOrEqual(commits * 1.1);
});
