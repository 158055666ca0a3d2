// Room: replay. What follows a failed attempt: another try, and when, or the end of the task. Called by Execution with the thrown value.
// The delay is v2's formula (wire §4.4): min(max, round(rand · max(min, 1) · factor^max(attempt − 2, 0))).
import type { ErrorShape } from "@holdfast/protocol";
import type { IO } from "../io/io.ts";
import type { IOTask, RetryOptions, RunTaskErrorCallback } from "../io/task.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { describeError, ErrorWithTask } from "./errors.ts";

const DEFAULTS = { limit: 5, factor: 1.8, minTimeoutInMs: 1000, maxTimeoutInMs: 60_000, randomize: true };

/** Ready-made retry options. @example await io.runTask("send", send, { retry: retry.standardBackoff }); */
export const retry = {
  /** 8 attempts, from half a second to 30 seconds apart. */
  standardBackoff: { limit: 8, factor: 1.8, minTimeoutInMs: 500, maxTimeoutInMs: 30_000, randomize: true },
  /** 8 attempts, each pause twice the one before, at most 30 seconds. */
  exponentialBackoff: { limit: 8, factor: 2, minTimeoutInMs: 1000, maxTimeoutInMs: 30_000, randomize: true },
} as const;

/**
 * Milliseconds to wait after a failed attempt, or undefined when it was the last one.
 *
 * @param attempt 1-based number of the attempt that failed
 * @param random in [0, 1)
 */
export function retryDelay(options: RetryOptions, attempt: number, random: number): number | undefined {
  const given = Object.fromEntries(Object.entries(options).filter(([name, value]) => isUsable(name, value)));
  const { limit, factor, minTimeoutInMs, maxTimeoutInMs, randomize } = { ...DEFAULTS, ...given };
  if (attempt >= limit) return undefined;
  const spread = randomize ? 1 + random : 1;
  return Math.min(maxTimeoutInMs, Math.round(spread * Math.max(minTimeoutInMs, 1) * factor ** Math.max(attempt - 2, 0)));
}

/** What is left out, or no number where one is needed, counts as left out: NaN attempts would never end. */
function isUsable(name: string, value: unknown): boolean {
  return name === "randomize" ? value !== undefined : typeof value === "number" && !Number.isNaN(value);
}

export type Verdict = { kind: "retry"; error: ErrorShape; delayMs: number } | { kind: "fail"; error: unknown };

/** A failed attempt, with what the task's author said about failures. */
export interface Failure {
  thrown: unknown;
  task: IOTask;
  retry: RetryOptions | undefined;
  onError: RunTaskErrorCallback | undefined;
}

/** First `onError`, then "a failed child is not retried by its parent", then the `retry` options. */
export async function judge(failure: Failure, io: IO, runtime: Runtime): Promise<Verdict> {
  let error = failure.thrown;
  let mayRetry = failure.retry !== undefined;
  try {
    const answer = await failure.onError?.(error, failure.task, io);
    if (answer instanceof Error) error = answer;
    else if (answer?.skipRetrying) mayRetry = false;
    else if (answer?.retryAt || answer?.retryInMs !== undefined) {
      const { retryAt, retryInMs = Number.NaN } = answer;
      const delayMs = Math.max(0, retryAt ? timeOf(retryAt) - runtime.now() : checkedDelay(retryInMs));
      return { kind: "retry", error: describeError(answer.error ?? error), delayMs };
    }
  } catch (replacement) {
    error = replacement;
  }
  if (error instanceof ErrorWithTask || !mayRetry) return { kind: "fail", error };
  const delayMs = retryDelay(failure.retry ?? {}, failure.task.attempts, runtime.random());
  return delayMs === undefined ? { kind: "fail", error } : { kind: "retry", error: describeError(error), delayMs };
}

function timeOf(retryAt: Date): number {
  const time = retryAt instanceof Date ? retryAt.getTime() : Number.NaN;
  if (Number.isNaN(time)) throw new Error(`onError() must give retryAt as a valid Date; it gave ${String(retryAt)}.`);
  return time;
}

function checkedDelay(retryInMs: number): number {
  if (!Number.isFinite(retryInMs)) throw new Error(`onError() must give retryInMs as a number; it gave ${String(retryInMs)}.`);
  return retryInMs;
}
