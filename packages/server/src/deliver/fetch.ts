// Room: deliver. One try of a request that a run asked the server to make (`io.backgroundFetch`, `backgroundFetchResponse`, `backgroundPoll`): builds it, sends
// it, and says what the answer means. Called by operations.ts. Facts: wire §4.8. Promises: never throws; nothing of a redacted header is told to anyone.
import { compileFilter, type RetryOptions, retryDelay } from "@holdfast/engine";
import type { ErrorShape } from "@holdfast/protocol";
import { z } from "zod";
import type { HttpOutcome, HttpRequest } from "../platform/http-client.ts";
import type { World } from "../platform/world.ts";

const redactedSchema = z.object({
  __redactedString: z.literal(true),
  strings: z.array(z.string()),
  interpolations: z.array(z.string()),
});
const requestInitSchema = z.object({
  method: z.string().optional(),
  headers: z.record(z.string(), z.union([z.string(), redactedSchema])).optional(),
  body: z.union([z.string(), z.null()]).optional(),
});
const backoff = {
  limit: z.number().optional(),
  factor: z.number().optional(),
  minTimeoutInMs: z.number().optional(),
  maxTimeoutInMs: z.number().optional(),
  randomize: z.boolean().optional(),
};
const backoffSchema = z.object({
  strategy: z.literal("backoff"),
  ...backoff,
  bodyFilter: z.record(z.string(), z.unknown()).optional(),
});
const headersSchema = z.object({
  strategy: z.literal("headers"),
  resetHeader: z.string(),
  resetFormat: z
    .enum(["unix_timestamp", "unix_timestamp_in_ms", "iso_8601", "iso_8601_duration_openai_variant"])
    .default("unix_timestamp"),
  bodyFilter: z.record(z.string(), z.unknown()).optional(),
});
const strategySchema = z.discriminatedUnion("strategy", [backoffSchema, headersSchema]);
type Strategy = z.infer<typeof strategySchema>;

export const fetchParamsSchema = z.object({
  url: z.string(),
  requestInit: requestInitSchema.optional(),
  retry: z.record(z.string(), strategySchema).optional(),
  timeout: z.object({ durationInMs: z.number(), retry: z.object(backoff).optional() }).optional(),
});
export const pollParamsSchema = z.object({
  url: z.string(),
  requestInit: requestInitSchema.optional(),
  responseFilter: z.object({
    status: z.array(z.unknown()).optional(),
    headers: z.record(z.string(), z.unknown()).optional(),
    body: z.record(z.string(), z.unknown()).optional(),
  }),
  /** Seconds. */
  interval: z.number().default(10),
  /** Seconds. */
  timeout: z.number().default(600),
  requestTimeout: z.object({ durationInMs: z.number().optional() }).optional(),
});
export type FetchParams = z.infer<typeof fetchParamsSchema>;
export type PollParams = z.infer<typeof pollParamsSchema>;

/** `at` in epoch milliseconds. */
export type Tried =
  | { type: "done"; output: unknown }
  | { type: "failed"; error: ErrorShape; body?: unknown }
  | { type: "again"; at: number; error: ErrorShape };

const FETCH_TIMEOUT_MS = { usual: 120_000, least: 1_000, most: 300_000 };
const POLL_TIMEOUT_MS = { usual: 5_000, least: 1_000, most: 5_000 };

function requestOf(
  { url, requestInit }: Pick<FetchParams, "url" | "requestInit">,
  { timeoutMs, line }: { timeoutMs: number; line: string },
): HttpRequest {
  const method = (requestInit?.method ?? "GET").toUpperCase();
  const given = Object.entries(requestInit?.headers ?? {});
  const headers = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), plain(value)]));
  const body = requestInit?.body;
  const hasBody = body !== undefined && body !== null && method !== "GET" && method !== "HEAD";
  return { url, method, headers: { accept: "*/*", ...headers }, timeoutMs, line, ...(hasBody ? { body } : {}) };
}

/** A redacted string as it is sent. */
function plain(value: string | z.infer<typeof redactedSchema>): string {
  if (typeof value === "string") return value;
  return value.strings.map((text, at) => text + (value.interpolations[at] ?? "")).join("");
}

function within(value: number | undefined, { usual, least, most }: { usual: number; least: number; most: number }): number {
  return Math.min(most, Math.max(least, value ?? usual));
}

/** The body as JSON; a text that is none stays a text, nothing at all is null. */
function bodyOf(outcome: HttpOutcome & { ok: true }): unknown {
  const text = Buffer.from(outcome.body).toString("utf8");
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** v2's `fetch`: JSON or null. */
function jsonOf(outcome: HttpOutcome & { ok: true }): unknown {
  const body = bodyOf(outcome);
  return typeof body === "string" && !Buffer.from(outcome.body).toString("utf8").trimStart().startsWith('"') ? null : body;
}

/**
 * One try of `fetch` (output: the body) or `fetch-response` (output: data, headers, status).
 *
 * @param attempt 1-based
 * @param line see {@link HttpRequest}
 */
export async function tryFetch(
  world: World,
  params: FetchParams,
  { attempt, whole, line }: { attempt: number; whole: boolean; line: string },
): Promise<Tried> {
  const timeoutMs = within(params.timeout?.durationInMs, FETCH_TIMEOUT_MS);
  const outcome = await world.fetch(requestOf(params, { timeoutMs, line }));
  const chance = (world.random(1)[0] ?? 0) / 256;
  if (!outcome.ok) {
    const timedOut = outcome.why === "timeout";
    const error = { message: timedOut ? `Fetch timed out after ${timeoutMs}ms` : `Fetch failed: ${outcome.message}` };
    const retry = timedOut ? params.timeout?.retry : undefined;
    return againOr(world.now(), retryDelay(retry as RetryOptions | undefined, attempt, chance), error);
  }
  const body = jsonOf(outcome);
  if (outcome.status >= 200 && outcome.status < 300)
    return { type: "done", output: whole ? { status: outcome.status, headers: outcome.headers, data: body } : body };
  const error = { message: `Fetch failed with status ${outcome.status}` };
  const strategy = strategyFor(params.retry ?? {}, outcome.status, body);
  const again = againOr(world.now(), strategy && delayBy(strategy, outcome, { attempt, chance, now: world.now() }), error);
  return again.type === "failed" && typeof body === "object" && body !== null ? { ...again, body } : again;
}

function againOr(now: number, delayMs: number | null | undefined, error: ErrorShape): Tried {
  return delayMs === null || delayMs === undefined ? { type: "failed", error } : { type: "again", at: now + delayMs, error };
}

function strategyFor(retry: Record<string, Strategy>, status: number, body: unknown): Strategy | undefined {
  const found = Object.entries(retry).find(([pattern, { bodyFilter }]) => {
    return names(pattern, status) && (!bodyFilter || fits(bodyFilter, body));
  });
  return found?.[1];
}

/** "429", "500-599", "5xx", "40x", "401,403", "all". */
export function names(pattern: string, status: number): boolean {
  return pattern.split(",").some((part) => {
    const one = part.trim().toLowerCase();
    if (one === "all") return true;
    const [, from, to] = /^(\d{3})-(\d{3})$/.exec(one) ?? [];
    if (from && to) return status >= Number(from) && status <= Number(to);
    return one.length === 3 && [...one].every((char, at) => char === "x" || char === String(status)[at]);
  });
}

function delayBy(
  strategy: Strategy,
  outcome: HttpOutcome & { ok: true },
  { attempt, chance, now }: { attempt: number; chance: number; now: number },
): number | null {
  if (strategy.strategy === "backoff") return retryDelay(strategy as RetryOptions, attempt, chance);
  const text = outcome.headers[strategy.resetHeader.toLowerCase()];
  const at = text === undefined ? null : resetTime(text, strategy.resetFormat, now);
  return at === null ? null : Math.max(0, at - now);
}

/** When a rate limit ends, epoch milliseconds; null when the header says nothing of use. */
export function resetTime(text: string, format: z.infer<typeof headersSchema>["resetFormat"], now: number): number | null {
  const value = text.trim();
  if (format === "iso_8601_duration_openai_variant") return durationOf(value, now);
  const at = format === "iso_8601" ? Date.parse(value) : Number(value) * (format === "unix_timestamp" ? 1000 : 1);
  return Number.isFinite(at) && value !== "" ? at : null;
}

const UNIT_MS: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** "1m30.5s", "250ms". */
function durationOf(value: string, now: number): number | null {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== value) return null;
  return now + parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0), 0);
}

/** A filter that does not compile matches nothing. */
function fits(filter: object, value: unknown): boolean {
  const compiled = compileFilter(filter);
  return compiled.ok && compiled.matches(value);
}

/** What one try of a poll saw, and whether that is what was waited for. */
export interface Polled {
  matched: boolean;
  seen: { status?: number; headers?: Record<string, string>; body?: unknown; error?: string };
}

export async function tryPoll(world: World, params: PollParams, line: string): Promise<Polled> {
  const timeoutMs = within(params.requestTimeout?.durationInMs, POLL_TIMEOUT_MS);
  const outcome = await world.fetch(requestOf(params, { timeoutMs, line }));
  if (!outcome.ok) return { matched: false, seen: { error: outcome.message } };
  const seen = { status: outcome.status, headers: outcome.headers, body: bodyOf(outcome) };
  const { status, headers, body } = params.responseFilter;
  const lowered = headers && Object.fromEntries(Object.entries(headers).map(([name, leaf]) => [name.toLowerCase(), leaf]));
  const filter = { ...(status ? { status } : {}), ...(lowered ? { headers: lowered } : {}), ...(body ? { body } : {}) };
  return { matched: fits(filter, seen), seen };
}
