// Apps that misbehave: one that speaks nonsense over connect, one that a job kills again and again. Whatever an app does to one of its runs,
// its other runs go on, and no run is tried for ever.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

afterAll(cleanUp);

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

interface Frame {
  t: string;
  start?: { token: string; run: { id: string } };
  x?: string;
  message?: string;
}

/** An app without an SDK: says what the test says. */
class BareApp {
  readonly heard: Frame[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<number>;

  constructor(url: string) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/connect`, {
      headers: { authorization: `Bearer ${DEV_KEY}` },
    });
    this.socket.on("message", (data) => void this.heard.push(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
  }

  async hello(app: string, event: string, holds: string[] = []): Promise<void> {
    await new Promise((resolve) => this.socket.once("open", resolve));
    const specification = { name: event, title: event, source: "trigger.dev", icon: "i" };
    const trigger = { type: "static", title: event, properties: [], rule: { event, source: "trigger.dev" } };
    const job = {
      id: event,
      name: event,
      version: "1",
      event: specification,
      trigger,
      integrations: {},
      enabled: true,
      preprocessRuns: false,
    };
    const index = { jobs: [job], sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
    this.say({ t: "hello", protocol: 1, app, sdk: "0", concurrency: 10, holds, index });
    await this.hears(({ t }) => t === "welcome");
  }
  say(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }
  hears(match: (frame: Frame) => boolean): Promise<Frame> {
    return until(() => this.heard.find(match), { what: () => `a frame; heard ${JSON.stringify(this.heard)}` });
  }
  async executes(run: string): Promise<string> {
    const { start } = await this.hears(({ start }) => start?.run.id === run);
    return start?.token ?? "";
  }
}

async function newRun(event: string): Promise<string> {
  const before = new Set((await server.api.runsOf(event)).map(({ id }) => id));
  await server.api.send({ name: event });
  const run = await until(async () => (await server.api.runsOf(event)).find(({ id }) => !before.has(id)), {
    what: () => `a run of ${event}`,
  });
  return run.id;
}

describe("an app that speaks nonsense over connect", () => {
  test("ends the run it speaks for, and no other", async () => {
    const app = new BareApp(server.url);
    await app.hello("garbled", "garbled");
    const [good, bad, worse] = [await newRun("garbled"), await newRun("garbled"), await newRun("garbled")];
    const task = { key: "k", id: "task_k", name: "n", status: "WAITING", attempt: 1, startedAgo: 0, delayMs: null };
    app.say({ t: "report", x: await app.executes(bad), n: 1, items: [task] });
    app.say({ t: "end", x: await app.executes(worse), items: [], outcome: { status: "DONE" } });
    const failed = await server.api.reaches(bad, "FAILURE");
    expect(failed.errorDetail?.message).toMatch(/not in the form of the connect protocol \(items\.0\.delayMs: /);
    expect((await server.api.reaches(worse, "FAILURE")).errorDetail?.message).toContain("outcome");
    app.say({ t: "end", x: await app.executes(good), items: [], outcome: { status: "SUCCESS", output: '"well"' } });
    expect((await server.api.reaches(good, "SUCCESS")).output).toBe("well");
    app.socket.close();
  });

  test("is told what is wrong and let go when no run is named; its runs go to the next connection", async () => {
    const app = new BareApp(server.url);
    await app.hello("rude", "rude");
    const run = await newRun("rude");
    await app.executes(run);
    app.say("garbage");
    expect((await app.hears(({ t }) => t === "refused")).message).toContain("it is not JSON");
    expect(await app.closed).toBe(1002);
    const next = new BareApp(server.url);
    await next.hello("rude", "rude");
    next.say({ t: "end", x: await next.executes(run), items: [], outcome: { status: "SUCCESS" } });
    await server.api.reaches(run, "SUCCESS");
    next.socket.close();
  });
});

describe("a job that kills its app each time, in a step that was seen to run", () => {
  const LOSSES = 5;

  test("counts as going nowhere: each pause before the next try is twice the last one", async () => {
    let run = "";
    const deaths: number[] = [];
    const starts: number[] = [];
    for (let i = 0; i < LOSSES; i++) {
      const app = new BareApp(server.url);
      await app.hello("poisoned", "poisoned");
      run ||= await newRun("poisoned");
      const x = await app.executes(run);
      starts.push(performance.now());
      const seen = { key: `step ${i}`, id: `task_${i}`, name: "n", status: "RUNNING", attempt: 1, startedAgo: 0 };
      const logged = { ...seen, key: `line ${i}`, id: `task_line_${i}`, status: "COMPLETED", noop: true };
      app.say({ t: "report", x, n: 1, items: [seen, logged] });
      await app.hears(({ t }) => t === "ack");
      deaths.push(performance.now());
      app.socket.terminate();
    }
    // 0.2 s, 0.4 s, 0.8 s, 1.6 s; were each loss forgiven, all would be 0.2 s. The twentieth in a row ends the run.
    const pauses = starts.slice(1).map((time, i) => time - (deaths[i] ?? 0));
    for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(200 * 2 ** i - 50);
  });
});

test("a run that does not end is left with its app at the end of a drain, which goes on with it after the next start", async () => {
  const app = new BareApp(server.url);
  await app.hello("endless", "endless");
  const run = await newRun("endless");
  const x = await app.executes(run);
  const stopped = server.stop();
  await app.hears(({ t }) => t === "draining");
  expect(await stopped).toEqual({ code: 0, signal: null });
  expect(await app.closed).toBe(1001);
  expect(app.heard.filter(({ t }) => t === "stale")).toEqual([]);
  expect(server.program.output()).not.toContain("could not be written");
  await server.start();
  const again = new BareApp(server.url);
  await again.hello("endless", "endless", [x]);
  expect(await again.hears(({ t }) => t === "resumed")).toEqual({ t: "resumed", held: [x], stale: [] });
  again.say({ t: "end", x, items: [], outcome: { status: "SUCCESS" } });
  await again.hears(({ t }) => t === "ended");
  expect(await server.api.run(run)).toMatchObject({ status: "SUCCESS", executions: 1 });
  again.socket.close();
}, 90_000);
