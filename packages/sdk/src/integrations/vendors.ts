// Room: integrations. The services v2 had integrations for, as data: how each says that a call may be tried again, and when. Read by define.ts.
// Each line follows the service's own documentation and what its SDK throws. What is true of every service stands in rules.ts (DEFAULT_RULES), after these.
import type { RetryOptions } from "../io/task.ts";
import { retry } from "../replay/retry.ts";
import { type FailureRule, RETRY_AFTER, type WaitHeader } from "./rules.ts";

/** One service. */
export interface Vendor {
  name: string;
  /** Pauses where the service does not say when. Default `retry.standardBackoff`. */
  retry?: RetryOptions;
  /** Its SDK throws nothing: it gives an object that has the error here. */
  errorField?: string;
  rules: readonly FailureRule[];
}

/** The moment in `reset`, when nothing is left in `remaining`. */
const whenNoneLeft = (remaining: string, reset: string, form: WaitHeader["form"] = "moment"): WaitHeader => ({
  header: reset,
  form,
  when: { [remaining]: "0" },
});

export const VENDORS = {
  airtable: {
    name: "Airtable",
    // Five requests a second and base. Whoever exceeds that is to stay away for 30 seconds.
    rules: [{ status: [429], do: "retry", wait: [RETRY_AFTER], seconds: 30 }],
  },
  github: {
    name: "GitHub",
    // Both limits answer 403 or 429. The second one, on bursts, may say nothing but its name; then a minute is asked for.
    rules: [
      {
        status: [403, 429],
        headers: { "x-ratelimit-remaining": "0" },
        do: "retry",
        wait: [RETRY_AFTER, { header: "x-ratelimit-reset", form: "moment" }],
      },
      { status: [403, 429], message: "rate limit", do: "retry", wait: [RETRY_AFTER], seconds: 60 },
    ],
  },
  linear: {
    name: "Linear",
    // Rate limits answer 400, by requests and by how much a query asks for; moments are in milliseconds.
    rules: [
      {
        code: ["RATELIMITED", "Ratelimited"],
        do: "retry",
        wait: [
          RETRY_AFTER,
          whenNoneLeft("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset"),
          { header: "x-ratelimit-complexity-reset", form: "moment" },
        ],
      },
      { code: ["NetworkError", "BootstrapError", "InternalError", "LockTimeout"], do: "retry" },
      { code: ["userError", "UserError", "InvalidInput", "AuthenticationError", "Forbidden"], do: "fail" },
      { code: ["FeatureNotAccessible", "GraphqlError", "UsageLimitExceeded"], do: "fail" },
    ],
  },
  openai: {
    name: "OpenAI",
    retry: retry.exponentialBackoff,
    // No quota left is no matter of time.
    rules: [
      { code: ["insufficient_quota"], do: "fail" },
      { headers: { "x-should-retry": "false" }, do: "fail" },
      {
        status: [429],
        do: "retry",
        wait: [
          { header: "retry-after-ms", form: "milliseconds" },
          RETRY_AFTER,
          whenNoneLeft("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "duration"),
          whenNoneLeft("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", "duration"),
        ],
      },
      { status: [409], do: "retry" },
      { headers: { "x-should-retry": "true" }, do: "retry", wait: [RETRY_AFTER] },
    ],
  },
  plain: {
    name: "Plain",
    errorField: "error",
    rules: [
      { code: ["internal_server_error", "unknown"], do: "retry" },
      { code: ["bad_request", "forbidden", "mutation_error"], do: "fail" },
    ],
  },
  replicate: {
    name: "Replicate",
    // What began a prediction may have begun it: after an error of theirs only reads are tried again.
    rules: [
      {
        status: [429],
        do: "retry",
        wait: [RETRY_AFTER, whenNoneLeft("ratelimit-remaining", "ratelimit-reset")],
      },
      { status: [[500, 599]], method: ["POST", "PUT", "PATCH", "DELETE"], do: "fail" },
    ],
  },
  resend: {
    name: "Resend",
    errorField: "error",
    rules: [
      { code: ["daily_quota_exceeded", "monthly_quota_exceeded"], do: "fail" },
      {
        code: ["rate_limit_exceeded"],
        do: "retry",
        wait: [RETRY_AFTER, { header: "ratelimit-reset", form: "moment" }],
      },
      { code: ["application_error", "internal_server_error", "concurrent_idempotent_requests"], do: "retry" },
    ],
  },
  sendgrid: {
    name: "SendGrid",
    rules: [{ status: [429], do: "retry", wait: [RETRY_AFTER, { header: "x-ratelimit-reset", form: "moment" }] }],
  },
  shopify: {
    name: "Shopify",
    // GraphQL answers 200 and says in a code what is wrong; the bucket fills again within seconds.
    rules: [
      { code: ["THROTTLED"], do: "retry", wait: [RETRY_AFTER], seconds: 2 },
      { code: ["INTERNAL_SERVER_ERROR", "TIMEOUT"], do: "retry" },
      { status: [200], do: "fail" },
    ],
  },
  slack: {
    name: "Slack",
    rules: [
      {
        code: ["slack_webapi_rate_limited_error", "ratelimited", "rate_limited"],
        do: "retry",
        wait: [RETRY_AFTER],
        seconds: 30,
      },
      { code: ["internal_error", "fatal_error", "service_unavailable", "request_timeout"], do: "retry" },
      { code: ["slack_webapi_platform_error"], do: "fail" },
    ],
  },
  stripe: {
    name: "Stripe",
    // It says by itself what may be tried again. With task.idempotencyKey in the request, doing so charges nobody twice.
    rules: [
      { headers: { "stripe-should-retry": "false" }, do: "fail" },
      { headers: { "stripe-should-retry": "true" }, do: "retry", wait: [RETRY_AFTER] },
      { status: [409, 429], do: "retry", wait: [RETRY_AFTER] },
      { code: ["StripeConnectionError"], do: "retry" },
    ],
  },
  supabase: {
    name: "Supabase",
    errorField: "error",
    // Transactions that lost against another one, and a database that has no room or is starting.
    rules: [
      { code: ["40001", "40P01", "55P03", "53300", "57P03"], do: "retry" },
      { code: ["PGRST000", "PGRST001", "PGRST002", "PGRST003"], do: "retry" },
    ],
  },
  typeform: {
    name: "Typeform",
    // Two requests a second. Its SDK throws codes and no statuses.
    rules: [
      { status: [429], do: "retry", wait: [RETRY_AFTER], seconds: 1 },
      { code: ["AUTHENTICATION_FAILED", "FORM_NOT_FOUND", "NOT_FOUND", "VALIDATION_ERROR"], do: "fail" },
    ],
  },
} as const satisfies Record<string, Vendor>;

/** A service whose rules are known. */
export type VendorId = keyof typeof VENDORS;
