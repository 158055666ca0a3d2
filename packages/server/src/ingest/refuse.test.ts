import { gzipSync } from "node:zlib";
import { type DeliverySummary, type Page, UserFacingError } from "@holdfast/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Endpoints, LIMIT, SECRET, startEndpoints, svix } from "./endpoints.test.mts";

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

describe("a store that takes nothing", () => {
  it.each(["OVERLOADED", "DATABASE_UNREACHABLE"] as const)(
    "%s: 503 with Retry-After, and never a 2xx, whoever verifies",
    async (code) => {
      const { intake } = server.store;
      server.store.intake = () => Promise.reject(new UserFacingError(code, "Not now: /var/lib/pg is full."));
      const answers = [];
      for (const slug of ["stored", "told", "preset", "off"]) answers.push(await post(slug, { headers: svix("{}") }));
      server.store.intake = intake;
      expect(answers.map(({ status, headers, id }) => [status, headers.get("retry-after"), id])).toEqual(
        Array(4).fill([503, "5", null]),
      );
      if (code === "DATABASE_UNREACHABLE") expect(answers.map(({ text }) => text).join()).not.toContain("/var/lib");
      expect((await post("stored")).status).toBe(200);
    },
  );
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

  it("runs a message once that was refused several times and then replayed, whether its sender tries again before or after", async () => {
    const body = JSON.stringify({ n: 3 });
    const secretOf = (secret: string) =>
      server.api("/api/v1/environments/dev/endpoints/preset/secret", { method: "PUT", body: { preset: "svix", secret } });
    const mended = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;
    const headers = svix(body, { secret: mended, at: new Date(server.world.now()) });
    const [first, second] = [await post("preset", { body, headers }), await post("preset", { body, headers })];
    await secretOf(mended);
    const ran = (await replay(first.id)).json() as DeliverySummary;
    expect(ran).toMatchObject({ verdict: "verified", runs: [expect.any(String)] });
    expect((await replay(second.id)).json()).toMatchObject({ verdict: "duplicate", runs: [] });
    const tried = await post("preset", { body, headers });
    expect(await delivery(tried.id)).toMatchObject({ verdict: "duplicate", runs: [] });
    // What has run is run again by whoever asks for it.
    expect((await replay(ran.id)).json()).toMatchObject({ verdict: "verified", runs: [expect.any(String)] });
    await secretOf(SECRET);
  });

  it("runs a message once that waits for its app and is replayed meanwhile", async () => {
    const sent = await post("stored", { headers: { "svix-id": "msg_waits" } });
    const again = (await replay(sent.id)).json() as DeliverySummary;
    for (const item of await all.claim()) {
      if (item.kind === "delivery") await server.rooms.ingest.verify(item.delivery, item.token);
    }
    const found = [await delivery(again.id), await delivery(sent.id)];
    expect(found.map(({ verdict }) => verdict).sort()).toEqual(["duplicate", "verified"]);
    expect(found.flatMap(({ runs }) => runs)).toHaveLength(1);
  });

  it("says why it cannot", async () => {
    const cut = await post("stored", { body: Buffer.alloc(LIMIT + 10) });
    const answers = [await replay(cut.id), await replay("dlv_00000000000000000000000000"), await replay("nonsense")];
    expect(answers.map(({ status }) => status)).toEqual([409, 404, 404]);
  });
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
