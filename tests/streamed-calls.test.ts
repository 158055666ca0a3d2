// Calls of a program of our SDK to a real server, through a proxy: many travel over one stream, each counts once whatever breaks, and the program ends by itself.
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp, freshDirectory, type Program, ROOT, startProgram } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { StreamProxy, type Treatment } from "./harness/stream-proxy.ts";
import { until } from "./harness/until.ts";

const EVENTS = 300;
const LONG = { timeout: 120_000 };

let server: TestServer;
let proxy: StreamProxy;
let rounds = 0;

beforeAll(async () => {
  server = await TestServer.start();
  const env = { ...server.appEnv, DIARY: join(freshDirectory(), "diary") };
  await startCopiedApp({ mounting: "ours", files: ["tests/published/long-haul.ts"], env });
  await server.api.knowsJob("haul");
}, 60_000);
afterEach(async () => {
  await proxy.close();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

/** A program that sends events through a proxy. */
async function sending(treatment: Treatment): Promise<Program> {
  proxy = await StreamProxy.start(server.url);
  proxy.treatment = treatment;
  const env = { ...server.appEnv, TRIGGER_API_URL: proxy.url, EVENTS: String(EVENTS), ROUND: String(++rounds) };
  return startProgram(["--import", "tsx", join(ROOT, "tests/harness/apps/sender.ts")], { env });
}

/** It ends by itself, and every event has started one run that completed. */
async function allOnce(program: Program): Promise<void> {
  await program.says(/^all sent$/m);
  expect(await program.exited).toMatchObject({ code: 0 });
  const ids = Array.from({ length: EVENTS }, (_, i) => `round-${rounds}-event-${i}`);
  const runsOf = async (id: string) => (await server.api.get<{ runs: { status: string }[] }>(`/api/v2/events/${id}`)).runs;
  for (const id of ids) {
    const runs = await until(
      async () => {
        const found = await runsOf(id);
        return found.every(({ status }) => status === "SUCCESS") && found;
      },
      { what: () => `the end of the run of ${id}` },
    );
    expect(runs, id).toHaveLength(1);
  }
}

test("over one stream: a few requests, whatever the number of calls, and nothing keeps the program", LONG, async () => {
  await allOnce(await sending("pass"));
  expect(proxy.streams).toBe(1);
  expect(proxy.calls).toBeLessThan(EVENTS / 2);
});

test.each(["refuse", "hold"] as const)(
  "a proxy that would %s a stream is asked once, and gets requests",
  LONG,
  async (treatment) => {
    await allOnce(await sending(treatment));
    expect(proxy.streams).toBe(1);
    expect(proxy.calls).toBe(EVENTS);
  },
);

test("a stream that breaks loses no call, and repeats none whose answer never came", LONG, async () => {
  const program = await sending("pass");
  await program.says(/^sent round-\d+-event-100$/m);
  expect(proxy.streams).toBe(1);
  proxy.isDeaf = true;
  await until(() => proxy.swallowed > 0, { everyMs: 5, what: () => "an answer that does not come back" });
  const before = proxy.calls;
  proxy.cut();
  proxy.isDeaf = false;
  await allOnce(program);
  expect(proxy.calls).toBeGreaterThan(before);
});

test("a server that is killed while calls come in, and started again", LONG, async () => {
  const program = await sending("pass");
  await program.says(/^sent round-\d+-event-100$/m);
  await server.kill();
  await server.start();
  await allOnce(program);
});

test("a server ends in time though programs that hold a stream and a connection stand still", LONG, async () => {
  const own = await TestServer.start();
  const env = { ...own.appEnv, DIARY: join(freshDirectory(), "diary") };
  const app = await startCopiedApp({ mounting: "ours", files: ["tests/published/long-haul.ts"], env });
  proxy = await StreamProxy.start(own.url);
  const sender = startProgram(["--import", "tsx", join(ROOT, "tests/harness/apps/sender.ts")], {
    env: { ...own.appEnv, TRIGGER_API_URL: proxy.url, EVENTS: "1000000", ROUND: "still", EVENT: "nobody waits for this" },
  });
  await until(() => proxy.streams === 1, { what: () => "a stream" });
  await sender.says(/^sent round-still-event-100$/m);
  for (const program of [sender, app]) program.signal("SIGSTOP");
  // The harness kills what has not ended 30 s after it was asked to.
  expect(await own.stop()).toMatchObject({ code: 0 });
  for (const program of [sender, app]) await program.kill();
});
