// Room: store. Makes the tables of the weeks to come and drops those whose time is over. Called at start, hourly, and by an intake whose week is missing.
// Statements name a week's table directly (statements.ts): their plans and locks then stay the same however many weeks exist.
// Promises: making weeks never blocks writers; nothing a live run needs is dropped.
import type pg from "pg";
import { statement } from "./statements.ts";
import { WEEKLY_TABLES, type WeeklyTable, weekAt, weekBounds, weekName } from "./weeks.ts";

const WEEKS_BACK = 2;
const WEEKS_AHEAD = 8;

/** Updated rows want room beside their old version, runs that ended together all at once; the others are written once. */
const STORAGE: Record<WeeklyTable, string> = {
  deliveries: "fillfactor = 95",
  events: "fillfactor = 100",
  runs: "fillfactor = 60, autovacuum_vacuum_insert_scale_factor = 0.1",
  tasks: "fillfactor = 95, autovacuum_vacuum_insert_scale_factor = 0.1",
};

/** How long things are kept, in milliseconds, by the age of the youngest in a week. */
export interface Retention {
  deliveries: number;
  events: number;
  runs: number;
  eventKeys: number;
}

/** The weeks that must exist at a time. */
export function weeksAround(now: number): number[] {
  const first = weekAt(now) - WEEKS_BACK;
  return Array.from({ length: WEEKS_BACK + 1 + WEEKS_AHEAD }, (_, i) => first + i);
}

/** Creates and attaches the missing tables of these weeks. Attaching takes a lock that writers do not notice, unlike `create table … partition of`. */
export async function makeWeeks(client: pg.Client, weeks: number[]): Promise<void> {
  const existing = new Set((await weeksThere(client)).map(({ table, week }) => weekName(table, week)));
  for (const week of weeks) {
    for (const table of WEEKLY_TABLES) {
      const name = weekName(table, week);
      if (existing.has(name)) continue;
      const [from, to] = weekBounds(table, week);
      await client.query(
        `begin;
        create table ${name} (like ${table} including all) with (${STORAGE[table]});
        alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}');
        commit`,
      );
    }
  }
}

async function weeksThere(client: pg.Client): Promise<{ table: WeeklyTable; week: number }[]> {
  const { rows } = await client.query<{ parent: WeeklyTable; name: string }>(
    "select p.relname as parent, c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent " +
      "where p.relkind = 'p' and p.relnamespace = current_schema()::regnamespace",
  );
  return rows.map(({ parent, name }) => ({ table: parent, week: Number(name.slice(name.lastIndexOf("_w") + 2)) }));
}

/** Answers the names of the tables dropped. */
export async function dropExpired(client: pg.Client, now: number, retention: Retention): Promise<string[]> {
  const dropped: string[] = [];
  const there = await weeksThere(client);
  for (const { table, week } of there.sort((a, b) => a.week - b.week)) {
    if (table === "tasks") continue;
    const expired = week < weekAt(now - retention[table]);
    if (expired && (await dropWeek(client, table, week))) dropped.push(weekName(table, week));
  }
  await inPieces(client, "forget-event-keys", now - retention.eventKeys);
  await inPieces(client, "forget-skips", now - retention.events);
  await inPieces(client, "forget-doors", now - DOORS_IDLE_MS);
  await inPieces(client, "forget-values-of-runs", now - retention.runs);
  await inPieces(client, "forget-statuses-of-runs", now - retention.runs);
  return dropped;
}

/** Drops a week (of runs: with their tasks) unless something alive needs it. Waits at most two seconds for the lock; the next hour tries again. */
async function dropWeek(client: pg.Client, table: WeeklyTable, week: number): Promise<boolean> {
  const name = weekName(table, week);
  await client.query("begin; set local lock_timeout = '2s'");
  try {
    await client.query(`lock table ${table} in access exclusive mode`);
    if (await isNeeded(client, table, week)) {
      await client.query("rollback");
      return false;
    }
    await client.query(`drop table ${name}`);
    if (table === "runs") await client.query(`drop table ${weekName("tasks", week)}`);
    await client.query("commit");
    return true;
  } catch (error) {
    await client.query("rollback");
    if (error instanceof Error && "code" in error && error.code === "55P03") return false;
    throw error;
  }
}

/** Runs: one that is unfinished. Others: work to do for one of them, or an unfinished run that came from one (its replays read the event). */
async function isNeeded(client: pg.Client, table: WeeklyTable, week: number): Promise<boolean> {
  const [from, to] = weekBounds(table, week);
  const column = { runs: "id", tasks: "id", events: "event_row_id", deliveries: "delivery_id" }[table];
  const { rows } = await client.query(
    `select 1 from runs where ${column} >= $1 and ${column} < $2 and state_kind <> 'finished'
    union all select 1 from work where id >= $1 and id < $2 limit 1`,
    [from, to],
  );
  return rows.length > 0;
}

/** Far more than clocks of servers differ. */
const DOORS_IDLE_MS = 60_000;
const ROWS_AT_ONCE = 10_000;

async function inPieces(client: pg.Client, name: string, before: number): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(statement(name).text, [before, ROWS_AT_ONCE]);
    if ((rowCount ?? 0) < ROWS_AT_ONCE) return;
  }
}
