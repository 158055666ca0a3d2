// Two servers on one database, and apps that reach only one of them: a rolling deployment, what comes in at the other server, who waits and watches there, logins,
// and limits for both.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LimitedEntry } from "./harness/apps/limited.ts";
import { startApp } from "./harness/apps.ts";
import { startDatabase } from "./harness/database.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory, type Program } from "./harness/processes.ts";
import { ADMIN_PASSWORD, DEV_KEY, TestServer } from "./harness/server.ts";
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

const KEY = { authorization: `Bearer ${DEV_KEY}` };

/** Runs it and waits for its end in one request; answers the run's id. */
async function invoked(by: TestServer, job: string): Promise<string> {
  const headers = { ...KEY, "content-type": "application/json", prefer: "wait=60" };
  const answer = await fetch(`${by.url}/api/v1/jobs/${job}/invoke`, { method: "POST", headers, body: "{}" });
  const { id, status } = (await answer.json()) as { id: string; status?: string };
  expect([answer.status, status]).toEqual([200, "SUCCESS"]);
  return id;
}

test("servers tell each other of the ends of those runs that are awaited on another one, and of no others", LONG, async () => {
  const app = await deploy(one, "order");
  for (const server of [one, two]) await server.api.knowsJob("order");
  const said: { type: string; runId: string }[] = [];
  database.on("notification", ({ payload }) => {
    const { messages } = JSON.parse(payload ?? "") as { messages: typeof said };
    said.push(...messages.filter(({ type }) => type === "awaited" || type === "ended"));
  });
  await database.query("listen holdfast");
  for (let i = 0; i < 5; i += 1) await invoked(one, "order");
  const runs: string[] = [];
  for (let i = 0; i < 5; i += 1) runs.push(await invoked(two, "order"));
  const told = () => said.map(({ type, runId }) => `${runId} ${type}`).sort();
  const awaited = runs.flatMap((id) => [`${id} awaited`, `${id} ended`]).sort();
  await until(() => told().length >= awaited.length, { what: () => `word of all; there is ${told()}` });
  expect(told()).toEqual(awaited);
  await database.query("unlisten holdfast");
  database.removeAllListeners("notification");
  await app.stop();
});

/** Reads a stream of events until one of them fits. */
async function heard(from: Response, fits: (text: string) => boolean): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of from.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (fits(text)) return;
  }
  throw new Error(`the stream ended: ${text}`);
}

test("pages that watch one server see what happens on the other, and go on there when theirs is gone", LONG, async () => {
  const app = await deploy(one, "order");
  await two.api.knowsJob("order");
  const live = (server: TestServer) => fetch(server.url + server.api.at("/live"), { headers: KEY });
  const watched = (server: TestServer, id: string) => fetch(`${server.url}/api/v2/runs/${id}/stream`, { headers: KEY });
  const page = await live(two);
  const id = await invoked(one, "order");
  await heard(page, (text) => text.includes(`"${id}"`) && text.includes("SUCCESS"));
  await app.stop();
  await one.api.send({ name: "order" });
  const run = await until(async () => (await one.api.runsOf("order")).find(({ status }) => status === "QUEUED"), {
    what: () => "a run that has no app",
  });
  const before = await watched(two, run.id);
  await heard(before, (text) => text.includes("QUEUED"));
  await two.kill();
  const after = await watched(one, run.id);
  const again = await deploy(one, "order");
  await heard(after, (text) => text.includes("SUCCESS"));
  await two.start();
  await again.stop();
});

test("a login holds on every server, and logouts on several at one moment all count on all of them", LONG, async () => {
  const session = (server: TestServer, method: string, more: { cookie?: string; body?: string } = {}) => {
    const headers = { "x-holdfast": "1", "content-type": "application/json", ...(more.cookie ? { cookie: more.cookie } : {}) };
    return fetch(`${server.url}/api/v1/session`, { method, headers, ...(more.body ? { body: more.body } : {}) });
  };
  const login = async () => {
    const answer = await session(one, "POST", { body: JSON.stringify({ password: ADMIN_PASSWORD }) });
    return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  };
  const cookies = await Promise.all(Array.from("abcd", login));
  const open = async () => {
    const asked = cookies.flatMap((cookie) => [one, two].map((server) => session(server, "GET", { cookie })));
    const answers = await Promise.all(asked.map(async (answer) => (await (await answer).json()) as { authenticated: boolean }));
    return answers.filter(({ authenticated }) => authenticated).length;
  };
  expect(await open()).toBe(8);
  await Promise.all(cookies.map((cookie, i) => session([one, two][i % 2] as TestServer, "DELETE", { cookie })));
  await until(async () => (await open()) === 0, { what: () => "all logouts to be known on both servers" });
});

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
