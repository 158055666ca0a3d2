// A long step survives what happens to its connection, on real servers and apps: a kill -9 of the server, a reset by a proxy, a rolling restart. It is
// performed once and its run has one execution.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { PromiseEntry } from "./harness/apps/promises.ts";
import { startApp } from "./harness/apps.ts";
import { startDatabase } from "./harness/database.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { TcpProxy } from "./harness/tcp-proxy.ts";
import { until } from "./harness/until.ts";

const APP = "tests/harness/apps/promises.ts";
const PATIENT = { withinMs: 60_000 };
/** Several programs are started in each. */
const LONG = { timeout: 180_000 };

const proxies: TcpProxy[] = [];
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await cleanUp();
});

/** An app behind a proxy, in the middle of the first of two steps. */
async function inLongStep(server: TestServer) {
  const proxy = await TcpProxy.start(server.url);
  proxies.push(proxy);
  const files = freshDirectory();
  const [journal, go] = [join(files, "app.jsonl"), join(files, "go")];
  const app = startApp(server, APP, { APP_JOURNAL: journal, TRIGGER_API_URL: proxy.url });
  await app.says(/mounted/);
  await server.api.knowsJob("two-steps");
  await server.api.send({ name: "two-steps", payload: { file: go } });
  const told = () => readJournal<PromiseEntry>(journal).map(({ what }) => what);
  await until(() => told().includes("first started"), { what: () => "the first step" });
  const [run] = await server.api.runsOf("two-steps");
  const id = run?.id ?? "";
  const endStep = () => {
    writeFileSync(go, "");
    return until(() => told().includes("first ended"), { what: () => "the end of the first step" });
  };
  /** Lets the step end, and says how the run went. */
  const finish = async (on: TestServer) => {
    await endStep();
    const { output, executions } = await on.api.reaches(id, "SUCCESS", PATIENT);
    return { output, executions, told: told() };
  };
  return { proxy, endStep, finish };
}

const ONCE = { output: "done", executions: 1, told: ["first started", "first ended", "second started"] };

test("a server is killed with -9 and started again on its data", LONG, async () => {
  const server = await TestServer.start();
  const { finish } = await inLongStep(server);
  await server.kill();
  await server.start();
  expect(await finish(server)).toEqual(ONCE);
});

test("a step ends while its server is dead", LONG, async () => {
  const server = await TestServer.start();
  const { endStep, finish } = await inLongStep(server);
  await server.kill();
  await endStep();
  await server.start();
  expect(await finish(server)).toEqual(ONCE);
});

test("a proxy resets the connection, again and again", LONG, async () => {
  const server = await TestServer.start();
  const { proxy, finish } = await inLongStep(server);
  for (let i = 0; i < 5; i++) {
    const { connections } = proxy;
    proxy.cut();
    await until(() => proxy.connections > connections, { what: () => "another connection" });
  }
  expect(await finish(server)).toEqual(ONCE);
});

test("a rolling restart: the step moves to the other server, and its former one stops without waiting for it", LONG, async () => {
  const database = await startDatabase();
  const env = { HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  const first = await TestServer.start({ databaseUrl: database.url, env });
  const second = await TestServer.start({ databaseUrl: database.url, env });
  const { proxy, finish } = await inLongStep(first);
  proxy.pointTo(second.url);
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  await first.start();
  proxy.pointTo(first.url);
  expect(await second.stop()).toEqual({ code: 0, signal: null });
  expect(await finish(first)).toEqual(ONCE);
  await first.stop();
});
