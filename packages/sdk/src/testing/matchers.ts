// Room: testing. What vitest and jest can say of runs: `expect.extend(matchers)`. The same can be read from a run's properties anywhere else.
import { UserFacingError } from "@holdfast/protocol";
import type { TestRun } from "./test-run.ts";
import type { TestedJob } from "./tester.ts";

type Seen = TestRun | TestedJob<unknown>;
interface Verdict {
  pass: boolean;
  message: () => string;
}

/**
 * For TypeScript: what `expect` has then.
 *
 * @example declare module "vitest" { interface Matchers<T> extends JobMatchers<T> {} }
 */
export interface JobMatchers<TResult = unknown> {
  /** The run has ended, and well. */
  toHaveSucceeded(): TResult;
  /** The run has ended badly. @param message is contained in that of its error */
  toHaveFailed(message?: string): TResult;
  /** A task of that cacheKey or path has completed. */
  toHaveRunTask(key: string): TResult;
}

/** Throws instead of judging, since behind `not` a false verdict would pass. */
function runOf(seen: Seen): TestRun {
  const given: Partial<TestedJob<unknown> & TestRun> = Object(seen);
  const run: Partial<TestRun> = Object(given.run ?? given);
  if (typeof run.status === "string" && Array.isArray(run.waitsFor)) return run as TestRun;
  const isPromise = "then" in given;
  const hint = isPromise ? "Perhaps an `await` is missing." : "Give what `await tester.run(job, payload)` gave.";
  throw new UserFacingError("BAD_REQUEST", `This is no run${isPromise ? ", but a promise" : ""}. ${hint}`);
}

function told(run: TestRun): string {
  const waits = run.waitsFor.map(({ key }) => `"${key}"`).join(", ");
  return `it is ${run.status}${run.error ? `: ${run.error.message}` : ""}${waits ? `, waiting for ${waits}` : ""}`;
}

function verdict(pass: boolean, what: string, run: TestRun): Verdict {
  return { pass, message: () => `The run was expected ${pass ? "not " : ""}to ${what}; ${told(run)}.` };
}

export function toHaveSucceeded(seen: Seen): Verdict {
  const run = runOf(seen);
  return verdict(run.status === "SUCCESS", "have succeeded", run);
}

export function toHaveFailed(seen: Seen, message?: string): Verdict {
  const run = runOf(seen);
  const fits = run.error !== undefined && (message === undefined || run.error.message.includes(message));
  return verdict(fits, message === undefined ? "have failed" : `have failed with "${message}"`, run);
}

export function toHaveRunTask(seen: Seen, key: string): Verdict {
  const run = runOf(seen);
  const others = run.tasks.map(({ path, status }) => `${path} (${status})`).join(", ") || "none";
  return verdict(run.task(key)?.status === "COMPLETED", `have completed the task "${key}"; its tasks are ${others}`, run);
}

/** All of them. @example expect.extend(matchers); expect(run).toHaveSucceeded(); */
export const matchers = { toHaveSucceeded, toHaveFailed, toHaveRunTask };
