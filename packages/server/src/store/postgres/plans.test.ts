// What a statement reads does not grow with what else there is, whatever the statistics said when its connection planned it: a plan is kept for as long as its
// connection lives, and tables fill up behind it.
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { executing, NOW } from "../samples.conformance.ts";
import { startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import { crowd } from "./plan-crowd.conformance.ts";
import { everything } from "./plan-paths.conformance.ts";
import { explainEverything, listenToPlans, type Reading } from "./plan-watch.conformance.ts";
import { statementNames } from "./statements.ts";
import { weekAt } from "./weeks.ts";

/** So many others are there at first, and then. A view may read a page of 201 rows, whatever it shows of it. */
const [FEW, MANY] = [1_000, 4_000];
/** Numbers of those who were there before. */
const OTHERS = 900_000;

let database: TestDatabase;
let readings: Map<string, Reading>;
beforeAll(async () => {
  database = await startTestDatabase();
  await explainEverything(database.postgres.connection);
  readings = listenToPlans(weekAt(NOW));
});
afterAll(async () => {
  vi.restoreAllMocks();
  await database?.stop();
});

/** All that comes and goes; weeks of tasks are dropped whole. */
const PASSING =
  "work parked slots outbound waiters gates doors starts skips schedules connections connection_waits runs events event_keys deliveries".split(
    " ",
  );

/** What the database knows of its tables when the statements are planned. */
const STATES: Record<string, (admin: pg.Client) => Promise<unknown>> = {
  "nothing is known": async () => {},
  "all is known to be empty": (admin) => admin.query("vacuum analyze"),
  "one row is known": (admin) => known(admin, 1),
  "a few rows are known": (admin) => known(admin, 4),
  "a page of rows is known": (admin) => known(admin, 60),
  "much is known": (admin) => known(admin, 4_000),
  "hardly anything is known to be open": async (admin) => {
    await crowd(admin, OTHERS, OTHERS + 2_000);
    await admin.query(
      "delete from tasks where status in ('PENDING', 'RUNNING', 'WAITING'); delete from runs where state_kind <> 'finished'",
    );
    for (const table of ["work", "parked", "slots", "outbound", "waiters"]) await admin.query(`delete from ${table}`);
    await admin.query("vacuum analyze");
  },
  "all was full and is known to be empty again": async (admin) => {
    await crowd(admin, OTHERS, OTHERS + 2_000);
    await admin.query("analyze");
    for (const table of [...PASSING, "tasks"]) await admin.query(`delete from ${table}`);
    await admin.query("vacuum");
  },
};

async function known(admin: pg.Client, rows: number): Promise<void> {
  await crowd(admin, OTHERS + 3, OTHERS + 3 + rows);
  await admin.query("vacuum analyze");
}

/**
 * Not held here. Whole tables of few rows, kept in memory; what reads all there is because that is what it is for (a count, a clean-up by the hour, a server that
 * died); what is being asked just now; a run's tasks by ids that say nothing of their place; and what reads nothing.
 */
const LEFT_OUT = [
  ...[
    "apps",
    "catalog-revision",
    "change-source",
    "endpoints",
    "environments",
    "note-app",
    "note-processes",
    "save-app",
    "save-endpoint",
    "save-environment",
  ],
  ...["save-oauth-client", "drop-oauth-client", "oauth-clients", "change-setting", "setting"],
  ...["connection-wait-counts", "views/work-due", "release-owners", "idle-gates", "drop-gates"],
  ...["forget-doors", "forget-event-keys", "forget-skips", "forget-statuses-of-runs", "forget-values-of-runs"],
  ...["ask-question", "take-question", "answer-question", "question", "drop-question", "forget-questions"],
  ...["claimed-tokens", "tasks-by-odd-id", "notify", "ping"],
];

/** What statements read beside few others and beside many, planned when the database knew that much. */
async function costs(
  state: (admin: pg.Client) => Promise<unknown>,
): Promise<{ few: Map<string, Reading>; many: Map<string, Reading> }> {
  const postgres = await database.store();
  const admin = new pg.Client(postgres.connection);
  await admin.connect();
  try {
    await state(admin);
    const [first, second, third] = [
      await executing(postgres.store),
      await executing(postgres.store),
      await executing(postgres.store),
    ];
    const long = [second.run.id, third.run.id];
    await everything(postgres, first);
    await crowd(admin, 0, FEW, long);
    readings.clear();
    await everything(postgres, second);
    const few = new Map(readings);
    await crowd(admin, FEW, MANY, long);
    readings.clear();
    await everything(postgres, third);
    return { few, many: new Map(readings) };
  } finally {
    await admin.end();
    await postgres.close();
  }
}

describe("what statements read", () => {
  it.each(Object.keys(STATES))(
    "does not grow with the tables, when %s as they are planned",
    { timeout: 120_000 },
    async (name) => {
      const { few, many } = await costs(STATES[name] as (admin: pg.Client) => Promise<unknown>);
      const grown = [...many].flatMap(([statement, { rows, pages, how }]) => {
        const before = few.get(statement) ?? { rows: 0, pages: 0 };
        const grew = rows > before.rows * 1.2 + 20 || pages > before.pages * 1.5 + 40;
        return grew ? [`${statement}: ${before.rows} → ${rows} rows, ${before.pages} → ${pages} pages (${how})`] : [];
      });
      expect(grown).toEqual([]);
      const unasked = [...statementNames(), ...statementNames("views/")].filter((one) => !many.has(one));
      expect(unasked.sort()).toEqual([...LEFT_OUT].sort());
    },
  );
});
