// Concurrency limits on a real server with real apps, while both are killed: never more executions than a limit allows, judged by what the app itself wrote
// down, and no slot is lost to whatever died.
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import type { LimitedEntry } from "./harness/apps/limited.ts";
import { startApp } from "./harness/apps.ts";
import { embeddedConnection } from "./harness/embedded-connection.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory, type Program } from "./harness/processes.ts";
import { PROD_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 60_000 };
const APP = "tests/harness/apps/limited.ts";

let server: TestServer;
let journal: string;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
});

async function start(together: number): Promise<Program> {
  const app = startApp(server, APP, { APP_JOURNAL: journal, TOGETHER: String(together) });
  await app.says(/connected/);
  await server.api.knowsJob("alone");
  return app;
}

function send(count: number): Promise<unknown> {
  const keys = ["ada", "bo", "cy"];
  const one = (_: unknown, i: number) => server.api.send({ name: "work", payload: { customer: { id: keys[i % 3] } } });
  return Promise.all(Array.from({ length: count }, one));
}

function begun(): number {
  return readJournal<LimitedEntry>(journal).filter(({ what }) => what === "began").length;
}

/** The most runs at once, all of them and by what `groupOf` answers. Those of an app that was killed are over when the next one boots. */
function most(groupOf: (entry: Exclude<LimitedEntry, { what: "booted" }>) => string | null): number {
  const running = new Map<string, string>();
  let peak = 0;
  for (const entry of readJournal<LimitedEntry>(journal)) {
    if (entry.what === "booted") running.clear();
    else if (entry.what === "ended") running.delete(entry.run);
    else {
      const group = groupOf(entry);
      if (group !== null) running.set(entry.run, group);
      peak = Math.max(peak, [...running.values()].filter((each) => each === group).length);
    }
  }
  return peak;
}

function overruns(together: number): string[] {
  const limits = [
    ["all", most(() => "all"), together],
    ["alone", most(({ job }) => (job === "alone" ? job : null)), 1],
    ["by key", most(({ job, key }) => (job === "by-key" ? key : null)), 2],
  ] as const;
  return limits.filter(([, peak, limit]) => peak > limit).map(([name, peak]) => `${name}: ${peak} at once`);
}

async function leftovers(): Promise<unknown> {
  const database = new pg.Client(embeddedConnection(server.dataDir));
  await database.connect();
  const { rows } = await database.query(
    "select (select count(*)::int from slots) as slots, (select count(*)::int from parked) as parked, (select coalesce(sum(used), 0)::int from gates) as used",
  );
  await database.end();
  return rows[0];
}

test("limits hold and no slot is lost while app and server are killed", async () => {
  journal = join(freshDirectory(), "limited.jsonl");
  const first = await start(3);
  await send(24);
  await until(() => begun() >= 6, PATIENT);
  await first.kill();
  const second = await start(3);
  await until(() => begun() >= 20, PATIENT);
  await server.kill();
  await server.start();
  const runs = await server.api.settled("alone", 24, PATIENT);
  const others = await server.api.settled("by-key", 24, PATIENT);
  expect([...runs, ...others].filter(({ status }) => status !== "SUCCESS")).toEqual([]);
  expect(overruns(3)).toEqual([]);
  expect(most(() => "all")).toBeGreaterThan(1);
  expect(await leftovers()).toEqual({ slots: 0, parked: 0, used: 0 });
  await second.stop();
});

test("a limit that was lowered in the code counts once the app has connected again", async () => {
  journal = join(freshDirectory(), "lowered.jsonl");
  const before = (await server.api.runsOf("alone")).length;
  const app = await start(1);
  await send(6);
  await server.api.settled("alone", before + 6, PATIENT);
  await server.api.settled("by-key", before + 6, PATIENT);
  expect(overruns(1)).toEqual([]);
  expect(await leftovers()).toEqual({ slots: 0, parked: 0, used: 0 });
  await app.stop();
});

test("a throttle starts no more runs of a key than it allows, loses none to a kill, and holds up no other key", async () => {
  journal = join(freshDirectory(), "paced.jsonl");
  const app = await start(3);
  const send = (id: string) => server.api.send({ name: "paced", payload: { customer: { id } } });
  await Promise.all(Array.from({ length: 16 }, () => send("crowd")));
  await send("other");
  await until(() => begun() >= 5, PATIENT);
  await server.kill();
  await server.start();
  const runs = await server.api.settled("paced", 17, PATIENT);
  expect(runs.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
  const keys = new Map(
    readJournal<LimitedEntry>(journal).flatMap((entry) => (entry.what === "began" ? [[entry.run, entry.key]] : [])),
  );
  const starts = (key: string) =>
    runs
      .filter(({ id }) => keys.get(id) === key)
      .map(({ startedAt }) => Date.parse(startedAt ?? ""))
      .sort((a, b) => a - b);
  const crowd = starts("crowd");
  expect(crowd).toHaveLength(16);
  // A start is noted a moment after it was allowed.
  for (const from of crowd) expect(crowd.filter((at) => at >= from && at < from + 950).length).toBeLessThanOrEqual(5);
  expect(starts("other")[0]).toBeLessThan(crowd[4] as number);
  expect(await leftovers()).toEqual({ slots: 0, parked: 0, used: 0 });
  await app.stop();
});

test("of an environment no more run at once than the operator lets, and others are served meanwhile", async () => {
  const limited = await TestServer.start({ env: { HOLDFAST_RUNS_AT_ONCE: "2" } });
  const journals = [join(freshDirectory(), "dev.jsonl"), join(freshDirectory(), "prod.jsonl")] as const;
  const production = new Api(limited.url, PROD_KEY);
  const apps = [
    startApp(limited, APP, { APP_JOURNAL: journals[0], TOGETHER: "50" }),
    startApp(limited, APP, { APP_JOURNAL: journals[1], TOGETHER: "50", TRIGGER_API_KEY: PROD_KEY }),
  ];
  for (const app of apps) await app.says(/connected/);
  const work = (api: Api, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => api.send({ name: "work", payload: { customer: { id: String(i) } } })));
  await work(limited.api, 40);
  await work(production, 2);
  journal = journals[1];
  await until(() => readJournal<LimitedEntry>(journal).filter(({ what }) => what === "ended").length === 4, PATIENT);
  journal = journals[0];
  expect(begun()).toBeLessThan(80);
  await limited.kill();
  await limited.start();
  const runs = [...(await limited.api.settled("alone", 40, PATIENT)), ...(await limited.api.settled("by-key", 40, PATIENT))];
  expect(runs.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
  expect(most(() => "all")).toBe(2);
  journal = journals[1];
  expect(most(() => "all")).toBeLessThanOrEqual(2);
  for (const app of apps) await app.stop();
  await limited.stop();
});
