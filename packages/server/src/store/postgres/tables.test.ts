import { makeId } from "@holdfast/protocol";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EmbeddedConnection } from "../../platform/postgres/embedded.ts";
import {
  apply,
  executing,
  NOW,
  report,
  sampleEnvironment,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  world,
} from "../samples.conformance.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import { migrate, migrations } from "./migrate.ts";
import { makeWeeks } from "./partitions.ts";
import { crowd } from "./plan-crowd.conformance.ts";
import { statement, statementNames, statementOfWeek } from "./statements.ts";
import { WEEK_MS, weekAt, weekName } from "./weeks.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());

async function client(connection: EmbeddedConnection): Promise<pg.Client> {
  const made = new pg.Client(connection);
  await made.connect();
  return made;
}

/** Columns, constraints, indexes, triggers and functions, as text. */
async function schemaOf(connection: EmbeddedConnection): Promise<unknown[]> {
  return run(
    connection,
    `select c.relname || '.' || a.attname as what, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || coalesce(l.collname, '')
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '') as how
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 left join pg_collation l on l.oid = a.attcollation
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace
     union all select conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
     union all select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid::regclass::text !~ '^pg_'
     union all select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
     union all select proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
     union all select relname, coalesce(array_to_string(reloptions, ','), '') from pg_class where relnamespace = 'public'::regnamespace
     order by 1, 2`,
  );
}

describe("migrations", () => {
  it("make the same tables all at once, one by one, twice, and by four servers at once", async () => {
    const [once, stepwise, together] = [await database.fresh(), await database.fresh(), await database.fresh()];
    const first = database.another(once);
    await first.migrate();
    await first.migrate();
    const second = await client(stepwise);
    for (let n = 1; n <= migrations().length; n++) await migrate(second, NOW, migrations().slice(0, n));
    await second.end();
    await database.another(stepwise).migrate();
    await Promise.all([1, 2, 3, 4].map(() => database.another(together).migrate()));
    const schema = await schemaOf(once);
    expect(schema.length).toBeGreaterThan(200);
    expect(await schemaOf(stepwise)).toEqual(schema);
    expect(await schemaOf(together)).toEqual(schema);
  });

  it("give the runs there are the standing their lists go by, and weeks there are their room", async () => {
    const connection = await database.fresh();
    const admin = await client(connection);
    const before = migrations().findIndex(({ name }) => name.startsWith("0013"));
    await migrate(admin, NOW, migrations().slice(0, before));
    await makeWeeks(admin, [weekAt(NOW)]);
    await crowd(admin, 0, 8);
    await migrate(admin, NOW);
    const { rows } = await admin.query("select status, standing, count(*)::integer as runs from runs group by 1, 2 order by 1");
    const standings = { EXECUTING: "", QUEUED: "QUEUED", SUCCESS: "", WAITING_TO_CONTINUE: "WAITING_TO_CONTINUE" };
    expect(rows).toEqual(Object.entries(standings).map(([status, standing]) => ({ status, standing, runs: 2 })));
    const week = await admin.query("select reloptions from pg_class where relname = $1", [weekName("runs", weekAt(NOW))]);
    expect(week.rows[0].reloptions).toContain("fillfactor=60");
    await admin.end();
  });

  it("refuse an edited file, a newer database, and leave nothing of a failed file", async () => {
    const connection = await database.fresh();
    const admin = await client(connection);
    const files = migrations();
    await migrate(admin, NOW);
    const edited = files.map((file) => ({ ...file, checksum: "other" }));
    await expect(migrate(admin, NOW, edited)).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(migrate(admin, NOW, [])).rejects.toMatchObject({ code: "CONFLICT" });
    const broken = { name: "9999-broken", text: "create table half (a int); select 1/0", checksum: "x" };
    await expect(migrate(admin, NOW, [...files, broken])).rejects.toMatchObject({ code: "22012" });
    expect((await admin.query("select to_regclass('half') as half")).rows).toEqual([{ half: null }]);
    await admin.end();
  });
});

describe("statements", () => {
  it("can all be prepared against the migrated tables", async () => {
    const { connection } = await database.store();
    const admin = await client(connection);
    const names = [...statementNames(), ...statementNames("views/")];
    expect(names.length).toBeGreaterThan(40);
    for (const [i, name] of names.entries()) {
      const { text } = statementOfWeek(name, weekAt(NOW));
      expect(text, name).not.toMatch(/\/\*|_of_week/);
      await admin.query(`prepare s${i} as ${text}`).catch((error: Error) => expect.unreachable(`${name}: ${error.message}`));
    }
    await admin.end();
  });

  it("never ask the database's clock or chance", () => {
    for (const name of [...statementNames(), ...statementNames("views/")]) {
      expect(statement(name).text, name).not.toMatch(
        /\b(now|random|clock_timestamp|gen_random_uuid|current_timestamp|localtimestamp)\b/i,
      );
    }
  });
});

describe("recorded outputs", () => {
  it("cannot be changed even by hand", async () => {
    const { store, connection } = await database.store();
    const { run: before, token } = await executing(store);
    const done = sampleTask(before.id);
    const failed = sampleTask(before.id, { status: "ERRORED", outputText: null, errorText: "{}" });
    for (const task of [done, failed]) await store.recordTask(report(task, token));
    const tries = [
      `update tasks set output_text = '2' where key = '${done.key}'`,
      `update tasks set status = 'RUNNING' where key = '${done.key}'`,
      `update tasks set output_text = null where key = '${done.key}'`,
      `update tasks set error_text = '"x"' where key = '${failed.key}'`,
      `update tasks set status = 'COMPLETED' where key = '${failed.key}'`,
    ];
    for (const sql of tries) await expect(run(connection, sql), sql).rejects.toMatchObject({ code: "HF001" });
    expect((await store.tasks(before.id)).map(({ outputText }) => outputText)).toEqual([done.outputText, null]);
  });
});

describe("weeks", () => {
  const idAt = (kind: "run" | "event", time: number): string => makeId(kind, time, world.random(16));
  const retention = { deliveries: 4 * WEEK_MS, events: 4 * WEEK_MS, runs: 4 * WEEK_MS, eventKeys: 4 * WEEK_MS };

  it("exist from two weeks ago to eight weeks from now, and further as time goes on", async () => {
    const { ensurePartitions, connection } = await database.store();
    const count = (): Promise<{ n: number }[]> =>
      run(connection, "select count(*)::int as n from pg_inherits i join pg_class c on c.oid = inhrelid where relkind = 'r'");
    expect(await count()).toEqual([{ n: 44 }]);
    await ensurePartitions(world.now());
    expect(await count()).toEqual([{ n: 44 }]);
    await ensurePartitions(world.now() + WEEK_MS);
    expect(await count()).toEqual([{ n: 48 }]);
  });

  it("are made when an intake needs one that is missing", async () => {
    const { store } = await database.store();
    const far = NOW + 30 * WEEK_MS;
    const event = sampleEvent({ rowId: idAt("event", far) as never });
    const started = sampleRun(event, { id: idAt("run", far) });
    expect(await store.intake(sampleIntake(event, [started]))).toEqual({ type: "stored" });
    expect(await store.run(null, started.id)).toEqual(started);
    expect(await store.run(null, idAt("run", far + 20 * WEEK_MS))).toBeNull();
    expect(await store.recordTask(report(sampleTask(idAt("run", far + 20 * WEEK_MS)), "exe_x"))).toBe("stale");
  });

  it("are dropped when they are over, unless an unfinished run is in them or came from them", async () => {
    const { store, connection, dropExpired } = await database.store();
    const old = NOW - 6 * WEEK_MS;
    const week = weekAt(old);
    const event = sampleEvent({ rowId: idAt("event", old) as never, createdAt: old });
    const waiting = sampleRun(event, { id: idAt("run", old), createdAt: old, appId: "old" });
    const ended = sampleRun(event, { id: idAt("run", old - WEEK_MS), createdAt: old, appId: "ended" });
    await store.intake(sampleIntake(event, [waiting, ended]));
    await apply(store, ended, { type: "canceled" });
    const first = await dropExpired(NOW, retention);
    expect(first).toContain(weekName("runs", week - 1));
    expect(first).not.toContain(weekName("runs", week));
    expect(first).not.toContain(weekName("events", week));
    expect(await store.run(null, ended.id)).toBeNull();
    expect(await store.run(null, waiting.id)).toEqual(waiting);
    expect(await store.event(null, { rowId: event.rowId })).toEqual(event);
    await apply(store, waiting, { type: "canceled" });
    expect((await dropExpired(NOW, retention)).sort()).toEqual([weekName("events", week), weekName("runs", week)]);
    expect(await store.event(null, { rowId: event.rowId })).toBeNull();
    expect(await run(connection, "select to_regclass($1) as tasks", [weekName("tasks", week)])).toEqual([{ tasks: null }]);
    expect(await store.intake(sampleIntake(sampleEvent({ id: event.id }), []))).toEqual({ type: "stored" });
    expect(await store.runsOfEvent(event.rowId)).toEqual([]);
  });

  it("take the values with them that their runs kept, and no others", async () => {
    const { store, dropExpired } = await database.store();
    const environment = sampleEnvironment();
    const environmentId = environment.id;
    await store.catalog.saveEnvironment(environment);
    const old = NOW - 6 * WEEK_MS;
    const event = sampleEvent({ environmentId });
    const kept = sampleRun(event, { environmentId });
    await store.intake(sampleIntake(event, [kept]));
    const gone = idAt("run", old);
    const keys = [`run:${gone}:a`, `run:${kept.id}:a`, `job:${gone}:a`, "run"];
    for (const key of keys) await store.values.set(environmentId, key, { text: "1", at: old });
    await store.values.set(environmentId, `run:${gone}:late`, { text: "1", at: NOW });
    await dropExpired(NOW, retention);
    const left = await Promise.all([...keys, `run:${gone}:late`].map((key) => store.values.get(environmentId, key)));
    expect(left.map((value) => value?.text ?? null)).toEqual([null, "1", "1", "1", "1"]);
  });
});
