// What each of the thirteen services answers when it will not or cannot, in the shape its SDK throws, and what is done about it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFailure } from "./failure.ts";
import { type FailureRule, verdictOn } from "./rules.ts";
import { VENDORS, type VendorId } from "./vendors.ts";

const verdict = (vendor: VendorId, error: unknown) => verdictOn(readFailure(error), VENDORS[vendor].rules);
const error = (properties: object, message = "no") => Object.assign(new Error(message), properties);

const NOW = "Wed, 21 Oct 2026 07:28:00 GMT";
const SECONDS = Date.parse(NOW) / 1000;
const told = (headers: Record<string, string>) => new Headers({ date: NOW, ...headers });
const octokit = (status: number, headers: Record<string, string>, message?: string) =>
  error({ name: "HttpError", status, response: { status, headers: { date: NOW, ...headers }, data: {} } }, message);
const replicate = (method: string, status: number, headers: Record<string, string> = {}) =>
  error({
    name: "ApiError",
    request: new Request("https://api.example/", { method }),
    response: new Response(null, { status, headers: told(headers) }),
  });
const linear = (properties: object, headers: Record<string, string> = {}) =>
  error({ raw: { response: { status: 400, headers: told(headers) } }, ...properties });
const shopify = (code: string) =>
  error({ response: { status: 200 }, body: { errors: { networkStatusCode: 200, graphQLErrors: [{ extensions: { code } }] } } });
const slack = (reason: string) => error({ code: "slack_webapi_platform_error", data: { ok: false, error: reason } });

const cases: [VendorId, string, unknown, ReturnType<typeof verdictOn>][] = [
  ["airtable", "too many requests", error({ error: "TOO_MANY_REQUESTS", statusCode: 429 }), { inMs: 30_000 }],
  ["airtable", "a bad value", error({ error: "INVALID_VALUE_FOR_COLUMN", statusCode: 422 }), "fail"],
  [
    "github",
    "no requests left",
    octokit(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(SECONDS + 90) }),
    { inMs: 90_000 },
  ],
  [
    "github",
    "a burst, with a time",
    octokit(429, { "retry-after": "17" }, "You have exceeded a secondary rate limit"),
    { inMs: 17_000 },
  ],
  ["github", "a burst, without one", octokit(403, {}, "You have exceeded a secondary rate limit"), { inMs: 60_000 }],
  ["github", "no permission", octokit(403, { "x-ratelimit-remaining": "4000" }, "Resource not accessible"), "fail"],
  ["linear", "a limit, as its SDK read it", linear({ type: "Ratelimited", retryAfter: 12 }), { inMs: 12_000 }],
  [
    "linear",
    "no requests left",
    linear(
      { type: "Ratelimited" },
      { "x-ratelimit-requests-remaining": "0", "x-ratelimit-requests-reset": `${SECONDS * 1000 + 2500}` },
    ),
    { inMs: 2500 },
  ],
  [
    "linear",
    "too complex a query",
    linear({ errors: [{ extensions: { code: "RATELIMITED" } }] }, { "x-ratelimit-complexity-reset": `${SECONDS * 1000 + 9000}` }),
    { inMs: 9000 },
  ],
  ["linear", "an error of the caller's", linear({ type: "InvalidInput", errors: [{ userError: true }] }), "fail"],
  ["linear", "an error of theirs, with 200", error({ type: "InternalError", status: 200 }), "backoff"],
  ["openai", "no quota", error({ status: 429, code: "insufficient_quota", headers: told({ "retry-after": "1" }) }), "fail"],
  ["openai", "told not to", error({ status: 500, headers: told({ "x-should-retry": "false" }) }), "fail"],
  [
    "openai",
    "milliseconds",
    error({ status: 429, headers: told({ "retry-after-ms": "350", "retry-after": "1" }) }),
    { inMs: 350 },
  ],
  [
    "openai",
    "no tokens left, as its SDK 4 has headers",
    error({
      status: 429,
      headers: {
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0.5s",
      },
    }),
    { inMs: 360_500 },
  ],
  ["openai", "a bad request", error({ status: 400, type: "invalid_request_error" }), "fail"],
  ["openai", "a connection that broke", error({ name: "APIConnectionError", status: undefined }), "backoff"],
  ["plain", "an error of theirs", error({ type: "internal_server_error" }), "backoff"],
  ["plain", "a bad request", error({ type: "bad_request" }), "fail"],
  ["replicate", "an error of theirs when reading", replicate("GET", 502), "backoff"],
  ["replicate", "an error of theirs when predicting", replicate("POST", 502), "fail"],
  [
    "replicate",
    "too many requests",
    replicate("POST", 429, { "ratelimit-remaining": "0", "ratelimit-reset": "4" }),
    { inMs: 4000 },
  ],
  ["resend", "a limit", error({ name: "rate_limit_exceeded", statusCode: 429, headers: { "retry-after": "1" } }), { inMs: 1000 }],
  ["resend", "the day's quota", error({ name: "daily_quota_exceeded", statusCode: 429 }), "fail"],
  ["resend", "an error of theirs", error({ name: "application_error", statusCode: null }), "backoff"],
  [
    "resend",
    "one with a time",
    error({ name: "application_error", statusCode: 503, headers: { "retry-after": "4" } }),
    { inMs: 4000 },
  ],
  [
    "sendgrid",
    "too many requests",
    error({ code: 429, response: { headers: { date: NOW, "x-ratelimit-reset": String(SECONDS + 30) }, body: {} } }),
    { inMs: 30_000 },
  ],
  ["sendgrid", "a key that is wrong", error({ code: 401, response: { headers: {}, body: { errors: [] } } }), "fail"],
  ["shopify", "too many requests", error({ response: { code: 429, statusText: "", retryAfter: 2.5 } }), { inMs: 2500 }],
  ["shopify", "a query too many", error({ body: { errors: [{ extensions: { code: "THROTTLED" } }] } }), { inMs: 2000 }],
  ["shopify", "a query too many, as its SDK 12 has it", shopify("THROTTLED"), { inMs: 2000 }],
  ["shopify", "an error of theirs, with 200", shopify("INTERNAL_SERVER_ERROR"), "backoff"],
  ["shopify", "a field that is none", shopify("undefinedField"), "fail"],
  ["slack", "too many requests", error({ code: "slack_webapi_rate_limited_error", retryAfter: 30 }), { inMs: 30_000 }],
  ["slack", "an error of theirs", slack("internal_error"), "backoff"],
  ["slack", "no such channel", slack("channel_not_found"), "fail"],
  ["stripe", "told to", error({ statusCode: 400, headers: { "stripe-should-retry": "true" } }), "backoff"],
  ["stripe", "told not to", error({ statusCode: 503, headers: { "stripe-should-retry": "false" } }), "fail"],
  ["stripe", "another request has the lock", error({ statusCode: 409, type: "StripeIdempotencyError" }), "backoff"],
  ["stripe", "a card that is declined", error({ statusCode: 402, type: "StripeCardError", headers: {} }), "fail"],
  ["supabase", "a transaction that lost", error({ code: "40001", status: 500 }), "backoff"],
  ["supabase", "a row that is there already", error({ code: "23505", status: 409 }), "fail"],
  ["typeform", "too many requests", error({ status: 429 }), { inMs: 1000 }],
  ["typeform", "no such form", error({ code: "FORM_NOT_FOUND" }), "fail"],
];

describe("rules of the services v2 had integrations for", () => {
  it.each(cases)("%s: %s", (vendor, _what, thrown, expected) => {
    expect(verdict(vendor, thrown)).toEqual(expected);
  });

  it("has a case or more for each", () => {
    expect([...new Set(cases.map(([vendor]) => vendor))].sort()).toEqual(Object.keys(VENDORS).sort());
  });

  it.each(Object.keys(VENDORS) as VendorId[])("%s: what holds for every service", (vendor) => {
    expect(verdict(vendor, error({ status: 503 }))).toBe("backoff");
    expect(verdict(vendor, error({ status: 503, headers: told({ "retry-after": "7" }) }))).toEqual({ inMs: 7000 });
    expect(verdict(vendor, error({ status: 429, headers: told({ "retry-after": "7" }) }))).toEqual({ inMs: 7000 });
    expect(verdict(vendor, error({ status: 401 }))).toBe("fail");
    expect(verdict(vendor, error({ code: "ECONNRESET" }))).toBe("backoff");
  });
});

describe("when to come again", () => {
  const rule = (form: "seconds-or-date" | "milliseconds" | "moment" | "duration"): FailureRule[] => [
    { do: "retry", wait: [{ header: "reset", form }] },
  ];
  const wait = (form: Parameters<typeof rule>[0], reset: string, date: string | null = NOW) =>
    verdictOn(readFailure({ status: 429, headers: { ...(date ? { Date: date } : {}), Reset: reset } }), rule(form));
  const later = (seconds: number) => new Date((SECONDS + seconds) * 1000);

  it("is read from seconds, dates, moments and durations", () => {
    expect(wait("seconds-or-date", "1.5")).toEqual({ inMs: 1500 });
    expect(wait("seconds-or-date", later(20).toUTCString())).toEqual({ inMs: 20_000 });
    expect(wait("milliseconds", "1500")).toEqual({ inMs: 1500 });
    expect(wait("moment", "60")).toEqual({ inMs: 60_000 });
    expect(wait("moment", String(SECONDS + 60))).toEqual({ inMs: 60_000 });
    expect(wait("moment", String((SECONDS + 60) * 1000))).toEqual({ inMs: 60_000 });
    expect(wait("moment", later(60).toISOString())).toEqual({ inMs: 60_000 });
    expect(wait("duration", "1d2h3m4.5s")).toEqual({ inMs: 93_784_500 });
    expect(wait("duration", "20ms")).toEqual({ inMs: 20 });
  });

  it("is a moment of our clock where they do not tell theirs", () => {
    expect(wait("moment", String(SECONDS + 60), null)).toEqual({ at: later(60) });
  });

  it("is left to backoff when it makes no sense or has passed", () => {
    for (const text of ["", "soon", "-1", "0", "NaN"]) {
      for (const form of ["seconds-or-date", "milliseconds", "moment", "duration"] as const) {
        expect(wait(form, text), `${form} ${text}`).toBe("backoff");
      }
    }
    expect(wait("moment", String(SECONDS - 60))).toBe("backoff");
  });

  it("never throws, and a wait is always some time, whatever was thrown", () => {
    const rules = Object.values(VENDORS).flatMap((vendor) => [...vendor.rules]);
    fc.assert(
      fc.property(fc.anything(), fc.string(), (thrown, text) => {
        for (const each of [thrown, { status: 429, headers: { "retry-after": text, "x-ratelimit-reset": thrown } }]) {
          const answer = verdictOn(readFailure(each), rules);
          if (typeof answer === "object" && "inMs" in answer) expect(answer.inMs).toBeGreaterThan(0);
        }
      }),
    );
  });
});
