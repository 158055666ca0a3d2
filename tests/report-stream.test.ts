// The reports of a called app of our SDK, on real servers and through proxies of every kind: over one stream where it works, by requests where it does not, and
// whatever breaks, no step that was acknowledged is done again.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp, freshDirectory, type Program } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { StreamProxy, type Treatment } from "./harness/stream-proxy.ts";
import { until } from "./harness/until.ts";

const LEGS = 60;
const LEG_MS = 15;
/** Posted before the stream stands: three, the one that opens it, and what is reported during the handshake, which may take its time on a busy machine. */
const FIRST_POSTS = LEGS / 2;
const LONG = { timeout: 120_000 };

let server: TestServer;
const opened: { app: Program; proxy: StreamProxy }[] = [];

beforeAll(async () => {
  server = await TestServer.start();
});
afterEach(async () => {
  for (const { app, proxy } of opened.splice(0)) {
    await app.stop();
    await proxy.close();
  }
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

/** An app behind a proxy in the middle of its run of sixty steps. */
async function hauling(treatment: Treatment) {
  const proxy = await StreamProxy.start(server.url);
  proxy.treatment = treatment;
  const diary = join(freshDirectory(), "diary");
  const env = { ...server.appEnv, TRIGGER_API_URL: proxy.url, DIARY: diary };
  const app = await startCopiedApp({ mounting: "ours-by-push", files: ["tests/published/long-haul.ts"], env });
  opened.push({ app, proxy });
  await server.api.knowsJob("haul");
  const { id: event } = await server.api.send({ name: "haul", payload: { legs: LEGS, legMs: LEG_MS } });
  const run = await until(async () => (await server.api.runsOf("haul"))[0], { what: () => `the run of ${event}` });
  const begun = () => readFileSync(diary, { encoding: "utf8", flag: "a+" }).match(/^begin \d+$/gm) ?? [];
  const reaches = (leg: number) => until(() => begun().length > leg, { everyMs: 5, what: () => `leg ${leg}` });
  /** How the run went. */
  const finish = async () => {
    const { output, executions } = await server.api.reaches(run.id, "SUCCESS", { withinMs: 60_000 });
    expect(output).toEqual({ done: Array.from({ length: LEGS }, (_, leg) => leg) });
    return { executions, begun: begun().length };
  };
  return { proxy, reaches, finish };
}

const ONCE = { executions: 1, begun: LEGS };

test("over one stream: a few requests, whatever the number of steps", LONG, async () => {
  const { proxy, finish } = await hauling("pass");
  expect(await finish()).toEqual(ONCE);
  expect(proxy.streams).toBe(1);
  expect(proxy.posts).toBeLessThanOrEqual(FIRST_POSTS);
});

test("a server or a proxy that knows no stream is asked once, and gets requests", LONG, async () => {
  const { proxy, finish } = await hauling("refuse");
  expect(await finish()).toEqual(ONCE);
  expect(proxy.streams).toBe(1);
  expect(proxy.posts).toBeGreaterThanOrEqual(LEGS - 1);
});

test("a proxy that holds frames back keeps no step waiting", LONG, async () => {
  const { proxy, finish } = await hauling("hold");
  expect(await finish()).toEqual(ONCE);
  expect(proxy.streams).toBe(1);
  expect(proxy.posts).toBeGreaterThanOrEqual(LEGS - 1);
});

test("a stream that breaks in the middle loses nothing, also when the server's last answers never came", LONG, async () => {
  const { proxy, reaches, finish } = await hauling("pass");
  await reaches(LEGS / 2);
  expect(proxy.streams).toBe(1);
  const before = proxy.posts;
  proxy.isDeaf = true;
  await until(() => proxy.swallowed > 0, { everyMs: 5, what: () => "an answer that does not come back" });
  proxy.cut();
  proxy.isDeaf = false;
  expect(await finish()).toEqual(ONCE);
  expect(proxy.posts).toBeGreaterThan(before);
});

test("a server that is killed in the middle and started again: what it had acknowledged is not done again", LONG, async () => {
  const { reaches, finish } = await hauling("pass");
  await reaches(LEGS / 2);
  await server.kill();
  await server.start();
  const { executions, begun } = await finish();
  expect(executions).toBeGreaterThan(1);
  expect(begun, "only the step that was under way, once for each execution").toBeLessThan(LEGS + executions);
});
