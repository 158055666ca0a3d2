// Programs in the style of apps written for v2: on the published SDK and on ours, by connect and by push, each ends the same way, with the same output and the same tasks.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TaskView } from "@holdfast/protocol";
import { TriggerClient } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp, type Program } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { shown, steady } from "./harness/shown.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 40_000 };
const LONG = { timeout: 60_000 };
const FINAL = ["SUCCESS", "FAILURE", "INVALID_PAYLOAD", "CANCELED", "ABORTED", "TIMED_OUT"];

let server: TestServer;
let vendor: Server;
let vendorUrl = "";
const tries = new Map<string, number>();

beforeAll(async () => {
  vendor = createServer((request, response) => {
    request.resume().on("end", () => {
      const path = request.url ?? "";
      const count = (tries.get(path) ?? 0) + 1;
      tries.set(path, count);
      const fails = path.startsWith("/flaky/") && count < 3;
      response.writeHead(fails ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(path === "/ok" ? { ok: true } : { tries: count }));
    });
  });
  await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", () => resolve()));
  vendorUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
  vendor.close();
  vendor.closeAllConnections();
});

interface Ended {
  job: string;
  status: string;
  output?: unknown;
  tasks: object[];
}

async function ended(runId: string, job: string): Promise<Ended> {
  const look = async () => {
    const run = await server.api.call<{ status: string; output?: unknown }>("GET", `/api/v2/runs/${runId}`);
    return FINAL.includes(run.status) ? run : null;
  };
  const { status, output } = await until(look, { ...PATIENT, what: () => `the end of ${job}` });
  const tasks = (await server.api.tasks(runId)).map((task) => steady(JSON.stringify(shown(task)))).sort();
  return { job, status, output: withoutStack(output), tasks: tasks.map((text) => JSON.parse(text)) };
}

function withoutStack(output: unknown): unknown {
  if (typeof output !== "object" || output === null || !("stack" in output)) return output;
  const { stack: _stack, ...rest } = output;
  return rest;
}

const results = new Map<Mounting, Record<string, Ended>>();

describe.each<Mounting>(["published", "ours", "ours-by-push"])("programs, SDK %s", (mounting) => {
  const mine: Record<string, Ended> = {};
  let app: Program;
  let backend: TriggerClient;

  beforeAll(async () => {
    const env = { ...server.appEnv, VENDOR_URL: vendorUrl };
    app = await startCopiedApp({ mounting, files: ["tests/published/programs.ts"], env });
    await server.api.knowsJob("nightly");
    backend = new TriggerClient({ id: "backend", apiKey: DEV_KEY, apiUrl: server.url });
    results.set(mounting, mine);
  });
  afterAll(() => app.stop());

  /** Sends an event; the runs it started, ended, by their jobs. */
  const run = async (name: string, payload: unknown, job: string, as = job): Promise<Ended> => {
    const { id } = await backend.sendEvent({ name, payload });
    const started = async () => (await server.api.call<{ runs: { id: string }[] }>("GET", `/api/v2/events/${id}`)).runs[0];
    const { id: runId } = await until(started, { ...PATIENT, what: () => `the run of ${job}` });
    const result = await ended(runId, job);
    mine[as] = result;
    return result;
  };

  test("mails with pauses between them, for either of two events", LONG, async () => {
    const payload = { id: "u1", email: "ada@example.com", name: "Ada" };
    const sent = ["welcome to Ada", "tips to Ada", "offer to Ada"];
    expect(await run("person.signed-up", payload, "drip-mails")).toMatchObject({
      status: "SUCCESS",
      output: { by: "person.signed-up", sent, version: "1.2.0", test: false },
    });
    const { name: _name, ...unnamed } = payload;
    expect(await run("person.invited", unnamed, "drip-mails", "invited")).toMatchObject({
      status: "SUCCESS",
      output: { by: "person.invited", sent: sent.map((text) => text.replace("Ada", "friend")) },
    });
  });

  test("a payload that does not fit the schema is told where", LONG, async () => {
    expect(await run("person.invited", { id: "u2", email: "none" }, "drip-mails", "invalid")).toMatchObject({
      status: "INVALID_PAYLOAD",
      output: [{ path: ["email"], message: expect.any(String) }],
      tasks: [],
    });
  });

  test("a task for each row, in order and at once, with what it shows", LONG, async () => {
    const rows = [1, 2, 3, 4].map((id) => ({ id }));
    const row = (id: number) => ({ id, doubled: id * 2, at: new Date(id).toISOString() });
    expect(await run("rows.import", { rows }, "import-rows")).toMatchObject({
      status: "SUCCESS",
      output: { inOrder: [row(1), row(2)], together: [row(3), row(4)], parsed: "parsed 6" },
    });
  });

  test("retries by option and by hand, skipped ones, errors replaced and caught", LONG, async () => {
    const result = await run("calls.flaky", { tag: mounting }, "flaky-calls");
    expect(result).toMatchObject({
      status: "SUCCESS",
      output: {
        retried: { tries: 3 },
        byHand: { tries: 3 },
        outcomes: ["broken", "another", "broken"],
        tried: "caught broken",
      },
    });
    // v2's SDK tries the parent of a failed task once more before it knows that it may not.
    const twice = mounting === "published" ? { Outer: 2 } : {};
    const attempts = Object.fromEntries((result.tasks as TaskView[]).map(({ name, attempts: n }) => [name, n]));
    expect(attempts).toEqual({ Retried: 3, "By hand": 3, Skipped: 1, Replaced: 1, "Given up": 2, Outer: 1, Inner: 1, ...twice });
    for (const task of result.tasks as TaskView[]) if (task.name === "Outer") task.attempts = 1;
  });

  test("delays, tasks that are only noted, random numbers that stay, yields", LONG, async () => {
    expect(await run("work.later", {}, "later")).toMatchObject({
      status: "SUCCESS",
      output: { delayed: "done", stable: true, between: true },
    });
  });

  test("events from runs, to jobs that filter by source and payload", LONG, async () => {
    expect(await run("orders.placed", { tag: mounting }, "fan-out")).toMatchObject({
      status: "SUCCESS",
      output: { one: "order.paid", many: ["order.paid", "order.paid", "order.paid"], found: "order.paid" },
    });
    const before = (mounting === "published" ? 0 : mounting === "ours" ? 1 : 2) * 2;
    const large = await server.api.settled("large-orders", before + 2, PATIENT);
    const outputs = await Promise.all(large.slice(0, 2).map(async ({ id }) => (await server.api.run(id)).output));
    expect(outputs.sort((a, b) => (a as { euros: number }).euros - (b as { euros: number }).euros)).toEqual([
      { tag: mounting, euros: 50, by: "fan-out" },
      { tag: mounting, euros: 70, by: "others" },
    ]);
  });

  test("parallel branches that wait, and some that fail", LONG, async () => {
    const { id } = await backend.invokeJob("parallel-work", { items: ["a", "b", "c"] });
    const result = await ended(id, "parallel-work");
    mine["parallel-work"] = result;
    expect(result).toMatchObject({ status: "SUCCESS", output: { waited: ["0 a", "1 b", "2 c"], failed: ["no b"] } });
  });

  test("what a run knows of itself, and what is switched off", LONG, async () => {
    expect(await run("look.around", {}, "look-around")).toMatchObject({
      status: "SUCCESS",
      output: {
        seen: { newest: true },
        names: ["dev", "DEVELOPMENT", "look-around", "string", "string"],
        started: true,
        timestamp: true,
      },
    });
    expect(await server.api.runsOf("switched-off")).toEqual([]);
  });

  test("errors: a thrown text, and one in a task", LONG, async () => {
    expect(await run("throws.text", {}, "throws-text")).toMatchObject({
      status: "FAILURE",
      output: { message: "just a text", name: "Unknown error" },
    });
    expect(await run("fails.in-task", {}, "fails-in-task")).toMatchObject({
      status: "FAILURE",
      output: { message: "out of range" },
    });
  });

  test("a test run of a job on a schedule", LONG, async () => {
    const payload = { ts: new Date(0).toISOString(), lastTimestamp: new Date(0).toISOString() };
    const made = await server.api.call<{ id: string }>("POST", "/api/v1/environments/dev/jobs/nightly/test", { payload });
    mine.nightly = await ended(made.id, "nightly");
    expect(mine.nightly).toMatchObject({ status: "SUCCESS", output: { rows: 3, ts: true } });
  });
});

test.each<Mounting>(["ours", "ours-by-push"])(
  "the runs and their tasks are the same on %s as on the published SDK",
  (mounting) => {
    const published = results.get("published") ?? {};
    expect(Object.keys(published)).toHaveLength(12);
    for (const [name, result] of Object.entries(published)) expect(results.get(mounting)?.[name], name).toEqual(result);
  },
);
