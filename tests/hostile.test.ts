// What must happen to every bad request, shown on a real server with the Clerk example connected: the right status, no run, and a delivery that says why.
// Nothing a sender writes may be answered with a 5xx.
import { execFile } from "node:child_process";
import { request } from "node:http";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { DeliverySummary } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLERK_APP, clerkEnvironment, startApp } from "./harness/apps.ts";
import { cleanEnv, cleanUp } from "./harness/processes.ts";
import { sendBytes, statusIn } from "./harness/raw-socket.ts";
import { CLI, DEV_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";
import { OTHER_SECRET, sendSigned, signedHeaders, svixId, userCreated } from "./harness/webhooks.ts";

let server: TestServer;
let url: string;
let stopStandIn: () => Promise<void> = async () => {};
const body = userCreated("user_hostile");
const MINUTES = 60_000;

beforeAll(async () => {
  server = await TestServer.start();
  const { env, standIn } = await clerkEnvironment({ waitSeconds: 0 });
  stopStandIn = standIn.stop;
  startApp(server, CLERK_APP, env);
  url = await server.api.endpointUrl("clerk.com");
});
afterAll(async () => {
  await stopStandIn();
  await cleanUp();
});

/** Sends by node:http, which lets method, path and headers through as they are. */
function send(target: string, options: { method?: string; headers?: Record<string, string>; body?: string | Buffer }) {
  return new Promise<{ status: number; delivery: string | undefined; headers: Record<string, unknown> }>((resolve, reject) => {
    const sent = request(target, { method: options.method ?? "POST", headers: options.headers ?? {} }, (response) => {
      response.resume().on("end", () => {
        const delivery = response.headers["x-holdfast-delivery"];
        resolve({
          status: response.statusCode ?? 0,
          delivery: delivery ? String(delivery) : undefined,
          headers: response.headers,
        });
      });
    });
    sent.on("error", reject).end(options.body);
  });
}

/** The delivery once its verdict is known. */
async function deliveryOf(id: string | undefined): Promise<DeliverySummary> {
  return until(
    async () => {
      const found = await server.api.delivery(String(id));
      return found.verdict === "pending" ? null : found;
    },
    { what: () => `a verdict on ${id}` },
  );
}

async function expectNoRunFor(delivery: DeliverySummary): Promise<void> {
  expect(delivery.runs).toEqual([]);
  expect((await server.api.delivery(delivery.id)).eventId).toBeNull();
}

const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
const binary = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28, 0xed, 0xa0, 0x80]);
type Hostile = [name: string, () => Parameters<typeof send>[1], status: number, reason: RegExp];

describe("a bad request starts nothing and is kept with its reason:", () => {
  test.each<Hostile>([
    ["wrong secret", () => ({ headers: signedHeaders(body, { secret: OTHER_SECRET }), body }), 200, /no matching signature/i],
    ["no signature headers", () => ({ headers: { "content-type": "application/json" }, body }), 200, /missing svix headers/i],
    ["one byte changed", () => ({ headers: signedHeaders(body), body: `${body} ` }), 200, /no matching signature/i],
    ["stale by 6 minutes", () => ({ headers: signedHeaders(body, { at: ago(6) }), body }), 200, /too old/i],
    ["6 minutes ahead", () => ({ headers: signedHeaders(body, { at: ago(-6) }), body }), 200, /too new/i],
    ["20 MB", () => ({ headers: signedHeaders("x"), body: Buffer.alloc(20 * 1024 * 1024, "x") }), 413, /larger than/i],
    ["bytes that are no text", () => ({ headers: signedHeaders(body), body: binary }), 200, /no matching signature/i],
    ["a gzip bomb", () => ({ headers: { ...signedHeaders(body), "content-encoding": "gzip" }, body: bomb }), 413, /./],
    ["broken gzip", () => ({ headers: { ...signedHeaders(body), "content-encoding": "gzip" }, body: binary }), 400, /./],
    ["an unknown encoding", () => ({ headers: { ...signedHeaders(body), "content-encoding": "rot13" }, body }), 415, /./],
    ["GET", () => ({ method: "GET" }), 405, /GET/],
    ["HEAD", () => ({ method: "HEAD" }), 405, /HEAD/],
  ])("%s", async (_, make, status, reason) => {
    const answer = await send(url, make());
    expect(answer.status).toBe(status);
    const delivery = await deliveryOf(answer.delivery);
    expect(delivery).toMatchObject({ verdict: "refused", status, endpoint: "clerk.com" });
    expect(delivery.reason).toMatch(reason);
    await expectNoRunFor(delivery);
  });

  test("an unknown endpoint, an unknown environment and a wrong shortcode", async () => {
    const shortcode = url.slice(url.lastIndexOf("/") + 1);
    const strangers = [
      url.replace(/http-endpoints\/[^/]+/, "http-endpoints/ep_nobody"),
      url.replace(`/${shortcode}`, "/wrongone"),
    ];
    for (const stranger of strangers) {
      const answer = await send(stranger, { headers: signedHeaders(body), body });
      expect(answer.status).toBe(404);
      const delivery = await deliveryOf(answer.delivery);
      expect(delivery.verdict).toBe("refused");
      expect(delivery.reason).toMatch(/\w/);
      await expectNoRunFor(delivery);
    }
    expect((await send(url.replace("/env/dev/", "/env/mars/"), { headers: signedHeaders(body), body })).status).toBe(404);
  });

  test("bytes are kept exactly as they came", async () => {
    const answer = await send(url, { headers: { "content-type": "application/octet-stream" }, body: binary });
    const { id } = await deliveryOf(answer.delivery);
    expect(Buffer.from((await server.api.delivery(id)).bodyBase64, "base64")).toEqual(binary);
  });
});

test("the same message, five times at once, is one run of each job and four duplicates", async () => {
  const id = svixId();
  const answers = await Promise.all(Array.from({ length: 5 }, () => sendSigned(url, body, { id })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  const ids = answers.map(({ headers }) => headers.get("x-holdfast-delivery") ?? "");
  const deliveries = await Promise.all(ids.map((each) => deliveryOf(each)));
  const verdicts = deliveries.map(({ verdict }) => verdict).sort();
  expect(verdicts).toEqual(["duplicate", "duplicate", "duplicate", "duplicate", "verified"]);
  const [welcomes, bodies] = [await server.api.settled("welcome-clerk-user", 1), await server.api.settled("http-clerk", 1)];
  expect([welcomes.length, bodies.length]).toEqual([1, 1]);
  expect([...welcomes, ...bodies].map(({ status }) => status)).toEqual(["SUCCESS", "SUCCESS"]);
});

test("malformed requests on the socket are answered with a 4xx or a closed connection, and the server lives", async () => {
  const { host, pathname } = new URL(url);
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\n`;
  const malformed: (string | Buffer)[] = [
    "\r\n\r\n\r\n",
    "NONSENSE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `POST ${pathname} HTTP/1.1\r\n\r\n`,
    `${head}Content-Length: -5\r\n\r\n`,
    `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n`,
    `${head}X-Bad: a\u0000b\r\n\r\n`,
    `${head}Bad Header: x\r\n\r\n`,
    `${head}X-Long: ${"x".repeat(70_000)}\r\n\r\n`,
    `POST ${pathname}?${"q".repeat(70_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `POST ${pathname}/%ff%zz%00 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    `POST //..//..${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    `POST http://[::1 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    `${head}Expect: 200-maybe\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    `${head}Content-Type: \r\nSvix-Id: \r\nSvix-Timestamp: x\r\nSvix-Signature: v1,\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 7919) % 256)),
  ];
  const answers = await Promise.all(malformed.map((bytes) => sendBytes(url, bytes, 3_000)));
  const bad = malformed.filter((_, i) => (statusIn(answers[i] ?? "") ?? 400) >= 500);
  expect(bad).toEqual([]);
  // Most are answered, so that this is no test of a deaf server.
  expect(answers.filter((answer) => statusIn(answer) !== null).length).toBeGreaterThan(malformed.length / 2);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});

test("a body that ends before its length stores nothing that runs", async () => {
  const { host, pathname } = new URL(url);
  const before = (await server.api.runs()).length;
  await sendBytes(url, `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 500\r\n\r\n{"type":`, 500);
  expect((await sendSigned(url, body, { secret: OTHER_SECRET })).status).toBe(200);
  expect((await server.api.runs()).length).toBe(before);
});

test("`holdfast deliveries list --json` shows the same records as the API", async () => {
  const env = cleanEnv({ HOLDFAST_API_URL: server.url, HOLDFAST_API_KEY: DEV_KEY });
  const args = [CLI, "deliveries", "list", "--json", "--limit", "500"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const listed: Partial<DeliverySummary>[] = JSON.parse(stdout);
  const all = await server.api.deliveries();
  const shown = all.map(({ id, endpoint, verdict, reason, status, runs, receivedAt }) => {
    return { id, endpoint, verdict, reason, status, runs, receivedAt };
  });
  expect(listed).toEqual(shown);
  expect(new Set(listed.map(({ verdict }) => verdict))).toEqual(new Set(["refused", "verified", "duplicate"]));
});

test("a forger learns nothing of keys: the API refuses a wrong and a missing one", async () => {
  for (const authorization of ["Bearer tr_dev_wrong", "Bearer ", "Basic eDp5", ""]) {
    const answer = await fetch(`${server.url}/api/v1/environments/dev/runs`, { headers: authorization ? { authorization } : {} });
    expect(answer.status).toBe(401);
  }
});

function ago(minutes: number): Date {
  return new Date(Date.now() - minutes * MINUTES);
}
