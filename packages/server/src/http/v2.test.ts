import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Runs } from "../runs/change.ts";
import { endpoint, endpointJob, eventJob, type Fixture, startFixture } from "./fixture.test.mts";
import { runTokenFor } from "./run-token.test.mts";

let server: Fixture;
beforeAll(async () => {
  server = await startFixture();
  const { dev, prod } = server.environments;
  const document = {
    jobs: [endpointJob("on-clerk", "clerk.com"), eventJob("on-order", "order.placed")],
    httpEndpoints: [endpoint("clerk.com", { source: "clerk.com", title: "Clerk" })],
    holdfast: { sdk: "0.1.0" },
  };
  await server.index("shop", dev, document);
  await server.index("shop", prod, { jobs: [eventJob("on-order", "order.placed")], httpEndpoints: [] });
});
afterAll(() => server.stop());

async function order(id: string, payload: unknown = { n: 1 }): Promise<string> {
  const sent = await server.api("/api/v1/events", { method: "POST", body: { event: { name: "order.placed", id, payload } } });
  expect(sent.status).toBe(200);
  const found = (await server.api(`/api/v2/events/${id}`)).json() as { runs: { id: string }[] };
  return found.runs[0]?.id ?? "";
}
const keyOf = (run: string, name: string): string => createHash("sha256").update(`${run}::${name}`).digest("hex");
async function openTask(run: string, name: string, more: object = {}, headers: Record<string, string> = {}) {
  const body = { idempotencyKey: keyOf(run, name), displayKey: name, name, noop: false, ...more };
  return server.api(`/api/v1/runs/${run}/tasks`, {
    method: "POST",
    body,
    headers: { "idempotency-key": body.idempotencyKey, ...headers },
  });
}

describe("the v2 wire", () => {
  it("says who a key is, in the full shape the CLI checks", async () => {
    const who = (await server.api("/api/v1/whoami")).json();
    expect(who).toMatchObject({
      id: server.environments.dev.id,
      slug: "dev",
      type: "DEVELOPMENT",
      pkApiKey: server.keys.dev.publicKey,
    });
    for (const part of [who, who.project, who.organization])
      expect([typeof part.id, typeof part.slug, typeof part.createdAt, typeof part.updatedAt]).toEqual(Array(4).fill("string"));
    expect([who.project.name, who.organization.title]).toEqual(["Holdfast", "Holdfast"]);
  });

  it("refuses keys that are missing, wrong, or public where only secret ones will do", async () => {
    for (const key of ["", "tr_dev_wrong", server.keys.dev.publicKey]) {
      const answer = await server.api("/api/v1/whoami", { key });
      expect([answer.status, answer.json()]).toEqual([
        401,
        { error: "Invalid or Missing API key", message: "Invalid or Missing API key", code: "UNAUTHORIZED" },
      ]);
    }
  });

  it("registers an app, and tells how its index went", async () => {
    const made = await server.api("/api/v1/endpoints", {
      method: "POST",
      body: { id: "cli-app", url: "http://127.0.0.1:1/api/trigger" },
    });
    expect(made.json()).toMatchObject({
      slug: "cli-app",
      endpointIndex: { id: expect.any(String) },
      updatedAt: expect.any(String),
    });
    const index = await server.api(`/api/v1/endpointindex/${made.json().endpointIndex.id}`);
    expect(index.json()).toMatchObject({
      status: "SUCCESS",
      stats: { jobs: 0, sources: 0, dynamicTriggers: 0, dynamicSchedules: 0 },
    });
    expect((await server.api("/api/v1/endpoints/cli-app/index", { method: "POST" })).json()).toMatchObject({ status: "SUCCESS" });
    expect((await server.api("/api/v1/endpoints", { method: "POST", body: { id: "x", url: "not a url" } })).status).toBe(400);
  });

  it("takes events whatever their content type, once per id, and looks them up", async () => {
    const event = { name: "order.placed", id: "order-1", payload: { n: 1.5, deep: { __proto__: null } }, context: { a: 1 } };
    const send = () =>
      server.api("/api/v1/events", { method: "POST", body: { event }, headers: { "content-type": "text/plain;charset=UTF-8" } });
    const [first, again] = [await send(), await send()];
    expect(first.json()).toMatchObject({
      id: "order-1",
      name: "order.placed",
      payload: { n: 1.5 },
      context: { a: 1 },
      timestamp: expect.any(String),
    });
    expect(again.json()).toEqual(first.json());
    const found = (await server.api("/api/v2/events/order-1")).json();
    expect(found).toMatchObject({ id: "order-1", name: "order.placed", runs: [{ status: "QUEUED" }] });
    const bulk = await server.api("/api/v1/events/bulk", {
      method: "POST",
      body: { events: [{ name: "a", payload: 1 }, { name: "b" }] },
    });
    expect(bulk.json()).toMatchObject([
      { name: "a", payload: 1 },
      { name: "b", payload: {} },
    ]);
  });

  it("refuses events of the wrong shape with 422 and both names of the error", async () => {
    const answer = await server.api("/api/v1/events", { method: "POST", body: { event: { payload: 1 } } });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({ error: expect.stringContaining("event.name"), message: expect.any(String) });
  });

  it("refuses a delivery so far away that nobody can name its time, and stores nothing", async () => {
    const event = { name: "order.placed", id: "in-a-long-time" };
    for (const deliverAfter of [1e11, 1e15, Number.MAX_SAFE_INTEGER]) {
      const answer = await server.api("/api/v1/events", { method: "POST", body: { event, options: { deliverAfter } } });
      expect([answer.status, answer.json().message]).toEqual([422, expect.stringContaining("options.deliverAfter")]);
    }
    expect((await server.api(`/api/v2/events/${event.id}`)).status).toBe(404);
    const longest = await server.api("/api/v1/events", { method: "POST", body: { event, options: { deliverAfter: 1e10 } } });
    expect([longest.status, longest.json().deliverAt]).toEqual([200, expect.stringMatching(/^2[23]/)]);
  });

  it("says what is no date, and takes null for none, not for 1970", async () => {
    const send = (event: object, options: object = {}) =>
      server.api("/api/v1/events", { method: "POST", body: { event: { name: "order.dated", ...event }, options } });
    const bad = await send({ timestamp: "yesterday" }, { deliverAt: "tomorrow" });
    expect(bad.status).toBe(422);
    for (const place of ["event.timestamp", "options.deliverAt"])
      expect(bad.json().message).toContain(`${place}: Invalid date: give one such as 2026-03-01T09:00:00Z`);
    const none = await send({ timestamp: null }, { deliverAt: null, deliverAfter: null });
    expect(none.status).toBe(200);
    expect(Date.parse(none.json().timestamp)).toBeGreaterThan(Date.parse("2020-01-01"));
    const later = await send({}, { deliverAt: null, deliverAfter: 3600 });
    expect(later.json()).toMatchObject({ deliverAt: expect.any(String) });
  });

  it("opens, completes and fails tasks as the trigger-version says", async () => {
    const run = await order("order-tasks");
    const bare = await openTask(run, "outer");
    expect([bare.headers.get("trigger-version"), bare.json().status, bare.json().idempotencyKey]).toEqual([
      null,
      "RUNNING",
      keyOf(run, "outer"),
    ]);
    const lazy = await openTask(run, "outer", {}, { "trigger-version": "2023-09-29", "x-cached-tasks-cursor": "" });
    expect([lazy.headers.get("trigger-version"), lazy.json()]).toEqual([
      "2023-09-29",
      { task: expect.objectContaining({ id: bare.json().id, attempts: 1 }) },
    ]);
    const { id } = bare.json();
    const text = await server.api(`/api/v1/runs/${run}/tasks/${id}/complete`, {
      method: "POST",
      body: { output: '{"n":41}' },
      headers: { "trigger-version": "2023-11-01" },
    });
    expect(text.json()).toMatchObject({ status: "COMPLETED", output: { n: 41 } });
    const cached = await openTask(run, "second", {}, { "trigger-version": "2023-09-29", "x-cached-tasks-cursor": id });
    expect(cached.json().cachedTasks).toMatchObject({ tasks: [{ id, output: { n: 41 }, status: "COMPLETED" }] });
    const raw = await openTask(run, "raw");
    const completed = await server.api(`/api/v1/runs/${run}/tasks/${raw.json().id}/complete`, {
      method: "POST",
      body: { output: "plain" },
    });
    expect(completed.json()).toMatchObject({ status: "COMPLETED", output: "plain" });
    const third = await openTask(run, "third");
    const failed = await server.api(`/api/v1/runs/${run}/tasks/${third.json().id}/fail`, {
      method: "POST",
      body: { error: { message: "no", name: "Bad" } },
    });
    expect(failed.json()).toMatchObject({ status: "ERRORED", error: "Bad: no" });
    const nothing = await openTask(run, "throws nothing");
    const failedSo = await server.api(`/api/v1/runs/${run}/tasks/${nothing.json().id}/fail`, {
      method: "POST",
      body: { error: { name: "Unknown error" } },
    });
    expect(failedSo.json()).toMatchObject({ status: "ERRORED", error: "Unknown error: undefined" });
    const noop = await openTask(run, "log", { noop: true, properties: [{ label: "Level", text: "INFO" }, { label: "half" }] });
    expect(noop.json()).toMatchObject({ status: "COMPLETED", properties: [{ label: "Level", text: "INFO" }] });
  });

  it("lets a task that nobody awaited go on when its run has ended, unless that was canceled", async () => {
    const [done, canceled] = [await order("order-floating"), await order("order-floating-canceled")];
    const call = (run: string, id: string) =>
      server.api(`/api/v1/runs/${run}/tasks/${id}/complete`, { method: "POST", body: { output: 1 } });
    const open = await Promise.all([done, canceled].map(async (run) => (await openTask(run, "early")).json().id as string));
    const token = await runTokenFor(server, done);
    const row = await server.store.run(null, done);
    if (row) await new Runs(server.world, server.store).apply(row, { type: "succeeded", token, output: "1" });
    await server.api(`/api/v1/runs/${canceled}/cancel`, { method: "POST" });

    expect((await call(done, open[0] ?? "")).json().status).toBe("COMPLETED");
    const late = (await openTask(done, "late")).json();
    expect(late.status).toBe("RUNNING");
    expect((await call(done, late.id)).json().status).toBe("COMPLETED");
    expect((await server.store.tasks(done)).map(({ status }) => status)).toEqual(["CANCELED", "CANCELED"]);

    expect((await call(canceled, open[1] ?? "")).json().status).toBe("CANCELED");
    expect((await openTask(canceled, "late")).json().status).toBe("CANCELED");
  });

  it("refuses task calls without a key, for other runs, and over the limit", async () => {
    const run = await order("order-limits");
    const noKey = await server.api(`/api/v1/runs/${run}/tasks`, { method: "POST", body: { idempotencyKey: "k" } });
    expect([noKey.status, noKey.json().error]).toEqual([400, "Invalid or Missing idempotency key"]);
    expect((await openTask("run_00000000000000000000000000", "x")).status).toBe(404);
    expect((await openTask(run, "big", { params: "x".repeat(3 * 1024 * 1024) })).status).toBe(413);
    const task = (await openTask(run, "big-output")).json();
    const output = JSON.stringify("y".repeat(3 * 1024 * 1024 + 1));
    const complete = `/api/v1/runs/${run}/tasks/${task.id}/complete`;
    expect(
      (await server.api(complete, { method: "POST", body: { output }, headers: { "trigger-version": "2023-11-01" } })).status,
    ).toBe(413);
    expect((await openTask(run, "big-output")).json()).toMatchObject({
      status: "ERRORED",
      error: expect.stringContaining("The limit is 3MB"),
    });
  });

  it("shows a run with its tasks by page, nested when asked, with details only for the secret key", async () => {
    const run = await order("order-shown");
    const parent = (await openTask(run, "p", { params: { a: 1 } })).json();
    for (const name of ["q", "r"]) await openTask(run, name);
    await openTask(run, "child", { parentId: parent.id });
    const page = (await server.api(`/api/v2/runs/${run}?take=2`)).json();
    expect(page.tasks.map(({ displayKey }: { displayKey: string }) => displayKey)).toEqual(["p", "q"]);
    expect(page.tasks[0]).not.toHaveProperty("params");
    const rest = (await server.api(`/api/v2/runs/${run}?take=2&cursor=${page.nextCursor}`)).json();
    expect([rest.tasks.map(({ displayKey }: { displayKey: string }) => displayKey), rest.nextCursor]).toEqual([["r"], undefined]);
    const full = (await server.api(`/api/v2/runs/${run}?subtasks=true&taskdetails=true`)).json();
    expect(full.tasks[0]).toMatchObject({ params: { a: 1 }, subtasks: [{ displayKey: "child", subtasks: [] }] });
    const open = await server.api(`/api/v2/runs/${run}?taskdetails=true&subtasks=false`, { key: server.keys.dev.publicKey });
    expect(open.headers.get("access-control-allow-origin")).toBe("*");
    expect(open.json().tasks[0]).not.toHaveProperty("params");
    expect(open.json().tasks[0]).not.toHaveProperty("subtasks");
    const preflight = await fetch(`${server.url}/api/v2/runs/${run}`, {
      method: "OPTIONS",
      headers: { origin: "https://x.test", "access-control-request-headers": "authorization" },
    });
    expect([preflight.status, preflight.headers.get("access-control-max-age")]).toEqual([204, "300"]);
    expect((await server.api(`/api/v1/runs/${run}/statuses`)).json()).toEqual({
      run: { id: run, status: "QUEUED" },
      statuses: [],
    });
  });

  it("cancels a run and lists a job's", async () => {
    const run = await order("order-cancel");
    const canceled = (await server.api(`/api/v1/runs/${run}/cancel`, { method: "POST" })).json();
    expect(canceled).toMatchObject({ id: run, status: "CANCELED", tasks: [], completedAt: expect.any(String) });
    expect((await server.api(`/api/v1/runs/${run}/cancel`, { method: "POST" })).json()).toMatchObject({ status: "CANCELED" });
    const listed = (await server.api("/api/v1/jobs/on-order/runs?take=1")).json();
    expect(listed).toMatchObject({ runs: [{ id: run, status: "CANCELED" }], nextCursor: run });
  });

  it("records reports of our SDK under a live token, and says when it is stale", async () => {
    const run = await order("order-reports");
    const token = await runTokenFor(server, run);
    const report = {
      key: "k1",
      id: "task_1",
      name: "one",
      status: "COMPLETED",
      attempt: 1,
      startedAgo: 5,
      endedAgo: 0,
      output: "[1.0]",
    };
    const post = (of: string) => server.api(`/api/v1/executions/${of}/reports`, { method: "POST", body: { items: [report] } });
    expect((await post(token)).json()).toEqual({ ok: true });
    expect((await server.store.tasks(run))[0]).toMatchObject({ id: "task_1", outputText: "[1.0]" });
    const stale = await post(`exe_old.${run}`);
    expect([stale.status, stale.json().code]).toEqual([409, "STALE_EXECUTION"]);
    expect((await post("exe_x.nothing")).status).toBe(404);
  });
});

describe("paths and methods", () => {
  it("takes double slashes, a slash at the end, HEAD and OPTIONS", async () => {
    expect((await server.api("//api//v1/whoami/")).status).toBe(200);
    const head = await server.api("/api/v1/whoami", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    const options = await server.api("/api/v1/events", { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "POST, OPTIONS"]);
  });

  it("answers 405 with what is possible, and 404 for what is not there", async () => {
    const wrong = await server.api("/api/v1/events", { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow"), wrong.json().code]).toEqual([405, "POST, OPTIONS", "METHOD_NOT_ALLOWED"]);
    for (const path of ["/api/v1/nothing", "/api/v3/runs/x", "/mcp", "/api"]) {
      const answer = await server.api(path);
      expect([answer.status, answer.json().code]).toEqual([404, "NOT_FOUND"]);
    }
  });

  it("refuses broken and overly nested JSON with 400", async () => {
    const send = (body: string) =>
      fetch(`${server.url}/api/v1/events`, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${server.keys.dev.secretKey}` },
      });
    expect((await send("{")).status).toBe(400);
    expect((await send(`${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`)).status).toBe(400);
    expect((await send("")).status).toBe(422);
  });
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
