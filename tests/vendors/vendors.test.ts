// What services' own SDKs throw or give back for real answers of theirs, and what an integration makes of it: tried again, when, or not at all. A server of the test
// answers as each service documents it; the SDKs are those of tests/vendors/package.json, one call each, with their own retries off.
import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { join } from "node:path";
import { defineIntegration } from "@holdfast/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../harness/processes.ts";

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: object | string;
}
/** A number: milliseconds until the next try. `backoff`: after the pause of the integration. */
type Verdict = "done" | "fail" | "backoff" | number;
interface Vendors {
  [vendor: string]: { client(url: string): unknown; calls: Record<string, (client: unknown) => Promise<unknown>> };
}
type Case = [vendor: string, call: "read" | "write", what: string, answer: Answer | "refused" | "broken", verdict: Verdict];

const now = () => Math.floor(Date.now() / 1000);
const HTML = "<html><body>Bad gateway</body></html>";
const answers = (status: number, body: object | string, headers: Record<string, string> = {}): Answer => ({
  status,
  body,
  headers,
});

const stripe = (type: string, code?: string) => ({ error: { type, code, message: "No" } });
const openai = (type: string, code: string) => ({ error: { type, code, message: "No", param: null } });
const graphql = (extensions: object) => ({ errors: [{ message: "No", path: ["viewer"], extensions }] });

const CASES: Case[] = [
  [
    "openai",
    "write",
    "no requests left",
    answers(429, openai("requests", "rate_limit_exceeded"), {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "8.64s",
    }),
    8640,
  ],
  [
    "openai",
    "write",
    "no quota",
    answers(429, openai("insufficient_quota", "insufficient_quota"), { "retry-after": "1" }),
    "fail",
  ],
  ["openai", "write", "milliseconds", answers(429, openai("tokens", "rate_limit_exceeded"), { "retry-after-ms": "350" }), 350],
  ["openai", "write", "a bad key", answers(401, openai("invalid_request_error", "invalid_api_key")), "fail"],
  ["openai", "write", "an error of theirs", answers(500, openai("server_error", "server_error")), "backoff"],
  ["openai", "write", "told not to", answers(503, HTML, { "x-should-retry": "false" }), "fail"],
  ["stripe", "write", "a limit", answers(429, stripe("invalid_request_error", "rate_limit"), { "retry-after": "3" }), 3000],
  ["stripe", "write", "a limit without a time", answers(429, stripe("invalid_request_error", "rate_limit")), "backoff"],
  [
    "stripe",
    "write",
    "another request has the lock",
    answers(409, stripe("idempotency_error", "lock_timeout"), { "stripe-should-retry": "true" }),
    "backoff",
  ],
  ["stripe", "write", "a declined card", answers(402, stripe("card_error", "card_declined")), "fail"],
  ["stripe", "write", "a bad key", answers(401, stripe("invalid_request_error")), "fail"],
  ["stripe", "write", "told not to", answers(500, stripe("api_error"), { "stripe-should-retry": "false" }), "fail"],
  ["stripe", "write", "an error of theirs", answers(500, stripe("api_error")), "backoff"],
  ["stripe", "write", "a page of a proxy", answers(503, HTML), "backoff"],
  [
    "resend",
    "write",
    "a limit",
    answers(429, { statusCode: 429, name: "rate_limit_exceeded", message: "No" }, { "retry-after": "1", "ratelimit-reset": "1" }),
    1000,
  ],
  ["resend", "write", "the day's quota", answers(429, { statusCode: 429, name: "daily_quota_exceeded", message: "No" }), "fail"],
  ["resend", "write", "a bad key", answers(401, { statusCode: 401, name: "restricted_api_key", message: "No" }), "fail"],
  [
    "resend",
    "write",
    "an address that is none",
    answers(422, { statusCode: 422, name: "validation_error", message: "No" }),
    "fail",
  ],
  [
    "resend",
    "write",
    "an error of theirs",
    answers(500, { statusCode: 500, name: "application_error", message: "No" }),
    "backoff",
  ],
  ["resend", "write", "a page of a proxy", answers(503, HTML, { "retry-after": "4" }), 4000],
  ["slack", "write", "a limit", answers(429, { ok: false, error: "ratelimited" }, { "retry-after": "30" }), 30_000],
  ["slack", "write", "a limit that is no 429", answers(200, { ok: false, error: "ratelimited" }), 30_000],
  ["slack", "write", "an error of theirs", answers(200, { ok: false, error: "internal_error" }), "backoff"],
  ["slack", "write", "a bad key", answers(200, { ok: false, error: "invalid_auth" }), "fail"],
  ["slack", "write", "no such channel", answers(200, { ok: false, error: "channel_not_found" }), "fail"],
  ["slack", "write", "a page of a proxy", answers(503, HTML), "backoff"],
  [
    "github",
    "read",
    "no requests left",
    answers(403, { message: "API rate limit exceeded" }, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "+90" }),
    90_000,
  ],
  [
    "github",
    "write",
    "a burst",
    answers(403, { message: "You have exceeded a secondary rate limit" }, { "retry-after": "17" }),
    17_000,
  ],
  ["github", "write", "a burst without a time", answers(429, { message: "You have exceeded a secondary rate limit" }), 60_000],
  [
    "github",
    "write",
    "no permission",
    answers(403, { message: "Resource not accessible" }, { "x-ratelimit-remaining": "4999" }),
    "fail",
  ],
  ["github", "read", "a bad key", answers(401, { message: "Bad credentials" }), "fail"],
  ["github", "read", "a page of a proxy", answers(502, HTML), "backoff"],
  [
    "sendgrid",
    "write",
    "a limit",
    answers(429, { errors: [{ message: "too many requests" }] }, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "+30" }),
    30_000,
  ],
  ["sendgrid", "write", "a bad key", answers(401, { errors: [{ message: "No" }] }), "fail"],
  ["sendgrid", "write", "too large a mail", answers(413, { errors: [{ message: "No" }] }), "fail"],
  ["sendgrid", "write", "an error of theirs", answers(500, { errors: [{ message: "No" }] }), "backoff"],
  ["shopify", "read", "a limit", answers(429, { errors: "Exceeded 2 calls per second" }, { "retry-after": "2.5" }), 2500],
  ["shopify", "write", "a limit of GraphQL's", answers(200, graphql({ code: "THROTTLED" })), 2000],
  ["shopify", "write", "a limit of requests", answers(429, { errors: "Exceeded" }, { "retry-after": "4" }), 4000],
  ["shopify", "write", "an error of theirs, with 200", answers(200, graphql({ code: "INTERNAL_SERVER_ERROR" })), "backoff"],
  ["shopify", "write", "a bad query", answers(200, graphql({ code: "undefinedField" })), "fail"],
  ["shopify", "read", "a bad key", answers(401, { errors: "[API] Invalid API key" }), "fail"],
  ["shopify", "write", "a bad key for GraphQL", answers(401, { errors: "[API] Invalid API key" }), "fail"],
  ["shopify", "read", "an error of theirs", answers(500, { errors: "No" }), "backoff"],
  ["shopify", "write", "a page of a proxy", answers(503, HTML, { "retry-after": "4" }), 4000],
  ["airtable", "read", "a limit", answers(429, { errors: [{ error: "RATE_LIMIT_REACHED", message: "No" }] }), 30_000],
  ["airtable", "write", "a bad value", answers(422, { error: { type: "INVALID_VALUE_FOR_COLUMN", message: "No" } }), "fail"],
  ["airtable", "read", "a bad key", answers(401, { error: { type: "AUTHENTICATION_REQUIRED", message: "No" } }), "fail"],
  ["airtable", "read", "an error of theirs", answers(500, { error: "SERVER_ERROR" }), "backoff"],
  ["airtable", "read", "a page of a proxy", answers(503, HTML), "backoff"],
  [
    "linear",
    "read",
    "a limit",
    answers(400, graphql({ type: "ratelimited", code: "RATELIMITED", statusCode: 429, userError: true }), {
      "x-ratelimit-requests-remaining": "0",
      "x-ratelimit-requests-reset": "+45ms",
    }),
    45_000,
  ],
  [
    "linear",
    "write",
    "too complex a query",
    answers(400, graphql({ type: "ratelimited", code: "RATELIMITED", statusCode: 429, userError: true }), {
      "x-ratelimit-requests-remaining": "9",
      "x-ratelimit-complexity-reset": "+20ms",
    }),
    20_000,
  ],
  [
    "linear",
    "write",
    "an error of the caller's",
    answers(200, graphql({ type: "invalid input", code: "INPUT_ERROR", statusCode: 400, userError: true })),
    "fail",
  ],
  [
    "linear",
    "read",
    "a bad key",
    answers(401, graphql({ type: "authentication error", code: "AUTHENTICATION_ERROR", statusCode: 401, userError: true })),
    "fail",
  ],
  [
    "linear",
    "read",
    "an error of theirs",
    answers(200, graphql({ type: "internal error", code: "INTERNAL_SERVER_ERROR", statusCode: 500 })),
    "backoff",
  ],
  ["linear", "read", "a page of a proxy", answers(502, HTML), "backoff"],
  [
    "replicate",
    "write",
    "a limit",
    answers(429, { detail: "Request was throttled.", status: 429, retry_after: 4 }, { "retry-after": "4" }),
    4000,
  ],
  [
    "replicate",
    "write",
    "a limit without retry-after",
    answers(429, { detail: "Request was throttled." }, { "ratelimit-remaining": "0", "ratelimit-reset": "6" }),
    6000,
  ],
  [
    "replicate",
    "write",
    "a bad key",
    answers(401, { detail: "You did not pass a valid authentication token", status: 401 }),
    "fail",
  ],
  ["replicate", "write", "no credit", answers(402, { detail: "Insufficient credit", status: 402 }), "fail"],
  ["replicate", "read", "an error of theirs when reading", answers(502, HTML), "backoff"],
  ["replicate", "write", "an error of theirs when predicting", answers(502, HTML), "fail"],
  [
    "supabase",
    "write",
    "a transaction that lost",
    answers(500, { code: "40001", message: "No", details: null, hint: null }),
    "backoff",
  ],
  ["supabase", "write", "a row that is there", answers(409, { code: "23505", message: "No", details: null, hint: null }), "fail"],
  ["supabase", "read", "no room", answers(503, { code: "PGRST003", message: "No", details: null, hint: null }), "backoff"],
  ["supabase", "write", "a bad key", answers(401, { message: "Invalid API key", hint: "No" }), "fail"],
  ["supabase", "write", "a limit", answers(429, { message: "No" }, { "retry-after": "5" }), "backoff"],
  ["supabase", "write", "a page of a proxy", answers(504, HTML), "backoff"],
  ["plain", "read", "a bad key", answers(401, { error: { message: "No" } }), "fail"],
  ["plain", "read", "a bad query", answers(400, graphql({ code: "GRAPHQL_VALIDATION_FAILED" })), "fail"],
  ["plain", "read", "no permission", answers(403, { error: { message: "No" } }), "fail"],
  ["plain", "read", "an error of theirs", answers(500, { error: { message: "No" } }), "backoff"],
  ["plain", "read", "a page of a proxy", answers(502, HTML), "backoff"],
  // Its SDK keeps neither status nor headers.
  ["typeform", "read", "a limit", answers(429, { code: "RATE_LIMIT_EXCEEDED", description: "No" }), "backoff"],
  ["typeform", "read", "a bad key", answers(403, { code: "AUTHENTICATION_FAILED", description: "No" }), "fail"],
  ["typeform", "read", "no such form", answers(404, { code: "FORM_NOT_FOUND", description: "No" }), "fail"],
  ["typeform", "read", "an error of theirs", answers(500, { code: "INTERNAL_SERVER_ERROR", description: "No" }), "backoff"],
];
const NAMES = [...new Set(CASES.map(([vendor]) => vendor))];
/** What began a prediction may have begun it. */
const withoutAnswer = (vendor: string): Verdict => (vendor === "replicate" ? "fail" : "backoff");
const CALLED = [
  ...CASES,
  ...NAMES.map((vendor): Case => [vendor, callOf(vendor), "nobody there", "refused", withoutAnswer(vendor)]),
  ...NAMES.map((vendor): Case => [vendor, callOf(vendor), "a connection that breaks", "broken", withoutAnswer(vendor)]),
];
function callOf(vendor: string): "read" | "write" {
  return CASES.find(([name]) => name === vendor)?.[1] ?? "read";
}

let service: Server;
let vendors: Vendors;
let [url, nowhere] = ["", ""];
let answer: Answer | "broken";
let calls = 0;

beforeAll(async () => {
  expect(spawnSync(process.execPath, [join(ROOT, "scripts/install.mjs"), "tests/vendors"], { stdio: "inherit" }).status).toBe(0);
  // Past Vite: what Node itself loads is what users have.
  ({ VENDORS: vendors } = createRequire(import.meta.url)("./calls.mjs"));
  service = createServer((request, response) => {
    request.resume().on("end", () => {
      calls++;
      if (answer === "broken") return request.socket.destroy();
      const { status, headers = {}, body } = answer;
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const type = typeof body === "string" ? "text/html" : "application/json";
      const given = Object.entries(headers).map(([name, value]) => [name, moment(value)]);
      response.writeHead(status, { "content-type": type, ...Object.fromEntries(given) }).end(text);
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", () => resolve()));
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const closed = createSocketServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", () => resolve()));
  nowhere = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await new Promise((resolve) => closed.close(resolve));
}, 180_000);
afterAll(() => {
  service?.close();
  service?.closeAllConnections();
});

/** `+30`: the second, or with `ms` the millisecond, that is so far away. */
function moment(value: string): string {
  const [, seconds, ms] = /^\+(\d+)(ms)?$/.exec(value) ?? [];
  return seconds === undefined ? value : String((now() + Number(seconds)) * (ms ? 1000 : 1));
}

type PlayedCallback = (task: object, io: object) => Promise<unknown>;
type PlayedOnError = (
  error: unknown,
  task: object,
  io: object,
) => Promise<{ skipRetrying?: boolean; retryInMs?: number } | undefined>;

/** What becomes of one call as a task's; the task itself is played. */
async function verdictOn(vendor: string, call: string, at: string): Promise<Verdict> {
  const { client, calls: made } = vendors[vendor] as Vendors[string];
  const task = { attempts: 1, idempotencyKey: "" };
  let verdict: Verdict = "done";
  const io = {
    async runTask(_key: string, callback: PlayedCallback, _options: object, onError: PlayedOnError) {
      try {
        await callback(task, io);
      } catch (error) {
        const told = await onError(error, task, io);
        verdict = told?.skipRetrying ? "fail" : (told?.retryInMs ?? "backoff");
      }
    },
  };
  const integration = defineIntegration({ id: vendor, client: () => client(at) }).cloneForRun(io as never, "key");
  await integration.runTask("call", (sdk) => (made[call] as (client: unknown) => Promise<unknown>)(sdk));
  return verdict;
}

/** How often the SDK calls by itself, which cannot be turned off. */
function callsOf(vendor: string, call: string, given: Answer | "broken"): number {
  if (vendor === "stripe" && given === "broken") return 2;
  const limit = typeof given === "object" && given.status === 429;
  return vendor === "replicate" && (call === "read" || limit) ? 6 : 1;
}

describe.each(NAMES)("%s", (vendor) => {
  test.each(CALLED.filter(([name]) => name === vendor))("%s, %s: %s", async (_vendor, call, _what, given, expected) => {
    calls = 0;
    if (given !== "refused") answer = given;
    const verdict = await verdictOn(vendor, call, given === "refused" ? nowhere : url);
    if (typeof expected !== "number") expect(verdict).toBe(expected);
    else {
      // Moments are told in whole seconds; waits are at most a tenth longer.
      expect(verdict).toBeGreaterThanOrEqual(expected - 1000);
      expect(verdict).toBeLessThanOrEqual(expected * 1.1);
    }
    expect(calls).toBe(given === "refused" ? 0 : callsOf(vendor, call, given));
  });
});
