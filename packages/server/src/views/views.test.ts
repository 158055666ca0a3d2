import type { RunInput } from "@holdfast/engine";
import type { ApiRun, ApiRunTask, Page, RunStatus, TaskView } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventJob, type Fixture, startFixture } from "../http/fixture.test.mts";
import { runTokenFor } from "../http/run-token.test.mts";
import { Runs } from "../runs/change.ts";
import { sampleTask } from "../store/samples.conformance.ts";
import { createMeter } from "./meter.ts";
import { nestsDeeper, parsed } from "./reader.ts";
import { errorOf } from "./runs.ts";

describe("nestsDeeper", () => {
  it("counts what nests, not what stands in strings", () => {
    expect(nestsDeeper("[[[1]]]", 2)).toBe(true);
    expect(nestsDeeper("[[[1]]]", 3)).toBe(false);
    expect(nestsDeeper('["[[[[[[\\"[[[["]', 1)).toBe(false);
    expect(nestsDeeper('[{},{},{},{"a":[]}]', 3)).toBe(false);
  });

  it("keeps a text too deep to be written again as it is", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    expect(parsed(deep)).toBe(deep);
    expect([parsed('{"a":1}'), parsed("{"), parsed(null)]).toEqual([{ a: 1 }, "{", undefined]);
  });
});

describe("errorOf", () => {
  it("says in one sentence how any outcome went wrong", () => {
    const text = (outcome: object) => errorOf(JSON.stringify(outcome))?.message;
    expect(text({ status: "FAILURE", error: { message: "boom", name: "E" } })).toBe("boom");
    expect(text({ status: "INVALID_PAYLOAD", errors: [{ path: ["a", 0], message: "required" }] })).toBe(
      "The payload is invalid: a.0: required",
    );
    expect(text({ status: "UNRESOLVED_AUTH", issues: { slack: { id: "s", error: "e" } } })).toBe(
      "Connections are missing: slack",
    );
    expect([text({ status: "CANCELED" }), errorOf(null), errorOf("not json")]).toEqual([undefined, null, null]);
  });
});

describe("createMeter", () => {
  it("writes Prometheus text, escaped, one head a name", () => {
    const meter = createMeter();
    meter.count("holdfast_deliveries_total", { verdict: "verified" });
    meter.count("holdfast_deliveries_total", { verdict: "verified" }, 2);
    meter.count("holdfast_deliveries_total", { verdict: 'a"\n\\' });
    const gauge = { name: "g", help: "h", value: 1.5 };
    expect(
      meter
        .text([
          { ...gauge, labels: { kind: "run" } },
          { ...gauge, labels: { kind: "event" } },
        ])
        .split("\n"),
    ).toEqual([
      "# HELP holdfast_deliveries_total Requests received at endpoints, by verdict.",
      "# TYPE holdfast_deliveries_total counter",
      'holdfast_deliveries_total{verdict="verified"} 3',
      'holdfast_deliveries_total{verdict="a\\"\\n\\\\"} 1',
      "# HELP g h",
      "# TYPE g gauge",
      'g{kind="run"} 1.5',
      'g{kind="event"} 1.5',
      "",
    ]);
  });
});

describe("views of real rows", () => {
  let server: Fixture;
  const run: Record<string, string> = {};
  beforeAll(async () => {
    server = await startFixture();
    await server.index("app", server.environments.dev, { jobs: ["alpha", "beta"].map((id) => eventJob(id, id)) });
    const ends: [string, string, RunInput["type"] | null, object][] = [
      ["ok", "alpha", "succeeded", { output: '{"n":1.0}' }],
      ["bad", "alpha", "failed", { error: { message: "card declined\nat line 2", name: "CardError", stack: "CardError: …" } }],
      ["worse", "alpha", "failed", { error: { message: "second" } }],
      ["invalid", "beta", "invalidPayload", { errors: [{ path: ["email"], message: "required" }] }],
      ["waiting", "beta", "suspended", { dueAt: server.world.now() + 3_600_000 }],
      ["queued", "beta", null, {}],
    ];
    for (const [name, job, end, more] of ends) run[name] = await make(job, name, end, more);
  });
  afterAll(() => server.stop());

  async function make(job: string, name: string, end: RunInput["type"] | null, more: object): Promise<string> {
    await server.api("/api/v1/events", { method: "POST", body: { event: { name: job, id: name, payload: { name } } } });
    const id = (await server.api(`/api/v2/events/${name}`)).json().runs[0].id as string;
    if (!end) return id;
    const token = await runTokenFor(server, id);
    const row = await server.store.run(null, id);
    if (row) await new Runs(server.world, server.store).apply(row, { type: end, token, ...more } as RunInput);
    return id;
  }
  const views = () => server.rooms.views;
  const dev = () => server.environments.dev;
  const named = (ids: string[]): string[] => ids.map((id) => Object.entries(run).find(([, value]) => value === id)?.[0] ?? id);
  const list = async (query: object): Promise<string[]> =>
    named((await views().runs.list(dev(), { limit: 50, ...query })).items.map(({ id }) => id));

  it("lists newest first under every filter, alone and together", async () => {
    expect(await list({})).toEqual(["queued", "waiting", "invalid", "worse", "bad", "ok"]);
    expect(await list({ job: "alpha" })).toEqual(["worse", "bad", "ok"]);
    expect(await list({ statuses: ["FAILURE", "SUCCESS"] as RunStatus[] })).toEqual(["worse", "bad", "ok"]);
    expect(await list({ statuses: ["FAILURE", "INVALID_PAYLOAD"] as RunStatus[], job: "beta" })).toEqual(["invalid"]);
    expect(await list({ q: "CARD declined" })).toEqual(["bad"]);
    expect(await list({ q: "beta", statuses: ["QUEUED"] as RunStatus[] })).toEqual(["queued"]);
    expect(await list({ q: "%" })).toEqual([]);
    expect(await list({ before: server.environments.dev.createdAt })).toEqual([]);
    expect(await views().runs.list(server.environments.prod, { limit: 50 })).toEqual({ items: [] });
  });

  it("pages through statuses without losing or repeating a run", async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const statuses: RunStatus[] = ["FAILURE", "SUCCESS", "QUEUED", "WAITING_TO_CONTINUE"];
      const page = await views().runs.list(dev(), { statuses, limit: 2, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor);
    expect(named(seen)).toEqual(["queued", "waiting", "worse", "bad", "ok"]);
  });

  it("shows how each run stands", async () => {
    const show = async (name: string) => views().runs.detail(dev(), run[name] ?? "");
    expect(await show("ok")).toMatchObject({
      status: "SUCCESS",
      output: { n: 1 },
      error: null,
      errorDetail: null,
      resumeAt: null,
      executions: 1,
    });
    expect(await show("bad")).toMatchObject({
      status: "FAILURE",
      error: "card declined",
      errorDetail: { name: "CardError", stack: "CardError: …" },
    });
    expect(await show("invalid")).toMatchObject({ status: "INVALID_PAYLOAD", error: "The payload is invalid: email: required" });
    expect(await show("waiting")).toMatchObject({
      status: "WAITING_TO_CONTINUE",
      completedAt: null,
      resumeAt: expect.stringContaining("T"),
    });
    expect(await show("queued")).toMatchObject({ status: "QUEUED", startedAt: null, executions: 0 });
    expect(await views().runs.detail(server.environments.prod, run.ok ?? "")).toBeNull();
  });

  it("pages through tasks that started in one microsecond without skipping or repeating one", async () => {
    const runId = run.queued ?? "";
    const keys = ["a", "b.b", "c", "d"];
    for (const key of keys.toReversed()) {
      const task = sampleTask(runId, { key, id: `id-${key}`, position: 5 });
      await server.store.recordTask({ task, token: null, failureText: null });
    }
    const { tasks } = views();
    const read: string[] = [];
    const v2: string[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined && read.length < 9; ) {
      const page: Page<TaskView> = await tasks.page(runId, { cursor, limit: 1 });
      read.push(...page.items.map(({ idempotencyKey }) => idempotencyKey));
      cursor = page.nextCursor;
    }
    const plain = { take: 1, subtasks: false, details: false };
    for (let cursor: string | undefined = ""; cursor !== undefined && v2.length < 9; ) {
      const page = await tasks.apiPage(runId, { ...plain, cursor });
      v2.push(...page.tasks.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(read).toEqual(keys);
    expect(v2).toEqual(keys.map((key) => `id-${key}`));
    expect((await tasks.page(runId, { cursor: "nonsense\0", limit: 9 })).items).toHaveLength(4);
  });

  it("bounds what v2's page of tasks holds by bytes, those inside others too, and loses none", { timeout: 60_000 }, async () => {
    const runId = run.waiting ?? "";
    /** More than a page holds. */
    const LARGE = 5_000_000;
    const outputText = JSON.stringify("x".repeat(LARGE));
    const record = (id: string, parentId: string | null) => {
      const task = sampleTask(runId, { id, parentId, displayKey: id, outputText, detailsText: '{"params":{"n":1}}' });
      return server.store.recordTask({ task, token: null, failureText: null });
    };
    const tops = ["t1", "t2", "t3", "t4", "t5"];
    for (const top of tops) await record(top, null);
    for (const child of ["a", "b", "c"]) await record(`t1.${child}`, "t1");
    await record("t1.a.deep", "t1.a");
    const ask = async (query: string): Promise<{ size: number; run: ApiRun }> => {
      const { text } = await server.api(`/api/v2/runs/${runId}?take=50&${query}`);
      return { size: text.length, run: JSON.parse(text) as ApiRun };
    };
    const seen: ApiRunTask[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined && seen.length < 9; ) {
      const { size, run: page } = await ask(`taskdetails=true&subtasks=true${cursor && `&cursor=${cursor}`}`);
      // One output of those on top, and one of those inside: each may be larger than the bound.
      expect(size).toBeLessThan(2 * (LARGE + 10_000));
      seen.push(...page.tasks);
      cursor = page.nextCursor;
    }
    expect(seen.map(({ id }) => id)).toEqual(tops);
    for (const { output, params } of seen) expect([String(output).length, params]).toEqual([LARGE, { n: 1 }]);
    const [a, ...others] = seen[0]?.subtasks ?? [];
    expect([a?.output, a?.detailsOmitted]).toEqual(["x".repeat(LARGE), undefined]);
    for (const omitted of [...others, ...(a?.subtasks ?? [])]) {
      expect(omitted).toMatchObject({ status: "COMPLETED", detailsOmitted: true });
      expect(omitted).not.toHaveProperty("output");
    }
    expect([others.map(({ id }) => id), a?.subtasks?.map(({ id }) => id)]).toEqual([["t1.b", "t1.c"], ["t1.a.deep"]]);
    // The environment's own pages are bounded by params, too.
    const paramsText = JSON.stringify({ params: "y".repeat(LARGE) });
    const more = ["u1", "u2", "u3"].map((id) => sampleTask(run.queued ?? "", { id, outputText: "1", detailsText: paramsText }));
    for (const task of more) await server.store.recordTask({ task, token: null, failureText: null });
    const page = await views().tasks.page(run.queued ?? "", { limit: 100 });
    expect([page.items.at(-1)?.id, page.nextCursor]).toEqual(["u1", expect.any(String)]);
    // Without details nothing large is even read.
    const plain = await ask("subtasks=true");
    expect([plain.size < 10_000, plain.run.tasks.length, plain.run.nextCursor]).toEqual([true, 5, undefined]);
    expect(JSON.stringify(plain.run)).not.toContain("detailsOmitted");
  });

  it("counts by job and by hour, and names what fails", async () => {
    const now = server.world.now();
    const jobs = await views().activity.jobs(dev(), ["alpha", "beta", "gone"], now);
    expect(jobs.get("alpha")).toMatchObject({ runs24h: 3, failed24h: 2 });
    expect(named(jobs.get("alpha")?.lastRuns.map(({ id }) => id) ?? [])).toEqual(["worse", "bad", "ok"]);
    expect(jobs.get("gone")).toEqual({ lastRuns: [], runs24h: 0, failed24h: 0 });
    const overview = await views().activity.overview(
      dev(),
      server.registry.apps(dev().id).map(({ id }) => id),
      now,
    );
    const total = overview.hours.flatMap(({ runs }) => Object.values(runs)).reduce((a, b) => a + b, 0);
    expect([total, overview.queueDepth]).toEqual([6, 1]);
    expect(overview.failingJobs).toMatchObject([
      { job: "alpha", jobName: "Job alpha", runs: 3, failed: 2, lastFailure: { runId: run.worse, error: "second" } },
      { job: "beta", runs: 3, failed: 1, lastFailure: { error: "The payload is invalid: email: required" } },
    ]);
    expect(await views().activity.jobs(dev(), [], now)).toEqual(new Map());
  });

  it("lists those that execute, which stand with those that succeeded, and each of both by itself", async () => {
    run.busy = await make("alpha", "busy", null, {});
    const token = await runTokenFor(server, run.busy);
    expect(await list({ statuses: ["EXECUTING"] as RunStatus[] })).toEqual(["busy"]);
    expect(await list({ statuses: ["EXECUTING", "FAILURE"] as RunStatus[], job: "alpha" })).toEqual(["busy", "worse", "bad"]);
    expect(await list({ statuses: ["EXECUTING"] as RunStatus[], job: "beta" })).toEqual([]);
    expect(await list({ statuses: ["EXECUTING"] as RunStatus[], q: "gamma" })).toEqual([]);
    expect(await list({ statuses: ["EXECUTING"] as RunStatus[], cursor: run.busy })).toEqual([]);
    expect(await list({ statuses: ["SUCCESS"] as RunStatus[] })).toEqual(["ok"]);
    expect(await views().runs.list(server.environments.prod, { statuses: ["EXECUTING"], limit: 50 })).toEqual({ items: [] });
    const row = await server.store.run(null, run.busy);
    if (row) await new Runs(server.world, server.store).apply(row, { type: "succeeded", token, output: null });
    expect(await list({ statuses: ["EXECUTING"] as RunStatus[] })).toEqual([]);
    expect(await list({ statuses: ["SUCCESS"] as RunStatus[] })).toEqual(["busy", "ok"]);
  });
});
