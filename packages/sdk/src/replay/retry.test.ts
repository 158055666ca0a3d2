import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IO } from "../io/io.ts";
import type { IOTask, RunTaskErrorCallback } from "../io/task.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { judge, retry, retryDelay } from "./retry.ts";

describe("judge", () => {
  const runtime = { now: () => 1000, random: () => 0 } as Runtime;
  const failure = (onError: RunTaskErrorCallback) => ({
    thrown: new Error("no"),
    task: { attempts: 1 } as IOTask,
    retry: undefined,
    onError,
  });
  const judged = (onError: RunTaskErrorCallback) => judge(failure(onError), {} as IO, runtime);

  it("takes from onError when to try again: a moment, or how long from now", async () => {
    expect(await judged(() => ({ retryAt: new Date(3500) }))).toMatchObject({ kind: "retry", delayMs: 2500 });
    expect(await judged(() => ({ retryInMs: 2500 }))).toMatchObject({ kind: "retry", delayMs: 2500 });
    expect(await judged(() => ({ retryInMs: -1 }))).toMatchObject({ kind: "retry", delayMs: 0 });
  });

  it("fails a task whose onError gives no number", async () => {
    const verdict = await judged(() => ({ retryInMs: Number.NaN }));
    expect(verdict).toMatchObject({ kind: "fail", error: { message: expect.stringContaining("it gave NaN") } });
  });
});

describe("retryDelay", () => {
  it("follows v2's series", () => {
    const options = { limit: 9, minTimeoutInMs: 1000, factor: 2, maxTimeoutInMs: 6000, randomize: false };
    expect([1, 2, 3, 4, 5].map((attempt) => retryDelay(options, attempt, 0))).toEqual([1000, 1000, 2000, 4000, 6000]);
  });

  it("fills in what is left out, and counts all attempts", () => {
    expect(retryDelay({}, 1, 0)).toBe(1000);
    expect(retryDelay({}, 1, 0.5)).toBe(1500);
    expect(retryDelay({ limit: undefined }, 4, 0)).toBe(3240);
    expect(retryDelay({}, 5, 0)).toBeUndefined();
    expect(retryDelay({ limit: 0 }, 1, 0)).toBeUndefined();
    expect(retryDelay(retry.standardBackoff, 8, 0)).toBeUndefined();
  });

  it("never exceeds the maximum and never goes below the minimum", () => {
    const options = fc.record({
      minTimeoutInMs: fc.integer({ min: 1, max: 5000 }),
      maxTimeoutInMs: fc.integer({ min: 10_000, max: 90_000 }),
      factor: fc.double({ min: 1, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(
        options,
        fc.integer({ min: 1, max: 7 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (given, attempt, random) => {
          const delay = retryDelay({ ...given, limit: 8 }, attempt, random) ?? Number.NaN;
          return delay >= given.minTimeoutInMs && delay <= given.maxTimeoutInMs;
        },
      ),
    );
  });
});
