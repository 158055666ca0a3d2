import { createHash } from "node:crypto";
import { type LiveMessage, UserFacingError } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { endpoint, endpointJob, eventJob, type Fixture, startFixture } from "./fixture.test.mts";
import { runTokenFor } from "./run-token.test.mts";

let server: Fixture;
beforeAll(async () => {
  server = await startFixture();
  const { dev, prod } = server.environments;
  const document = {
    jobs: [endpointJob("on-clerk", "clerk.com"), eventJob("on-order", "order.placed")],
    httpEndpoints: [endpoint("clerk.com", { source: "clerk.com" })],
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

describe("the management API", () => {
  const of = (path: string, init = {}) => server.api(`/api/v1/environments/dev/${path}`, init);

  it("lists, filters and pages runs", async () => {
    const runs = [await order("m-1"), await order("m-2"), await order("m-3")];
    const first = (await of("runs?limit=2&job=on-order")).json();
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual([runs[2], runs[1]]);
    const second = (await of(`runs?limit=2&job=on-order&cursor=${first.nextCursor}`)).json();
    expect(second.items[0].id).toBe(runs[0]);
    expect(first.items[0]).toMatchObject({
      job: "on-order",
      jobName: "Job on-order",
      environment: "dev",
      status: "QUEUED",
      eventName: "order.placed",
    });
    await of(`runs/${runs[0]}/cancel`, { method: "POST" });
    const canceled = (await of("runs?status=CANCELED&status=FAILURE")).json();
    expect(canceled.items.length).toBeGreaterThan(0);
    expect(new Set(canceled.items.map(({ status }: { status: string }) => status))).toEqual(new Set(["CANCELED"]));
    expect((await of(`runs?q=${runs[1]}`)).json().items).toMatchObject([{ id: runs[1] }]);
    expect((await of("runs?after=2999-01-01T00:00:00Z")).json()).toEqual({ items: [] });
    expect((await of("runs?before=2000-01-01T00:00:00Z")).json()).toEqual({ items: [] });
    for (const bad of ["runs?status=WRONG", "runs?after=never", "runs?limit=0", "runs?q=%00"])
      expect((await of(bad)).status).toBe(400);
  });

  it("shows a run with event, app and tasks; cancels it, continues it, runs it again", async () => {
    const run = await order("m-detail", { sku: "a", __proto__: 1 });
    await openTask(run, "step", { icon: "bolt", params: { x: 1 }, properties: [{ label: "k", text: "v", url: "https://e.x" }] });
    const detail = (await of(`runs/${run}`)).json();
    expect(detail).toMatchObject({
      id: run,
      event: { id: "m-detail", name: "order.placed", payload: { sku: "a" }, payloadType: "JSON" },
      app: { slug: "shop" },
      delivery: null,
    });
    expect(detail.tasks.items).toMatchObject([
      {
        name: "step",
        key: "step",
        status: "RUNNING",
        icon: "bolt",
        params: { x: 1 },
        properties: [{ label: "k", text: "v", url: "https://e.x" }],
      },
    ]);
    expect((await of(`runs/${run}/continue`, { method: "POST" })).status).toBe(409);
    expect((await of(`runs/${run}/cancel`, { method: "POST" })).json()).toMatchObject({
      status: "CANCELED",
      tasks: { items: [{ status: "CANCELED" }] },
    });
    expect((await of(`runs/${run}/continue`, { method: "POST" })).json()).toMatchObject({
      id: run,
      status: "WAITING_TO_EXECUTE",
    });
    const again = (await of(`runs/${run}/rerun`, { method: "POST" })).json();
    expect((await of(`runs/${again.id}`)).json()).toMatchObject({ job: "on-order", event: { payload: { sku: "a" } } });
  });

  it("pages a run's tasks in order of start", async () => {
    const run = await order("m-tasks");
    const token = await runTokenFor(server, run);
    const items = Array.from({ length: 25 }, (_, i) => ({
      key: `k${i}`,
      id: `task_${i}`,
      name: `t${i}`,
      status: "COMPLETED",
      attempt: 1,
      startedAgo: 100 - i,
      endedAgo: 0,
      output: String(i),
    }));
    await server.api(`/api/v1/executions/${token}/reports`, { method: "POST", body: { items } });
    const names: string[] = [];
    let cursor: string | undefined = "";
    for (let pages = 0; cursor !== undefined; pages++) {
      expect(pages).toBeLessThan(4);
      const page = (await of(`runs/${run}/tasks?limit=10${cursor ? `&cursor=${cursor}` : ""}`)).json() as {
        items: { name: string }[];
        nextCursor?: string;
      };
      names.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(names).toEqual(items.map(({ name }) => name));
  });

  it("shows endpoints with URL, provider and counts, and sends samples of every forgery through the front door", async () => {
    const [clerk] = (await of("endpoints")).json();
    expect(clerk).toMatchObject({
      id: "clerk.com",
      title: "Title of clerk.com",
      provider: "clerk",
      verification: "app",
      hasSecret: false,
      jobs: ["on-clerk"],
      url: server.at(server.environments.dev, "clerk.com"),
    });
    expect(clerk.samples.map(({ name }: { name: string }) => name)).toContain("user.created");
    const send = (body: object) => of("endpoints/clerk.com/send", { method: "POST", body });
    const none = await send({ sample: "user.created" });
    expect([none.status, none.json().hint]).toEqual([422, expect.stringContaining("CLERK_WEBHOOK_SIGNING_SECRET")]);
    expect((await send({ sample: "user.created", secret: "whsec_!!!" })).status).toBe(422);
    expect((await send({ sample: "nothing" })).status).toBe(404);
    expect(
      (await of("endpoints/clerk.com/secret", { method: "PUT", body: { preset: "svix", secret: "sk_live_wrong" } })).status,
    ).toBe(422);
    const secret = `whsec_${Buffer.alloc(24, 3).toString("base64")}`;
    const short = { preset: "svix", secret: `whsec_${Buffer.alloc(15, 7).toString("base64")}` };
    const tooShort = await of("endpoints/clerk.com/secret", { method: "PUT", body: short });
    expect([tooShort.status, tooShort.json().message]).toEqual([422, expect.stringContaining("only 15 bytes")]);
    expect(tooShort.json().hint).toContain("openssl rand -base64 24");
    expect((await of("endpoints/clerk.com/secret", { method: "PUT", body: { preset: "svix", secret } })).json()).toMatchObject({
      verification: "preset",
      hasSecret: true,
    });
    const verdicts: Record<string, string> = {};
    for (const forge of ["valid", "tampered", "stale", "unsigned", "wrong-secret"]) {
      const { status, deliveryId } = (await send({ sample: "user.created", forge })).json();
      const kept = (await of(`deliveries/${deliveryId}`)).json();
      verdicts[forge] = `${status} ${kept.verdict} ${kept.reason?.split(/[:.]/)[0] ?? ""}`.trim();
    }
    expect(verdicts).toEqual({
      valid: "200 verified",
      tampered: "200 refused No matching signature found",
      stale: "200 refused Message timestamp too old",
      unsigned: "200 refused Missing Svix headers",
      "wrong-secret": "200 refused No matching signature found",
    });
    expect((await of("endpoints/clerk.com")).json()).toMatchObject({
      accepted24h: 1,
      refused24h: 4,
      lastDeliveryAt: expect.any(String),
    });
    const refused = (await of("deliveries?verdict=refused&endpoint=clerk.com&limit=3")).json();
    expect([refused.items.length, typeof refused.nextCursor]).toEqual([3, "string"]);
    expect((await of(`deliveries?verdict=refused&endpoint=clerk.com&cursor=${refused.nextCursor}`)).json().items).toHaveLength(1);
    expect((await of("endpoints/clerk.com/secret", { method: "PUT", body: { secret: null } })).json()).toMatchObject({
      verification: "app",
      hasSecret: false,
    });
  });

  it("shows jobs with their last runs, and tests them", async () => {
    const { id } = (await of("jobs/on-order/test", { method: "POST", body: { payload: { sku: "t" } } })).json();
    expect((await of(`runs/${id}`)).json()).toMatchObject({ isTest: true, job: "on-order", event: { payload: { sku: "t" } } });
    const http = (await of("jobs/on-clerk/test", { method: "POST", body: { payload: { type: "user.created" } } })).json();
    expect((await of(`runs/${http.id}`)).json()).toMatchObject({
      event: { payloadType: "REQUEST", payload: { method: "POST", rawBody: '{"type":"user.created"}' } },
    });
    const jobs = (await of("jobs")).json() as { id: string }[];
    expect(jobs.find((one) => one.id === "on-clerk")).toMatchObject({
      trigger: { type: "http" },
      endpoint: "clerk.com",
      lastRuns: expect.arrayContaining([expect.objectContaining({ id: http.id })]),
    });
    expect((await of("jobs/on-order")).json()).toMatchObject({
      trigger: { type: "event" },
      app: "shop",
      runs24h: expect.any(Number),
    });
  });

  it("shows the overview: 24 hours, failing jobs, what is due", async () => {
    const overview = (await of("overview")).json();
    expect(overview.hours).toHaveLength(24);
    expect(Object.values(overview.hours[23].runs as Record<string, number>).reduce((a, b) => a + b, 0)).toBeGreaterThan(5);
    expect(overview.queueDepth).toBeGreaterThan(0);
    expect(overview.oldestQueuedMs).toBeGreaterThanOrEqual(0);
    expect(overview.failingJobs).toEqual([]);
  });

  it("shows environments, keys, apps and the catalogue", async () => {
    expect((await server.api("/api/v1/environments")).json()).toMatchObject([{ slug: "dev" }]);
    expect((await of("keys")).json()).toEqual(server.keys.dev);
    expect((await of("keys/rotate", { method: "POST" })).status).toBe(403);
    expect((await of("apps")).json()[0]).toMatchObject({
      slug: "shop",
      transport: "connect",
      reachable: true,
      jobs: 2,
      endpoints: 1,
    });
    expect((await of("apps/shop/refresh", { method: "POST" })).json()).toMatchObject({ slug: "shop" });
    expect((await server.api("/api/v1/catalogue")).json()).toMatchObject([{ id: "clerk" }]);
    expect((await server.api("/api/v1/catalogue/clerk")).json().samples[0].files[0].code).toContain("svix");
    expect((await server.api("/api/v1/catalogue/none")).status).toBe(404);
  });
});

describe("watching the server", () => {
  it("tells health, readiness and metrics without a key", async () => {
    for (const path of ["/healthz", "/readyz"]) expect((await fetch(server.url + path)).status).toBe(200);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/^holdfast_deliveries_total\{verdict="refused"\} \d+$/m);
    expect(text).toMatch(/^holdfast_work_due\{kind="run"\} \d+$/m);
    expect(text).toMatch(/^holdfast_http_requests_total\{status="2xx"\} \d+$/m);
    expect(text.endsWith("\n")).toBe(true);
  });

  it("tells what it can while the database is away", async () => {
    const { activity } = server.rooms.views;
    const { workDue } = activity;
    activity.workDue = () => Promise.reject(new UserFacingError("DATABASE_UNREACHABLE", "away"));
    const answer = await fetch(`${server.url}/metrics`);
    activity.workDue = workDue;
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toMatch(/^holdfast_database_up 0$/m);
    expect(text).toMatch(/^holdfast_http_requests_total/m);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/^holdfast_database_up 1$/m);
  });

  it("streams what changes, and stops listening, silently, when the reader leaves", async () => {
    const { bus } = server.rooms;
    const subscribe = bus.subscribe.bind(bus);
    let listening = 0;
    bus.subscribe = (listener) => {
      const unsubscribe = subscribe(listener);
      listening += 1;
      return () => {
        listening -= 1;
        unsubscribe();
      };
    };
    const written = [vi.spyOn(console, "info"), vi.spyOn(console, "error")];
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${server.keys.dev.secretKey}` };
    const response = await fetch(`${server.url}/api/v1/environments/dev/live`, { headers, signal: leaving.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) text += (await reader?.read())?.value ?? "";
    };
    await until(/: open/);
    const news = (environment: "dev" | "prod", message: LiveMessage) =>
      bus.publish({ type: "live", environmentId: server.environments[environment].id, message });
    news("prod", { type: "tasks", runId: "secret" });
    for (let i = 0; i < 50; i++) news("dev", { type: "run", id: "run_1", job: "j", status: i < 49 ? "QUEUED" : "EXECUTING" });
    await until(/EXECUTING/);
    expect(text.match(/"id":"run_1"/g)?.length).toBeLessThanOrEqual(2);
    expect(text).not.toContain("secret");
    expect(listening).toBe(1);
    leaving.abort();
    const deadline = Date.now() + 5000;
    while (listening > 0 && Date.now() < deadline) await server.api("/healthz");
    expect(listening).toBe(0);
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
    bus.subscribe = subscribe;
  });
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
