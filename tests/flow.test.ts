// Flow control before runs start, on two real servers with real apps, while servers are killed: rate limits, debouncing, priority, and fairness between keys and
// between environments. Judged by what the servers tell of events and runs, and by what the apps wrote down.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Skip } from "@holdfast/protocol";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import type { PickyEntry } from "./harness/apps/picky.ts";
import { startApp } from "./harness/apps.ts";
import { startDatabase } from "./harness/database.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory, type Program, ROOT, startProgram } from "./harness/processes.ts";
import { PROD_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 60_000 };
const LONG = { timeout: 120_000 };
const APP = "tests/harness/apps/picky.ts";
/** As the app has it. */
const RATE = { limit: 3, periodMs: 1000 };

let servers: [TestServer, TestServer];
let databaseUrl: string;
let journal: string;
beforeAll(async () => {
  const database = await startDatabase();
  databaseUrl = database.url;
  const env = { HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  servers = [
    await TestServer.start({ databaseUrl: database.url, env }),
    await TestServer.start({ databaseUrl: database.url, env }),
  ];
});
afterAll(async () => {
  for (const server of servers ?? []) await server.stop();
  await cleanUp();
});

async function start(env: Record<string, string> = {}): Promise<Program> {
  journal = join(freshDirectory(), "picky.jsonl");
  const app = startApp(servers[0], APP, { APP_JOURNAL: journal, ...env });
  await app.says(/connected/);
  for (const { api } of servers) await api.knowsJob("urgent");
  return app;
}

/** Events that had to wait until then or later, in the order in which they were delivered; null while one still waits. */
async function delivered(from: number): Promise<string[] | null> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const text = "select event_id, delivered_at from events where deliver_at >= $1 order by delivered_at";
    const { rows } = await client.query(text, [from]);
    return rows.every(({ delivered_at }) => delivered_at !== null) ? rows.map(({ event_id }) => event_id) : null;
  } finally {
    await client.end();
  }
}

const began = (): PickyEntry[] => readJournal<PickyEntry>(journal);

interface EventInfo {
  runs: { id: string; status: string }[];
  skipped?: Skip[];
}
const eventInfo = (id: string): Promise<EventInfo> => servers[0].api.get(`/api/v2/events/${id}`);

test(
  "a rate limit lets no more runs of a key start in any period, on two servers, one of which is killed; the other events say why they started none",
  LONG,
  async () => {
    const app = await start();
    const sent: string[] = [];
    const send = async (n: number, key: string) => {
      const { api } = servers[n % 2] as TestServer;
      sent.push((await api.send({ name: "rated", payload: { key, n } })).id);
    };
    const runsOf = async (key: string) => began().filter((entry) => entry.job === "rated" && entry.key === key);
    let n = 0;
    const crowd = async (runs: number) => {
      while ((await runsOf("crowd")).length < runs) {
        await Promise.all(Array.from({ length: 4 }, () => send(n++, "crowd")));
        await send(n++, "other");
      }
    };
    await crowd(RATE.limit + 1);
    await servers[1].kill();
    await servers[1].start();
    await crowd(3 * RATE.limit);
    expect(await runsOf("other")).not.toEqual([]);
    await until(async () => (await servers[0].api.runsOf("rated")).every(({ status }) => status === "SUCCESS"), PATIENT);
    const runs = await servers[0].api.runsOf("rated");
    const keys = new Map(began().map(({ run, key }) => [run, key]));
    for (const key of ["crowd", "other"]) {
      const starts = runs.filter(({ id }) => keys.get(id) === key).map(({ createdAt }) => Date.parse(createdAt));
      for (const from of starts)
        expect(starts.filter((at) => at >= from && at < from + RATE.periodMs).length).toBeLessThanOrEqual(RATE.limit);
    }
    const infos = await Promise.all(sent.map(eventInfo));
    expect(infos.filter(({ runs, skipped = [] }) => runs.length + skipped.length !== 1)).toEqual([]);
    const skipped = infos.flatMap(({ skipped = [] }) => skipped);
    expect(skipped.length).toBeGreaterThan(0);
    expect(skipped[0]).toMatchObject({
      job: "rated",
      reason: "rate-limited",
      why: expect.stringContaining("rateLimit was used up"),
    });
    expect(await servers[0].api.all("/jobs/rated/skips")).toHaveLength(skipped.length);
    await app.stop();
  },
);

test(
  "twenty events within a period start one run of the last of them, though the servers are killed meanwhile",
  LONG,
  async () => {
    const app = await start();
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      const { api } = servers[n % 2] as TestServer;
      ids.push((await api.send({ name: "latest", payload: { key: "document", n } })).id);
    }
    const [waiting] = await servers[0].api.runsOf("latest");
    expect(waiting?.status).toBe("QUEUED");
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all(servers.map((server) => server.start()));
    const [run, ...others] = await servers[0].api.settled("latest", 1, PATIENT);
    expect(others).toEqual([]);
    expect(run?.id).toBe(waiting?.id);
    expect(
      began()
        .filter(({ job }) => job === "latest")
        .map(({ n }) => n),
    ).toEqual([19]);
    const infos = await Promise.all(ids.map(eventInfo));
    expect(infos.map(({ runs }) => runs.length)).toEqual([...Array<number>(19).fill(0), 1]);
    expect(infos.slice(0, 19).map(({ skipped }) => skipped?.[0]?.replacedBy)).toEqual(ids.slice(1));
    expect(infos[0]?.skipped?.[0]?.why).toContain("took its place");
    await app.stop();
  },
);

test("a flood of events that wait for their time in one environment does not hold up another's", LONG, async () => {
  const [{ api }, { url }] = servers;
  const prod = new Api(url, PROD_KEY, "prod");
  const soon = Date.now() + 6_000;
  const at = (time: number) => ({ deliverAt: new Date(time).toISOString() });
  // Due last of all, so that it would be the last one delivered were there one line for both.
  await prod.post("/api/v1/events", { event: { id: "of prod", name: "heard by nobody" }, options: at(soon + 1) });
  const flood = Array.from({ length: 5 }, (_, batch) => {
    const events = Array.from({ length: 300 }, (_, n) => ({ id: `flood-${batch}-${n}`, name: "heard by nobody" }));
    return api.post("/api/v1/events/bulk", { events, options: at(soon) });
  });
  await Promise.all(flood);
  const order = await until(() => delivered(soon), { ...PATIENT, everyMs: 500, what: () => "the last event to be delivered" });
  expect(order.length).toBeGreaterThan(1_000);
  expect(order.indexOf("of prod")).toBeLessThan(order.length - 300);
});

test("the program in docs/limits.md does what the page says", LONG, async () => {
  const page = readFileSync(join(ROOT, "docs/limits.md"), "utf8");
  mkdirSync(join(ROOT, "tests/.work"), { recursive: true });
  const directory = mkdtempSync(join(ROOT, "tests/.work/limits-doc-"));
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  writeFileSync(join(directory, "picky.ts"), /```ts\n\/\/ picky\.ts\n([\s\S]*?)```/.exec(page)?.[1] ?? "");
  const { api, appEnv } = servers[0];
  const app = startProgram(["--import", "tsx", join(directory, "picky.ts")], { env: appEnv });
  await api.knowsJob("index");
  const send = async (name: string, payload: object) => (await api.send({ name, payload })).id;
  const first = await send("cart.left", { customer: { id: 7 } });
  const second = await send("cart.left", { customer: { id: 7 } });
  await send("cart.left", { customer: { id: 8 } });
  for (const text of ["a", "ab", "abc"]) await send("document.saved", { document: { id: 1, text } });
  const [run] = await api.settled("index", 1, PATIENT);
  expect((await api.run(run?.id ?? "")).output).toBe("abc");
  expect(await api.settled("remind", 2, PATIENT)).toHaveLength(2);
  expect((await eventInfo(first)).skipped).toBeUndefined();
  expect(await eventInfo(second)).toMatchObject({ runs: [], skipped: [{ job: "remind", reason: "rate-limited" }] });
  await app.stop();
  rmSync(directory, { recursive: true });
});

test("of runs that no limit holds up the more urgent goes first when their app has no room", LONG, async () => {
  const app = await start({ APP_CONCURRENCY: "1" });
  const hold = join(freshDirectory(), "go");
  const { api } = servers[0];
  const send = (n: number, urgency?: number, more: object = {}) =>
    api.send({ name: "urgent", payload: { key: "", n, urgency, ...more } });
  await send(0, 0, { hold });
  await until(() => began().length === 1, PATIENT);
  const urgencies = [undefined, 1, 5, undefined, 1, 7];
  for (const [i, urgency] of urgencies.entries()) await send(i + 1, urgency);
  writeFileSync(hold, "");
  await api.settled("urgent", 7, PATIENT);
  expect(began().map(({ n }) => n)).toEqual([0, 6, 3, 2, 5, 1, 4]);
  await app.stop();
});

test(
  "a key that floods a shared limit does not starve another key, nor does a flood of one environment hold up another",
  LONG,
  async () => {
    const app = await start();
    const dev = servers[0].api;
    const prodJournal = join(freshDirectory(), "prod.jsonl");
    const prodApp = startApp(servers[0], APP, { APP_JOURNAL: prodJournal, TRIGGER_API_KEY: PROD_KEY });
    await prodApp.says(/connected/);
    const prod = new Api(servers[1].url, PROD_KEY, "prod");
    const hold = join(freshDirectory(), "go");
    const send = (api: Api, name: string, payload: object) => api.send({ name, payload });
    await Promise.all(Array.from({ length: 120 }, (_, n) => send(dev, "keyed", { key: "crowd", n, hold })));
    await until(() => began().length === 2, PATIENT);
    // The third place at the shared limit is not the crowd's, and what is urgent has a way around both.
    await send(dev, "keyed", { key: "one", n: 1000 });
    await until(() => began().some(({ n }) => n === 1000), PATIENT);
    await send(prod, "keyed", { key: "crowd", n: 1 });
    const [served] = await prod.settled("keyed", 1, PATIENT);
    expect(served?.status).toBe("SUCCESS");
    expect(began().filter(({ key }) => key === "crowd")).toHaveLength(2);
    writeFileSync(hold, "");
    await until(() => began().length >= 20, PATIENT);
    await send(dev, "keyed", { key: "two", n: 2000 });
    await until(() => began().some(({ n }) => n === 2000), PATIENT);
    expect(began().length).toBeLessThan(110);
    await dev.settled("keyed", 122, PATIENT);
    await app.stop();
    await prodApp.stop();
  },
);
