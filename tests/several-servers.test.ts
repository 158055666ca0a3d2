// Two servers on one database, and apps that reach only one of them: a rolling deployment, what comes in at the other server, and limits for both.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LimitedEntry } from "./harness/apps/limited.ts";
import { startApp } from "./harness/apps.ts";
import { startDatabase } from "./harness/database.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory, type Program } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 60_000 };
const LONG = { timeout: 180_000 };
let one: TestServer;
let two: TestServer;
let database: pg.Client;
beforeAll(async () => {
  const { url: databaseUrl } = await startDatabase();
  const env = { HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  one = await TestServer.start({ databaseUrl, env });
  two = await TestServer.start({ databaseUrl, env });
}, 120_000);
afterAll(async () => {
  for (const server of [one, two]) await server.stop();
  await database.end();
  await cleanUp();
});

async function deploy(on: TestServer, jobs: string): Promise<Program> {
  const app = startApp(on, "tests/harness/apps/deployed.ts", { JOBS: jobs });
  await app.says(/connected/);
  return app;
}

const at = async (server: TestServer, endpoint: string) =>
  (await one.api.endpointUrl(endpoint)).replace(/^https?:\/\/[^/]+/, server.url);

test(
  "an app that is connected to one server answers and verifies what arrives at the other while its sender waits",
  LONG,
  async () => {
    const app = await deploy(one, "order");
    await two.api.endpointUrl("asked");
    const asked = async (server: TestServer) => {
      const challenge = await fetch(`${await at(server, "asked")}?challenge=x`, { headers: { "x-key": "right" } });
      const verdicts = [];
      for (const key of ["right", "wrong"]) {
        const body = JSON.stringify({ text: `ä${"x".repeat(100_000)}` });
        const headers = { "content-type": "application/json", "x-key": key };
        verdicts.push((await fetch(await at(server, "asked"), { method: "POST", body, headers })).status);
      }
      return [challenge.status, await challenge.text(), ...verdicts];
    };
    const answered = [200, "the challenge", 200, 401];
    expect(await asked(one)).toEqual(answered);
    expect(await asked(two)).toEqual(answered);
    const reachable = async () => {
      const [app] = await two.api.get<{ reachable: boolean }[]>(two.api.at("/apps"));
      return app?.reachable;
    };
    expect(await reachable()).toBe(true);
    const many = await Promise.all(Array.from({ length: 40 }, () => asked(two)));
    expect(many).toEqual(many.map(() => answered));
    await app.stop();
    const since = performance.now();
    const challenge = await fetch(await at(two, "asked"));
    expect([challenge.status, performance.now() - since < 10_000], "nobody has it").toEqual([502, true]);
    expect(await reachable()).toBe(false);
  },
);

test(
  "a new deployment's jobs stay, whichever server its processes and the old one's dial, and which of them is restarted",
  LONG,
  async () => {
    const old = await deploy(one, "order");
    await one.api.knowsJob("order");
    const fresh = await deploy(two, "order,refund");
    for (const server of [one, two]) await server.api.knowsJob("refund");
    const refunded = async (by: TestServer) => {
      const { status, output } = await by.api.runOnce("refund", { name: "refund" }, PATIENT);
      expect([status, output]).toEqual(["SUCCESS", "order,refund"]);
    };
    await refunded(one);
    await one.kill();
    await one.start();
    const ordered = async () => (await one.api.runOnce("order", { name: "order" }, PATIENT)).output;
    await until(async () => (await ordered()) === "order", { what: () => "a run of the old process, which has dialled again" });
    await refunded(two);
    await two.stop();
    await two.start();
    await refunded(one);
    await refunded(two);
    await old.stop();
    await refunded(one);
    await fresh.stop();
  },
);

test(
  "limits hold for runs that come in and execute on both servers, while one is killed, and no slot is left taken",
  LONG,
  async () => {
    const journal = join(freshDirectory(), "limited.jsonl");
    const apps = [one, two].map((server) =>
      startApp(server, "tests/harness/apps/limited.ts", { APP_JOURNAL: journal, TOGETHER: "3" }),
    );
    for (const app of apps) await app.says(/connected/);
    for (const server of [one, two]) await server.api.knowsJob("alone");
    const entries = () => readJournal<LimitedEntry>(journal);
    const send = (server: TestServer, count: number) => {
      const one = (_: unknown, i: number) =>
        server.api.send({ name: "work", payload: { customer: { id: ["ada", "bo"][i % 2] } } });
      return Promise.all(Array.from({ length: count }, one));
    };
    await Promise.all([send(one, 15), send(two, 15)]);
    await until(() => entries().filter(({ what }) => what === "ended").length > 6, { what: () => "the first ends" });
    await one.kill();
    await send(two, 5);
    await one.start();
    for (const job of ["alone", "by-key"]) {
      const runs = await two.api.settled(job, 35, PATIENT);
      expect(runs.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
    }
    const running = new Map<string, string>();
    const peaks = { all: 0, alone: 0, ada: 0 };
    for (const entry of entries()) {
      if (entry.what === "ended") running.delete(entry.run);
      if (entry.what !== "began") continue;
      running.set(entry.run, entry.job === "alone" ? "alone" : entry.key);
      const now = [...running.values()];
      peaks.all = Math.max(peaks.all, now.length);
      for (const name of ["alone", "ada"] as const)
        peaks[name] = Math.max(peaks[name], now.filter((each) => each === name).length);
    }
    expect(peaks.all).toBeLessThanOrEqual(3);
    expect(peaks.alone).toBe(1);
    expect(peaks.ada).toBeLessThanOrEqual(2);
    const { rows } = await database.query(
      "select (select count(*)::int from slots) slots, (select count(*)::int from parked) parked, (select coalesce(sum(used), 0)::int from gates) used, (select count(*)::int from work where kind = 'run') work",
    );
    expect(rows).toEqual([{ slots: 0, parked: 0, used: 0, work: 0 }]);
    for (const app of apps) await app.stop();
  },
);
