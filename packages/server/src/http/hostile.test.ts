import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { endpoint, endpointJob, eventJob, type Fixture, startFixture } from "./fixture.test.mts";
import { allRoutes } from "./routes/all.ts";

const routes = allRoutes({} as Parameters<typeof allRoutes>[0]).filter(({ name }) => name !== "followChanges");

let server: Fixture;
let hook: string;
beforeAll(async () => {
  server = await startFixture({ bodyBytes: 100_000 });
  const { dev } = server.environments;
  const filter = { body: { type: ["a"] }, headers: { "x-kind": ["b"] }, query: { q: [{ $exists: true }] } };
  await server.index("app", dev, {
    jobs: [endpointJob("hooked", "hook"), endpointJob("filtered", "hook", filter), eventJob("evented", "thing")],
    httpEndpoints: [endpoint("hook", { immediateResponseFilter: { headers: { "x-respond": ["1"] }, body: { a: [1] } } })],
  });
  hook = new URL(server.at(dev, "hook")).pathname;
});
afterAll(() => server.stop());
/** Whatever came, nothing was thrown that nobody expected. */
afterEach(() => expect(server.errors).toEqual([]));

/** Sends bytes over a bare socket, ends its side, and answers what came back until the server closes. */
async function raw(bytes: string | Buffer, options: { halfClose?: boolean } = {}): Promise<string> {
  const socket = connect(server.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined);
  if (options.halfClose) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
const text = (lines: string[], body = ""): string => `${lines.join("\r\n")}\r\n\r\n${body}`;

/** A busy machine tries fewer examples, rather than none to the end. */
const WITHIN = { interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false };

describe("requests no client library would send", () => {
  it("a body of a terabyte, announced and never sent, keeps no large one out", async () => {
    const { secretKey } = server.keys.dev;
    const socket = connect(server.port, "127.0.0.1");
    const announced = [
      "POST /api/v1/events HTTP/1.1",
      "host: x",
      `authorization: Bearer ${secretKey}`,
      "content-length: 1000000000000",
    ];
    socket.write(text([...announced, "expect: 100-continue"]));
    // It is told to go on once its body is being read.
    expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 100/);
    const event = { name: "nobody", payload: "x".repeat(1024 * 1024) };
    const { status } = await server.api("/api/v1/events", { method: "POST", body: { event } });
    socket.destroy();
    expect(status).toBe(200);
  });

  it.each([
    ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00", 400],
    [
      "a header of 20 KB",
      () => text([`POST ${hook} HTTP/1.1`, "Host: h", `X-Long: ${"a".repeat(20_000)}`, "Connection: close"]),
      431,
    ],
    [
      "both a length and chunks",
      () =>
        text(
          [`POST ${hook} HTTP/1.1`, "Host: h", "Content-Length: 3", "Transfer-Encoding: chunked", "Connection: close"],
          "0\r\n\r\n",
        ),
      400,
    ],
    [
      "two lengths",
      () => text([`POST ${hook} HTTP/1.1`, "Host: h", "Content-Length: 3", "Content-Length: 4", "Connection: close"], "abc"),
      400,
    ],
    ["a negative length", () => text([`POST ${hook} HTTP/1.1`, "Host: h", "Content-Length: -1", "Connection: close"]), 400],
    [
      "a header with a bare line feed",
      () => `POST ${hook} HTTP/1.1\r\nHost: h\r\nX-A: b\nX-B: c\r\nConnection: close\r\n\r\n`,
      400,
    ],
    [
      "a chunk size that is none",
      () => text([`POST ${hook} HTTP/1.1`, "Host: h", "Transfer-Encoding: chunked", "Connection: close"], "zz\r\n\r\n"),
      400,
    ],
    ["no host", () => text(["GET /healthz HTTP/1.1", "Connection: close"]), 400],
    ["a host that is none", () => text(["GET /healthz HTTP/1.1", "Host: a b<c>", "Connection: close"]), 400],
  ])("%s: a 4xx", async (_what, bytes, status) => {
    expect(statusOf(await raw(typeof bytes === "string" ? bytes : bytes(), { halfClose: true }))).toBe(status);
  });

  it.each([
    "/%",
    "/%zz",
    "/%ff%fe",
    "/%ed%a0%80",
    "/%00",
    "/a%00b",
    "/%2e%2e%2f",
    "/\\..\\x",
    "/?%",
    "/?a=%ff&b=%",
    "/;a",
    "//////",
    "/%25%32%35",
    "*",
    "http://other.test/x",
  ])("the path %s is answered below 500, everywhere", async (path) => {
    const auth = `Authorization: Bearer ${server.keys.dev.secretKey}`;
    for (const prefix of [
      "",
      "/api/v1/runs",
      "/api/v1/events",
      "/api/v1/environments/dev/runs",
      "/api/v1/http-endpoints",
      hook,
      "/assets",
    ]) {
      if (prefix && !path.startsWith("/")) continue;
      const answer = await raw(text([`GET ${prefix}${path} HTTP/1.1`, "Host: localhost", auth, "Connection: close"]));
      expect([prefix + path, statusOf(answer)]).toEqual([
        prefix + path,
        expect.toSatisfy((status: number) => status >= 200 && status < 500),
      ]);
    }
  });

  it("keeps raw header bytes of a webhook, and stores what the header said", async () => {
    const answer = await raw(
      text(
        [`POST ${hook} HTTP/1.1`, "Host: h", "X-Raw: caf\xe9 \xff", "X-Raw: again", "Content-Length: 2", "Connection: close"],
        "{}",
      ),
    );
    const id = /x-holdfast-delivery: (dlv_\w+)/i.exec(answer)?.[1];
    const kept = (await server.api(`/api/v1/environments/dev/deliveries/${id}`)).json();
    expect(kept.headers.filter(([name]: [string]) => name === "X-Raw")).toHaveLength(2);
    expect(kept.verdict).toBe("verified");
  });

  it("keeps every header, however many come before the one that counts", async () => {
    const many = Array.from({ length: 900 }, (_, i) => `X-${i}: 1`);
    const answer = await raw(
      text([`POST ${hook} HTTP/1.1`, "Host: h", ...many, "Svix-Id: last", "Content-Length: 2", "Connection: close"], "{}"),
    );
    const id = /x-holdfast-delivery: (dlv_\w+)/i.exec(answer)?.[1];
    const kept = (await server.api(`/api/v1/environments/dev/deliveries/${id}`)).json();
    expect(kept.headers.slice(-3)).toEqual([
      ["Svix-Id", "last"],
      ["Content-Length", "2"],
      ["Connection", "close"],
    ]);
  });

  it("stores nothing of a body that ended early", async () => {
    const before = (await server.api("/api/v1/environments/dev/deliveries?limit=1")).json().items[0]?.id;
    const answer = await raw(text([`POST ${hook} HTTP/1.1`, "Host: h", "Content-Length: 1000"], "only this"), {
      halfClose: true,
    });
    expect([0, 400]).toContain(statusOf(answer));
    expect((await server.api("/api/v1/environments/dev/deliveries?limit=1")).json().items[0]?.id).toBe(before);
  });

  it("answers 413 to a sender that is still sending, by length and by chunks", async () => {
    const body = "a".repeat(300_000);
    const length = await raw(
      text([`POST ${hook} HTTP/1.1`, "Host: h", `Content-Length: ${body.length}`, "Connection: close"], body),
    );
    expect([statusOf(length), /x-holdfast-delivery/i.test(length)]).toEqual([413, true]);
    const chunked = text(
      [`POST ${hook} HTTP/1.1`, "Host: h", "Transfer-Encoding: chunked", "Connection: close"],
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    expect(statusOf(await raw(chunked))).toBe(413);
  });

  it("continues after Expect: 100-continue, and takes two requests on one connection", async () => {
    const expecting = await raw(
      text([`POST ${hook} HTTP/1.1`, "Host: h", "Expect: 100-continue", "Content-Length: 2", "Connection: close"], "{}"),
    );
    expect(expecting).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const one = text([`POST ${hook} HTTP/1.1`, "Host: h", "Content-Length: 2"], "{}");
    const two = text([`POST ${hook} HTTP/1.1`, "Host: h", "Content-Length: 2", "Connection: close"], "[]");
    expect((await raw(one + two)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

/** Any JSON, weighed towards what breaks parsers and databases. */
const nasty = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom(
    '"\\u0000"',
    '"\\ud800"',
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":1}}',
    "1e999",
    "-0",
    "[]",
    "null",
    "{}",
    "",
    "\ufeff{}",
    '{"a":1,"a":2}',
    "9".repeat(400),
    "[".repeat(3000),
  ),
);
/** A body that nearly has the right shape. */
const nearly = fc
  .record(
    {
      name: fc.string({ unit: "binary" }),
      id: fc.string({ unit: "binary", minLength: 1 }),
      payload: fc.jsonValue(),
      timestamp: fc.oneof(fc.string(), fc.double(), fc.date().map(String)),
    },
    { requiredKeys: [] },
  )
  .map((event) =>
    JSON.stringify({
      event,
      items: [event],
      events: [event],
      idempotencyKey: event.id,
      error: event,
      password: event.name,
      sample: event.name,
      payload: event.payload,
      url: event.name,
      ...event,
    }),
  );
const piece = fc.oneof(
  fc.constantFrom("dev", "run_00000000000000000000000000", "x", "..", "%00", "%ff", "__proto__", "a%2Fb", "0"),
  fc
    .string({ unit: "binary", minLength: 1, maxLength: 20 })
    .filter((part) => part.isWellFormed())
    .map(encodeURIComponent),
);

describe("hostile content", () => {
  it("never gets a 5xx from any route", async () => {
    const example = fc.record({
      route: fc.constantFrom(...routes),
      pieces: fc.array(piece, { minLength: 3, maxLength: 3 }),
      body: fc.oneof(nasty, nearly),
      query: fc.string({ maxLength: 30 }),
      keep: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ route, pieces, body, query, keep }) => {
        const [environment = "x", ...others] = pieces;
        let next = 0;
        const path = route.path.replace(/:(\w+)/g, (_whole, name: string) =>
          name === "environment" ? (keep ? "dev" : environment) : (others[next++ % 2] ?? "x"),
        );
        const names = Object.keys(route.query ?? { q: "" });
        const search = `?${names.map((name) => `${name}=${encodeURIComponent(query.toWellFormed())}`).join("&")}`;
        const headers = { authorization: `Bearer ${server.keys.dev.secretKey}`, "idempotency-key": "k", "x-holdfast": "1" };
        const init = route.method === "GET" ? {} : { body: Buffer.from(body, "utf8") };
        const response = await fetch(server.url + path + search, { method: route.method, headers, ...init });
        await response.arrayBuffer();
        expect([route.name, path, body, response.status]).toEqual([
          route.name,
          path,
          body,
          expect.toSatisfy((status: number) => status < 500),
        ]);
      }),
      { numRuns: 1500, ...WITHIN },
    );
  });

  it("never gets a 5xx from an endpoint, and is stored whenever it is answered 200", async () => {
    const header = fc.tuple(
      fc.constantFrom(
        "content-type",
        "svix-id",
        "idempotency-key",
        "x-request-id",
        "content-encoding",
        "x-forwarded-proto",
        "x-kind",
        "x-respond",
      ),
      fc.oneof(
        fc.constantFrom("application/json", "gzip", "https", "b", "1"),
        fc.string({ maxLength: 60 }).map((value) => value.replace(/[^\x21-\x7e]/g, "")),
      ),
    );
    const example = fc.record({
      method: fc.constantFrom("POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS"),
      headers: fc.array(header, { maxLength: 5 }),
      body: fc.oneof(
        fc.uint8Array({ maxLength: 500 }),
        nasty.map((value) => Buffer.from(value, "utf8")),
      ),
      query: fc.string({ maxLength: 30 }),
    });
    server.app.respond = async () => ({
      type: "responded",
      result: { status: 200, body: "ok", headers: { "x-a\r\n": "b", "x-c": "d\u0000" } },
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ method, headers, body, query }) => {
        const bare = method === "GET";
        const init = { method, headers: Object.fromEntries(headers), ...(bare ? {} : { body: Buffer.from(body) }) };
        const response = await fetch(`${server.url}${hook}?q=${encodeURIComponent(query.toWellFormed())}`, init);
        await response.arrayBuffer();
        expect(response.status).toBeLessThan(500);
        const id = response.headers.get("x-holdfast-delivery");
        const kept = id === null ? null : await server.store.delivery(server.environments.dev.id, id);
        expect(kept?.status).toBe(response.status);
        if (!bare && response.status === 200) expect(Buffer.from(kept?.body ?? []).equals(Buffer.from(body))).toBe(true);
      }),
      { numRuns: 400, ...WITHIN },
    );
  });
});
