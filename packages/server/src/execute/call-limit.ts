// Room: execute. How long one call of a pushed app may take before its platform (a serverless function's time limit) ends it: told from an answer, learned
// from how long the call lasted, and kept away from by yielding in time. Pure. Called by push.ts and pushed.ts. Source of the signs: wire §1.10, §4.7.
import type { AppRow } from "../store/store.ts";

/** The shortest limit believed: there are functions that are given 3 s (AWS Lambda, by default). */
const SHORTEST_MS = 1_000;
/** Yielding so early leaves the task then under way a fifth of the limit. */
const SHARE = 0.8;

/** Calls cut off by one limit differ by less than this share of it. */
const NEAR = 0.1;

/** v2's own numbers. */
const LEAST_CHUNK_MS = 10_000;
const ON_THE_WAY_MS = 350;
/** Large rather than none, so that an API outage becomes a yield and not a failure. */
const NO_LIMIT_MS = 24 * 3600 * 1000;

/** An answer as far as it tells why a call ended. */
interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Whether the platform ended the call, rather than the app failed. */
export function isCutOff({ status, headers, body }: Answer): boolean {
  if (status === 408 || status === 504) return true;
  if (headers["x-vercel-error"] === "FUNCTION_INVOCATION_TIMEOUT") return true;
  const says = (words: string) => Buffer.from(body).toString("utf8").includes(words);
  if (status === 502) return says("TIME_LIMIT");
  return status === 503 && headers["cf-ray"] !== undefined && says("Worker exceeded resource limits");
}

/**
 * The limit, as a call of this app that was cut off shows it; null where that says nothing new. What is heard of a call begins after the call does, so each
 * shows a bound from below and the longest counts; but one that was cut off before it was to yield shows that the limit has become shorter.
 *
 * @param heardMs how long the execution had been heard of
 */
export function learnedLimit({ callLimitMs }: AppRow, heardMs: number): number | null {
  const limit = Math.max(SHORTEST_MS, Math.round(heardMs));
  if (callLimitMs === null || limit < SHARE * callLimitMs) return limit;
  return limit > (1 + NEAR) * callLimitMs ? limit : null;
}

/** Milliseconds after which an execution of this app, on our SDK, is to start no further task; null where no limit is known. */
export function yieldAfterMs({ callLimitMs }: AppRow): number | null {
  return callLimitMs === null ? null : Math.round(callLimitMs * SHARE);
}

/** The same as a v2 SDK is told. It keeps away by itself, by 0.5 to 1.5 s, so that below a floor it would start no task at all (wire §1.7.4). */
export function chunkLimitMs({ callLimitMs }: AppRow): number {
  return callLimitMs === null ? NO_LIMIT_MS : Math.max(LEAST_CHUNK_MS, callLimitMs - ON_THE_WAY_MS);
}
