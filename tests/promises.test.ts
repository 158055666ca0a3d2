// What DESIGN §1 promises of runs, shown on real servers and apps, by both transports: suspension nobody can swallow, waits that are never early, cancel,
// run again, a graceful end, and two servers on one database.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PromiseEntry } from "./harness/apps/promises.ts";
import { startApp } from "./harness/apps.ts";
import { startDatabase } from "./harness/database.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const APP = "tests/harness/apps/promises.ts";
const PATIENT = { withinMs: 40_000 };

afterAll(cleanUp);

interface Stage {
  server: TestServer;
  journal: string;
  /** What the app wrote about a run, in order. */
  told(run: string): string[];
}

async function stage(mount: "connect" | "push"): Promise<Stage> {
  const server = await TestServer.start();
  const journal = join(freshDirectory(), "app.jsonl");
  await startApp(server, APP, { APP_JOURNAL: journal, MOUNT: mount }).says(/mounted/);
  await server.api.knowsJob("where");
  const told = (run: string) => entriesOf(journal, run);
  return { server, journal, told };
}

function entriesOf(journal: string, run: string): string[] {
  return readJournal<PromiseEntry>(journal).flatMap((entry) => (entry.run === run ? [entry.what] : []));
}

async function onlyRun(server: TestServer, job: string, event: { name: string; payload: unknown }): Promise<string> {
  const before = new Set((await server.api.runsOf(job)).map(({ id }) => id));
  await server.api.send(event);
  const run = await until(async () => (await server.api.runsOf(job)).find(({ id }) => !before.has(id)), {
    what: () => `a run of ${job}`,
  });
  return run.id;
}

describe.each(["connect", "push"] as const)("an app reached by %s", (mount) => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage(mount);
  });
  afterAll(() => on.server.stop());

  test("try, catch, finally, allSettled and race around a wait see nothing of the suspension", async () => {
    const run = await on.server.api.runOnce("guarded-wait", { name: "guarded-wait" }, PATIENT);
    expect(run).toMatchObject({ status: "SUCCESS", output: { caught: false } });
    // Four executions: two suspended inside the try, one behind it in the race, and the last. None of them saw an error or a `finally` too early.
    const whole = ["before", "after", "finally"];
    expect(on.told(run.id)).toEqual(["before", "before", ...whole, ...whole]);
    expect(run.executions).toBe(4);
  });

  test("Promise.all over tasks runs them at once, each of them once", async () => {
    const run = await on.server.api.runOnce("all-at-once", { name: "all-at-once", payload: { width: 10 } }, PATIENT);
    expect(run.status, JSON.stringify(run.errorDetail)).toBe("SUCCESS");
    expect(run.output).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(on.told(run.id).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `task ${i}`));
  });

  test("a race is won in every replay by whoever won it first", async () => {
    const run = await on.server.api.runOnce("timeout-race", { name: "timeout-race" }, PATIENT);
    expect(run).toMatchObject({ status: "SUCCESS", output: "work" });
    // Once at first, once when the timeout is due, once after the wait: by then both racers are recorded. A machine that is late does the last two in one.
    const told = on.told(run.id);
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual(told.map(() => "work"));
  });

  test("a canceled run starts no task any more, and what was under way changes nothing", async () => {
    const file = join(freshDirectory(), "go");
    const id = await onlyRun(on.server, "two-steps", { name: "two-steps", payload: { file } });
    await until(() => on.told(id).includes("first started"), { what: () => "the first step" });
    await on.server.api.post(on.server.api.at(`/runs/${id}/cancel`));
    expect((await on.server.api.run(id)).status).toBe("CANCELED");
    writeFileSync(file, "");
    await until(() => on.told(id).includes("first ended"), { what: () => "the end of the first step" });
    // Another run, start to end, gives the canceled one every chance to go on.
    await on.server.api.runOnce("where", { name: "where", payload: { steps: 2, stepMs: 10 } }, PATIENT);
    expect(on.told(id)).toEqual(["first started", "first ended"]);
    expect((await on.server.api.run(id)).status).toBe("CANCELED");
  });

  test("a failed run can be run again, as a run of its own", async () => {
    const file = join(freshDirectory(), "go");
    const failed = await on.server.api.runOnce("fails-once", { name: "fails-once", payload: { file } }, PATIENT);
    expect(failed).toMatchObject({ status: "FAILURE", errorDetail: { message: "not yet" } });
    writeFileSync(file, "");
    const again: { id: string } = await on.server.api.post(on.server.api.at(`/runs/${failed.id}/rerun`));
    expect(again.id).not.toBe(failed.id);
    expect((await on.server.api.reaches(again.id, "SUCCESS", PATIENT)).output).toBe("done");
    expect((await on.server.api.run(failed.id)).status).toBe("FAILURE");
  });

  test("a wait is never early, also when the server is killed and started again meanwhile", async () => {
    const seconds = 4;
    const id = await onlyRun(on.server, "sleeper", { name: "sleeper", payload: { seconds } });
    await on.server.api.reaches(id, "WAITING_TO_CONTINUE", PATIENT);
    await on.server.kill();
    await on.server.start();
    const run = await on.server.api.reaches(id, "SUCCESS", PATIENT);
    const { slept } = run.output as { slept: number };
    expect(slept).toBeGreaterThanOrEqual(seconds * 1000);
    // Late by what a restart costs, not by a lease or a lost timer.
    expect(slept).toBeLessThan(seconds * 1000 + 10_000);
  });

  test("SIGTERM lets a running task end and exits with 0; the run goes on after the next start", async () => {
    const file = join(freshDirectory(), "go");
    const id = await onlyRun(on.server, "two-steps", { name: "two-steps", payload: { file } });
    await until(() => on.told(id).includes("first started"), { what: () => "the first step" });
    const ended = on.server.stop();
    writeFileSync(file, "");
    expect(await ended).toEqual({ code: 0, signal: null });
    await on.server.start();
    const run = await on.server.api.reaches(id, "SUCCESS", PATIENT);
    expect(run.output).toBe("done");
    expect(on.told(id)).toEqual(["first started", "first ended", "second started"]);
  });
});

describe("two servers on one PostgreSQL", () => {
  let servers: TestServer[];
  const journal = join(freshDirectory(), "app.jsonl");

  beforeAll(async () => {
    const database = await startDatabase();
    const env = { HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
    // One after the other, as a rolling start would: the second finds the environments the first made.
    servers = [await TestServer.start({ databaseUrl: database.url, env })];
    servers.push(await TestServer.start({ databaseUrl: database.url, env }));
    for (const server of servers) await startApp(server, APP, { APP_JOURNAL: journal }).says(/mounted/);
    for (const server of servers) await server.api.knowsJob("where");
  });

  test("both take their share, and each run is executed once", async () => {
    const [first, second] = servers as [TestServer, TestServer];
    const payload = { steps: 5, stepMs: 20 };
    const sends = Array.from({ length: 60 }, (_, i) => (i % 2 ? first : second).api.send({ name: "where", payload }));
    await Promise.all(sends);
    const runs = await first.api.settled("where", 60, PATIENT);
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => "SUCCESS"));
    const outputs = await Promise.all(runs.map(async ({ id }) => (await second.api.run(id)).output as { pid: number }));
    expect(new Set(outputs.map(({ pid }) => pid)).size).toBe(2);
    const steps = readJournal<PromiseEntry>(journal).map(({ run, what }) => `${run} ${what}`);
    expect(steps.length).toBe(60 * 5);
    expect(new Set(steps).size).toBe(60 * 5);
  });

  test("when one is killed, the other finishes its runs", async () => {
    const [first, second] = servers as [TestServer, TestServer];
    const before = (await first.api.runsOf("where")).length;
    const payload = { steps: 20, stepMs: 100 };
    await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? first : second).api.send({ name: "where", payload })));
    await until(async () => (await second.api.runs({ job: "where", status: "EXECUTING" })).length === 10, {
      what: () => "ten executions",
    });
    await first.kill();
    const runs = await second.api.settled("where", before + 10, { withinMs: 60_000 });
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => "SUCCESS"));
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });
});
