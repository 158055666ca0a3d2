import { gzipSync } from "node:zlib";
import { type RequestPayload, UserFacingError } from "@holdfast/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Endpoints, startEndpoints, svix } from "./endpoints.test.mts";

let all: Endpoints;
let server: Endpoints["server"];
let post: Endpoints["post"];
let delivery: Endpoints["delivery"];
let work: Endpoints["work"];
beforeAll(async () => {
  all = await startEndpoints();
  ({ server, post, delivery, work } = all);
});
afterAll(() => server.stop());
beforeEach(() => all.calm());

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

  it("is asked at once, without a worker, when its app is here", async () => {
    server.app.here = true;
    const sent = await post("stored", { body: "{}" });
    await server.rooms.ingest.idle();
    expect(await delivery(sent.id)).toMatchObject({ verdict: "verified", runs: [expect.any(String)] });
    expect(await work(sent.id)).toBe("not due");
  });

  it("is asked while the request is being stored; nothing follows from one that could not be", async () => {
    server.app.here = true;
    const { intake } = server.store;
    let tell = (): void => {};
    const asked = new Promise<void>((resolve) => {
      tell = resolve;
    });
    server.app.verify = async () => {
      tell();
      return { type: "verified", result: { success: true } };
    };
    server.store.intake = async () => {
      await asked;
      throw new UserFacingError("DATABASE_UNREACHABLE", "The database does not answer.");
    };
    const before = server.app.asked.length;
    const sent = await post("stored", { body: "{}" }).finally(() => {
      server.store.intake = intake;
    });
    await server.rooms.ingest.idle();
    expect(sent.status).toBe(503);
    expect(server.app.asked).toHaveLength(before + 1);
    expect(await all.claim()).toEqual([]);
  });

  it("is left to a worker when its app is here and does not answer", async () => {
    server.app.here = true;
    server.app.verify = async () => ({ type: "no-answer", message: "gone" });
    const sent = await post("stored");
    await server.rooms.ingest.idle();
    expect(await delivery(sent.id)).toMatchObject({ verdict: "pending" });
    all.calm();
    server.clock.ahead += 2_000;
    expect(await work(sent.id)).toBe("settled");
    expect(await delivery(sent.id)).toMatchObject({ verdict: "verified" });
  });

  it("gives one run a job for one message sent five times at once", async () => {
    const headers = { "svix-id": "msg_five", "content-type": "application/json" };
    const body = JSON.stringify({ type: "user.created" });
    const sent = await Promise.all(Array.from({ length: 5 }, () => post("stored", { body, headers })));
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const ours = (await all.claim()).filter((item) => item.kind === "delivery" && sent.some(({ id }) => id === item.delivery.id));
    expect(ours).toHaveLength(5);
    await Promise.all(ours.map((item) => item.kind === "delivery" && server.rooms.ingest.verify(item.delivery, item.token)));
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
    expect(sent.text).not.toContain("timeout");
    expect(await delivery(sent.id)).toMatchObject({
      verdict: "refused",
      status: 502,
      reason: expect.stringContaining("timeout"),
    });
  });
});

it("published news of deliveries, runs and work; nothing failed unexpectedly", () => {
  const kinds = new Set(server.news.map((message) => (message.type === "live" ? `live:${message.message.type}` : message.type)));
  expect([...kinds]).toEqual(expect.arrayContaining(["work", "live:delivery", "catalog"]));
  expect(server.errors).toEqual([]);
});
