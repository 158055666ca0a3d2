// Calls that fail on their way to an app or in what it is served by, by the published SDK and by ours: what may pass is tried again, ever later, and what will not
// ends the run with what was said.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyApp, type Mounting, removeCopiedApps } from "./harness/copied-app.ts";
import { type Instead, type Platform, startPlatform } from "./harness/platform.ts";
import { cleanUp, freshDirectory } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";

const NEVER_CUT_MS = 60_000;
const html = (status: number): Instead => ({ status, body: "<html><body>Bad gateway</body></html>" });
const said = (status: number, message: string): Instead => ({ status, body: JSON.stringify({ message }) });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

describe.each<Mounting>(["published", "ours-by-push"])("calls that fail, SDK %s", (mounting) => {
  let platform: Platform;
  beforeAll(async () => {
    const env = { ...server.appEnv, DIARY: `${freshDirectory()}/diary` };
    const start = copyApp({ mounting, files: ["tests/published/long-haul.ts"], env });
    platform = await startPlatform(NEVER_CUT_MS, (PUBLIC_URL) => start({ PUBLIC_URL }));
    await server.api.knowsJob("haul");
  });
  afterAll(() => platform.close());

  async function haul(failing: readonly Instead[]) {
    platform.failNext(failing);
    const before = platform.cameAt.length;
    const run = await server.api.runOnce("haul", { name: "haul", payload: { legs: 2, legMs: 1 } });
    const came = platform.cameAt.slice(before);
    const waits = came.slice(1).map((at, n) => at - (came[n] ?? 0));
    return { run, waits };
  }

  test("what a server may say that is not well is tried again, ever later", async () => {
    const { run, waits } = await haul([said(500, "the database is away"), html(502), html(503)]);
    expect(run.output, JSON.stringify(run.errorDetail)).toEqual({ done: [0, 1] });
    expect(waits).toHaveLength(3);
    // v2's 0.75 s, 1.125 s, 1.6875 s, and up to a fifth more: timers fire up to a millisecond early by this clock.
    for (const [n, wait] of waits.entries()) expect(wait, `pause ${n}`).toBeGreaterThanOrEqual(500 * 1.5 ** (n + 1) - 2);
  });

  test("a connection that breaks is tried again", async () => {
    const { run, waits } = await haul(["reset"]);
    expect(run.output, JSON.stringify(run.errorDetail)).toEqual({ done: [0, 1] });
    expect(waits).toHaveLength(1);
  });

  test.each<[string, Instead, string]>([
    ["a refusal with a reason", said(400, "no such job here"), "no such job here"],
    ["a page that is not there", html(404), "Endpoint responded with 404 status code"],
    ["a page where an answer should be", html(200), "Endpoint responded with invalid JSON"],
  ])("%s ends the run with what was said", async (_name, answer, message) => {
    const { run, waits } = await haul([answer]);
    expect([run.status, run.error]).toEqual(["FAILURE", message]);
    expect(waits, "one call and no more").toEqual([]);
  });
});
