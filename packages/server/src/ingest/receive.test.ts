import { gzipSync } from "node:zlib";
import type { DeliveryDetail, DeliverySummary, Page, RequestPayload } from "@holdfast/protocol";
import { Webhook } from "svix";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endpoint, endpointJob, type Fixture, startFixture } from "../http/fixture.test.mts";
import { endpointPurpose } from "./verify.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const LIMIT = 1024 * 1024;
const HOLDFAST = { holdfast: { sdk: "0.1.0" } };

let server: Fixture;
beforeAll(async () => {
  server = await startFixture({ bodyBytes: LIMIT });
  const { dev, prod } = server.environments;
  const endpoints = [
    endpoint("stored"),
    endpoint("told", { answer: "verified" }),
    endpoint("off", { enabled: false }),
    endpoint("gone"),
    endpoint("preset"),
    endpoint("preset-told", { answer: "verified" }),
    endpoint("asks", { immediateResponseFilter: { method: ["GET", "HEAD"], query: { challenge: [{ $exists: true }] } } }),
    endpoint("asks-only", { immediateResponseFilter: { method: ["POST"] }, skipTriggeringRuns: true }),
    endpoint("asks-first", { immediateResponseFilter: { method: ["POST"] } }),
    endpoint("gets"),
  ];
  const jobs = [
    endpointJob("all-stored", "stored"),
    endpointJob("created-only", "stored", { body: { type: ["user.created"] } }),
    ...["told", "preset", "preset-told", "asks", "asks-only", "asks-first"].map((id) => endpointJob(`on-${id}`, id)),
    endpointJob("on-gets", "gets", { method: ["GET", "POST"] }),
  ];
  await server.index("app", dev, { jobs, httpEndpoints: endpoints, ...HOLDFAST });
  await server.index("app", dev, {
    jobs,
    httpEndpoints: endpoints.filter((one) => !("id" in one) || one.id !== "gone"),
    ...HOLDFAST,
  });
  await server.index("old", prod, { jobs: [endpointJob("v2-job", "v2")], httpEndpoints: [endpoint("v2")] });
  for (const slug of ["preset", "preset-told"]) {
    const known = server.registry.endpointIn(dev.id, slug);
    if (!known) throw new Error(slug);
    await server.registry.saveEndpointSecret(known.row, "svix", server.rooms.vault.seal(SECRET, endpointPurpose(known.row)));
  }
});
afterAll(() => server.stop());
beforeEach(() => {
  server.app.asked.length = 0;
  server.app.verify = async () => ({ type: "verified", result: { success: true } });
});

async function post(slug: string, init: RequestInit = {}, environment = server.environments.dev) {
  const response = await fetch(server.at(environment, slug), { method: "POST", body: "{}", ...init } as RequestInit);
  const id = response.headers.get("x-holdfast-delivery");
  return { status: response.status, headers: response.headers, text: await response.text(), id };
}
async function delivery(id: string | null, environment: "dev" | "prod" = "dev"): Promise<DeliveryDetail> {
  const key = server.keys[environment].secretKey;
  const answer = await server.api(`/api/v1/environments/${environment}/deliveries/${id}`, { key });
  expect(answer.status).toBe(200);
  return answer.json();
}
/** What the worker does with a pending delivery. */
async function work(id: string | null): Promise<string> {
  const { store, world, rooms } = server;
  const queues = server.registry.apps().map((app) => ({ queue: app.id, limit: 50 }));
  const claim = await store.claim(
    {
      queues,
      now: world.now(),
      leaseUntil: world.now() + 60_000,
      owner: "test",
      newToken: (subject) => `t.${subject}.${world.newId("execution")}`,
    },
    () => null,
  );
  const item = claim.items.find((one) => one.kind === "delivery" && one.delivery.id === id);
  return item?.kind === "delivery" ? rooms.ingest.verify(item.delivery, item.token) : "not due";
}
let messages = 0;
function svix(body: string, options: { at?: Date; id?: string; secret?: string } = {}): Record<string, string> {
  const id = options.id ?? `msg_${++messages}`;
  const at = options.at ?? new Date();
  const signature = new Webhook(options.secret ?? SECRET).sign(id, at, body);
  return {
    "svix-id": id,
    "svix-timestamp": String(Math.floor(at.getTime() / 1000)),
    "svix-signature": signature,
    "content-type": "application/json",
  };
}

describe("an endpoint whose app verifies later", () => {
  it("answers at once with the delivery's id, and starts runs once the app has verified", async () => {
    const body = JSON.stringify({ type: "user.created" });
    const sent = await post("stored", {
      body,
      headers: { "content-type": "application/json" },
    });
    expect([sent.status, JSON.parse(sent.text)]).toEqual([200, { id: sent.id }]);
    expect(await delivery(sent.id)).toMatchObject({
      verdict: "pending",
      runs: [],
      status: 200,
      endpoint: "stored",
      eventId: null,
    });
    expect(server.app.asked).toEqual([]);
    expect(await work(sent.id)).toBe("settled");
    expect(server.app.asked).toMatchObject([{ what: "verify", endpoint: "stored", request: { method: "POST", rawBody: body } }]);
    const done = await delivery(sent.id);
    expect(done).toMatchObject({ verdict: "verified", reason: null, size: body.length });
    expect(done.runs).toHaveLength(2);
    expect(Buffer.from(done.bodyBase64, "base64").toString()).toBe(body);
    const event = await server.store.event(server.environments.dev.id, { rowId: done.eventId ?? "" });
    expect(event).toMatchObject({
      name: "httpendpoint.stored",
      source: "stored.source",
      payloadType: "REQUEST",
      deliveryId: sent.id,
      isTest: false,
    });
    const payload = JSON.parse(event?.payloadText ?? "") as RequestPayload;
    expect(payload).toMatchObject({ url: server.at(server.environments.dev, "stored"), method: "POST", rawBody: body });
    expect(payload.headers["content-type"]).toBe("application/json");
  });

  it("starts only jobs whose filter matches", async () => {
    const sent = await post("stored", {
      body: JSON.stringify({ type: "user.deleted" }),
      headers: { "content-type": "application/json" },
    });
    await work(sent.id);
    expect((await delivery(sent.id)).runs).toHaveLength(1);
  });

  it("keeps a request the app refuses, with the app's reason and the whole body, and starts nothing", async () => {
    server.app.verify = async () => ({ type: "refused", result: { success: false, reason: "No matching signature found" } });
    const body = "x".repeat(100_000);
    const sent = await post("stored", { body });
    expect(sent.status).toBe(200);
    await work(sent.id);
    const kept = await delivery(sent.id);
    expect(kept).toMatchObject({
      verdict: "refused",
      reason: "No matching signature found",
      runs: [],
      size: body.length,
      bodyTruncated: false,
    });
  });

  it("waits for an app that does not answer", async () => {
    server.app.verify = async () => ({ type: "no-answer", message: "gone" });
    const sent = await post("stored");
    expect(await work(sent.id)).toBe("no-answer");
    expect(await delivery(sent.id)).toMatchObject({ verdict: "pending" });
  });

  it("gives one run a job for one message sent five times at once", async () => {
    const headers = { "svix-id": "msg_five", "content-type": "application/json" };
    const body = JSON.stringify({ type: "user.created" });
    const sent = await Promise.all(Array.from({ length: 5 }, () => post("stored", { body, headers })));
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { store, world, rooms } = server;
    const queues = server.registry.apps().map((app) => ({ queue: app.id, limit: 50 }));
    const claim = await store.claim(
      {
        queues,
        now: world.now(),
        leaseUntil: world.now() + 60_000,
        owner: "test",
        newToken: (subject) => `t.${subject}.${world.newId("execution")}`,
      },
      () => null,
    );
    const ours = claim.items.filter((item) => item.kind === "delivery" && sent.some(({ id }) => id === item.delivery.id));
    expect(ours).toHaveLength(5);
    await Promise.all(ours.map((item) => item.kind === "delivery" && rooms.ingest.verify(item.delivery, item.token)));
    const kept = await Promise.all(sent.map(({ id }) => delivery(id)));
    expect(kept.map(({ verdict }) => verdict).sort()).toEqual(["duplicate", "duplicate", "duplicate", "duplicate", "verified"]);
    expect(kept.flatMap(({ runs }) => runs)).toHaveLength(2);
    const first = kept.find(({ verdict }) => verdict === "verified");
    for (const one of kept.filter(({ verdict }) => verdict === "duplicate")) expect(one.reason).toContain(first?.eventId);
  });
});

describe("an endpoint that tells the verdict", () => {
  it("answers 200 after the app has verified, with the runs started", async () => {
    const sent = await post("told");
    expect(sent.status).toBe(200);
    expect(await delivery(sent.id)).toMatchObject({ verdict: "verified", status: 200, runs: [expect.any(String)] });
    expect(await work(sent.id)).toBe("not due");
  });

  it("answers 401 with the reason of a refusal", async () => {
    server.app.verify = async () => ({ type: "refused", result: { success: false, reason: "Bad" } });
    const sent = await post("told");
    expect([sent.status, JSON.parse(sent.text)]).toEqual([401, { error: "Bad", message: "Bad", id: sent.id }]);
    expect(await delivery(sent.id)).toMatchObject({ verdict: "refused", reason: "Bad", status: 401, runs: [] });
  });

  it("answers 503 while the app cannot be asked, keeps the request, and verifies it later", async () => {
    server.app.verify = async () => ({ type: "no-answer", message: "no connection" });
    const sent = await post("told");
    expect([sent.status, sent.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(await delivery(sent.id)).toMatchObject({ verdict: "pending", status: 503 });
    server.app.verify = async () => ({ type: "verified", result: { success: true } });
    server.clock.ahead += 2000;
    expect(await work(sent.id)).toBe("settled");
    expect(await delivery(sent.id)).toMatchObject({ verdict: "verified", status: 503, runs: [expect.any(String)] });
  });
});

describe("an endpoint with a preset and a stored secret", () => {
  const body = JSON.stringify({ type: "user.created" });

  it("verifies in process and starts runs at once", async () => {
    const sent = await post("preset", { body, headers: svix(body, { id: "msg_preset" }) });
    expect(sent.status).toBe(200);
    expect(server.app.asked).toEqual([]);
    expect(await delivery(sent.id)).toMatchObject({ verdict: "verified", senderId: "msg_preset", runs: [expect.any(String)] });
    const again = await post("preset", { body, headers: svix(body, { id: "msg_preset" }) });
    expect(await delivery(again.id)).toMatchObject({ verdict: "duplicate", runs: [], reason: expect.stringContaining("evt_") });
  });

  it("takes the id that is signed, not another one sent along", async () => {
    const sent = await post("preset", {
      body,
      headers: { ...svix(body, { id: "msg_signed" }), "webhook-id": "msg_other", "idempotency-key": "k" },
    });
    expect(await delivery(sent.id)).toMatchObject({ senderId: "msg_signed" });
  });

  it.each([
    [
      "a wrong secret",
      () => svix(body, { secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
      401,
      "No matching signature found.",
    ],
    ["a stale timestamp", () => svix(body, { at: new Date(server.world.now() - 360_000) }), 401, "too old"],
    ["a future timestamp", () => svix(body, { at: new Date(server.world.now() + 360_000) }), 401, "too new"],
    ["a tampered body", () => svix(`${body} `), 401, "No matching signature found."],
    ["no headers", () => ({}), 400, "Missing Svix headers: svix-id, svix-timestamp, svix-signature."],
  ])("refuses %s: 200 by default, told when asked to", async (_what, headers, status, reason) => {
    const quiet = await post("preset", { body, headers: headers() });
    expect(quiet.status).toBe(200);
    expect(await delivery(quiet.id)).toMatchObject({
      verdict: "refused",
      status: 200,
      runs: [],
      reason: expect.stringContaining(reason),
    });
    const told = await post("preset-told", { body, headers: headers() });
    expect([told.status, JSON.parse(told.text).message]).toEqual([status, expect.stringContaining(reason)]);
    expect(await delivery(told.id)).toMatchObject({ verdict: "refused", status, runs: [] });
  });

  it("verifies what gzip held", async () => {
    const sent = await post("preset", { body: gzipSync(body), headers: { ...svix(body), "content-encoding": "gzip" } });
    expect(await delivery(sent.id)).toMatchObject({ verdict: "verified", size: gzipSync(body).length });
  });
});

describe("an app on a published v2 SDK", () => {
  it("gets its run at once, and says who verifies", async () => {
    const sent = await post("v2", { headers: { "x-request-id": "r1" } }, server.environments.prod);
    expect(sent.status).toBe(200);
    const kept = await delivery(sent.id, "prod");
    expect(kept).toMatchObject({ verdict: "verified", senderId: "r1", runs: [expect.any(String)] });
    expect(kept.reason).toContain("inside the run");
    expect(server.app.asked).toEqual([]);
  });
});

describe("respondWith", () => {
  it("passes the app's answer on, its headers made safe, and starts nothing when it is not 200", async () => {
    server.app.respond = async () => ({
      type: "responded",
      result: {
        status: 202,
        body: "42",
        headers: { "X-A": "b", "Set-Cookie": "a=b", "Content-Length": "9", "X-Bad": "a\r\nb: c", "content-type": "text/plain" },
      },
    });
    const response = await fetch(`${server.at(server.environments.dev, "asks")}?challenge=42`);
    expect([response.status, await response.text(), response.headers.get("x-a")]).toEqual([202, "42", "b"]);
    for (const name of ["set-cookie", "x-bad", "b"]) expect(response.headers.has(name)).toBe(false);
    const kept = await delivery(response.headers.get("x-holdfast-delivery"));
    expect(kept).toMatchObject({
      method: "GET",
      status: 202,
      runs: [],
      verdict: "refused",
      reason: expect.stringContaining("respondWith answered 202"),
    });
  });

  it("shows HEAD to the app as GET and answers without a body", async () => {
    server.app.respond = async () => ({ type: "responded", result: { status: 200, body: { ok: true } } });
    const response = await fetch(`${server.at(server.environments.dev, "asks")}?challenge=1`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(server.app.asked).toMatchObject([{ what: "respond", request: { method: "GET" } }, { what: "verify" }].slice(0, 1));
  });

  it("answers and starts nothing with skipTriggeringRuns; answers and goes on without it", async () => {
    server.app.respond = async () => ({ type: "responded", result: { status: 200, body: { type: 1 } } });
    const only = await post("asks-only");
    expect([only.status, only.text, only.headers.get("content-type")]).toEqual([200, '{"type":1}', "application/json"]);
    expect(await delivery(only.id)).toMatchObject({
      verdict: "verified",
      runs: [],
      reason: expect.stringContaining("starts no runs"),
    });
    const first = await post("asks-first");
    expect(first.text).toBe('{"type":1}');
    expect(await work(first.id)).toBe("settled");
    expect((await delivery(first.id)).runs).toHaveLength(1);
  });

  it("says 502 with Retry-After when the app does not answer, and keeps the request", async () => {
    server.app.respond = async () => ({ type: "no-answer", message: "timeout" });
    const sent = await post("asks-first");
    expect([sent.status, sent.headers.get("retry-after")]).toEqual([502, "5"]);
    expect(await delivery(sent.id)).toMatchObject({
      verdict: "refused",
      status: 502,
      reason: expect.stringContaining("timeout"),
    });
  });
});

describe("requests that are refused", () => {
  it.each(["GET", "HEAD", "OPTIONS"])(
    "answers %s with 405 and what is allowed, unless a job asks for it by name",
    async (method) => {
      const response = await fetch(server.at(server.environments.dev, "stored"), { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, PUT, PATCH, DELETE"]);
      expect(await delivery(response.headers.get("x-holdfast-delivery"))).toMatchObject({
        method,
        verdict: "refused",
        status: 405,
        reason: expect.stringContaining(method),
      });
    },
  );

  it("takes a GET a job filters for", async () => {
    const response = await fetch(server.at(server.environments.dev, "gets"));
    expect(response.status).toBe(200);
    const id = response.headers.get("x-holdfast-delivery");
    await work(id);
    expect((await delivery(id)).runs).toHaveLength(1);
  });

  it("refuses what is disabled or no longer defined with 404", async () => {
    expect([(await post("off")).status, (await post("gone")).status]).toEqual([404, 404]);
    expect(await delivery((await post("gone")).id)).toMatchObject({
      endpoint: "gone",
      reason: expect.stringContaining("no longer defines"),
    });
  });

  it("answers a body over the limit with 413 after reading it, and keeps its beginning", async () => {
    const body = Buffer.alloc(LIMIT + 1_000_000, 0x61);
    const sent = await post("stored", { body });
    expect(sent.status).toBe(413);
    const kept = await delivery(sent.id);
    expect(kept).toMatchObject({
      verdict: "refused",
      status: 413,
      size: body.length,
      bodyTruncated: true,
      reason: expect.stringContaining(String(LIMIT)),
    });
    expect(Buffer.from(kept.bodyBase64, "base64")).toHaveLength(64 * 1024);
  });

  it.each([
    ["a gzip bomb", gzipSync(Buffer.alloc(30 * 1024 * 1024)), "gzip", 413],
    ["broken gzip", Buffer.from("not gzip"), "gzip", 400],
    ["an unknown encoding", Buffer.from("x"), "compress", 415],
  ])("refuses %s", async (_what, body, encoding, status) => {
    const sent = await post("stored", { body, headers: { "content-encoding": encoding } });
    expect(sent.status).toBe(status);
    expect(await delivery(sent.id)).toMatchObject({ verdict: "refused", status });
  });

  it("keeps binary bodies byte for byte", async () => {
    const body = Buffer.from([0, 255, 254, 10, 13, 128]);
    const sent = await post("stored", { body });
    await work(sent.id);
    const kept = await delivery(sent.id);
    expect(Buffer.from(kept.bodyBase64, "base64").equals(body)).toBe(true);
    const event = await server.store.event(null, { rowId: kept.eventId ?? "" });
    expect(JSON.parse(event?.payloadText ?? "{}").bodyBase64).toBe(body.toString("base64"));
  });

  it("notes requests to nowhere under the environment named, at most 60 a minute", async () => {
    const known = server.registry.endpointIn(server.environments.dev.id, "stored");
    const good = server.at(server.environments.dev, "stored");
    const wrong = [
      good.replace("/env/dev/", "/env/prod/"),
      `${good}x`,
      good.replace(known?.row.id ?? "", "ep_nothing"),
      good.replace("/env/dev/", "/env/nowhere/"),
      `${server.url}/api/v1/http-endpoints/%E0%A4%A`,
    ];
    const answers = await Promise.all(wrong.map((url) => fetch(url, { method: "POST", body: "y".repeat(10_000) })));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    const prod = (
      await server.api("/api/v1/environments/prod/deliveries", { key: server.keys.prod.secretKey })
    ).json() as Page<DeliverySummary>;
    expect(prod.items[0]).toMatchObject({ endpoint: null, verdict: "refused", status: 404, size: 10_000 });
    const flood = await Promise.all(Array.from({ length: 80 }, () => fetch(`${good}x`, { method: "POST", body: "z" })));
    expect(flood.every(({ status }) => status === 404)).toBe(true);
    expect(flood.filter(({ headers }) => headers.has("x-holdfast-delivery")).length).toBeLessThanOrEqual(60);
  });
});

describe("replay", () => {
  const replay = async (id: string | null) => server.api(`/api/v1/environments/dev/deliveries/${id}/replay`, { method: "POST" });

  it("runs a verified delivery again without verifying it again, even an old one", async () => {
    const body = JSON.stringify({ n: 1 });
    const sent = await post("preset", { body, headers: svix(body) });
    server.clock.ahead += 3_600_000;
    const again = await replay(sent.id);
    expect(again.status).toBe(200);
    const summary = again.json() as DeliverySummary;
    expect(summary).toMatchObject({
      verdict: "verified",
      runs: [expect.any(String)],
      reason: expect.stringContaining(`Replay of ${sent.id}`),
    });
    expect(summary.id).not.toBe(sent.id);
    const third = (await replay(summary.id)).json() as DeliverySummary;
    expect(third).toMatchObject({ verdict: "verified", reason: expect.stringContaining(`Replay of ${sent.id}`) });
    expect((await delivery(third.id)).bodyBase64).toBe(Buffer.from(body).toString("base64"));
  });

  it("verifies a refused one again, judged by the time it came, so that a mended secret lets it through", async () => {
    const body = JSON.stringify({ n: 2 });
    const other = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const sent = await post("preset", { body, headers: svix(body, { secret: other, at: new Date(server.world.now()) }) });
    expect(await delivery(sent.id)).toMatchObject({ verdict: "refused" });
    expect((await replay(sent.id)).json()).toMatchObject({
      verdict: "refused",
      reason: expect.stringContaining("No matching signature"),
    });
    server.clock.ahead += 3_600_000;
    const saved = await server.api("/api/v1/environments/dev/endpoints/preset/secret", {
      method: "PUT",
      body: { preset: "svix", secret: other },
    });
    expect(saved.status).toBe(200);
    expect((await replay(sent.id)).json()).toMatchObject({
      verdict: "verified",
      runs: [expect.any(String)],
      reason: expect.stringContaining("verified again"),
    });
    await server.api("/api/v1/environments/dev/endpoints/preset/secret", {
      method: "PUT",
      body: { preset: "svix", secret: SECRET },
    });
  });

  it("asks the app again about one it refused", async () => {
    server.app.verify = async () => ({ type: "refused", result: { success: false, reason: "Bad" } });
    const sent = await post("stored", { headers: { "svix-id": "msg_replayed" } });
    await work(sent.id);
    server.app.verify = async () => ({ type: "verified", result: { success: true } });
    const again = (await replay(sent.id)).json() as DeliverySummary;
    expect(again).toMatchObject({ verdict: "pending", reason: expect.stringContaining(`Replay of ${sent.id}`) });
    expect(await work(again.id)).toBe("settled");
    expect(await delivery(again.id)).toMatchObject({
      verdict: "verified",
      runs: [expect.any(String)],
      reason: expect.stringContaining("verified again"),
    });
  });

  it("says why it cannot", async () => {
    const cut = await post("stored", { body: Buffer.alloc(LIMIT + 10) });
    const answers = [await replay(cut.id), await replay("dlv_00000000000000000000000000"), await replay("nonsense")];
    expect(answers.map(({ status }) => status)).toEqual([409, 404, 404]);
  });
});

it("published news of deliveries, runs and work; nothing failed unexpectedly", () => {
  const kinds = new Set(server.news.map((message) => (message.type === "live" ? `live:${message.message.type}` : message.type)));
  expect([...kinds]).toEqual(expect.arrayContaining(["work", "live:delivery", "live:run", "catalog"]));
  expect(server.errors).toEqual([]);
});
