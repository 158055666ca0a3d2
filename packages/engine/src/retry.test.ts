// The retry formula against the values observed on the published client (wire §4.4), and against nonsense.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RETRY_PRESETS, type RetryOptions, retryDelay, retryLimit } from "./index.ts";

describe("retryDelay", () => {
  it("follows v2: attempts 1 and 2 wait the same, then it grows to the maximum", () => {
    const options = { limit: 9, minTimeoutInMs: 1000, factor: 2, maxTimeoutInMs: 6000, randomize: false };
    expect([1, 2, 3, 4, 5].map((attempt) => retryDelay(options, attempt, 0.7))).toEqual([1000, 1000, 2000, 4000, 6000]);
  });
  it("takes v2's defaults for what is left out, and stretches by chance up to twice", () => {
    expect([retryDelay({}, 1, 0), retryDelay({}, 1, 0.5), retryDelay({}, 3, 0)]).toEqual([1000, 1500, 1800]);
    expect(retryDelay({}, 5, 0)).toBeNull();
  });
  it("counts all attempts in the limit; without options or with limit 0 there is no retry", () => {
    expect([retryLimit(undefined), retryLimit({}), retryLimit({ limit: 0 })]).toEqual([0, 5, 0]);
    expect([retryDelay(undefined, 1, 0), retryDelay({ limit: 0 }, 1, 0), retryDelay({ limit: 2 }, 2, 0)]).toEqual([
      null,
      null,
      null,
    ]);
    expect(retryDelay(RETRY_PRESETS.standardBackoff, 7, 0)).toBe(Math.round(500 * 1.8 ** 5));
    expect(retryDelay(RETRY_PRESETS.exponentialBackoff, 7, 0)).toBe(30_000);
  });
  it("is a whole, finite, bounded number or null for any options", () => {
    const anything = fc.oneof(fc.double(), fc.string(), fc.constant(undefined));
    const options = fc.record({
      limit: anything,
      factor: anything,
      minTimeoutInMs: anything,
      maxTimeoutInMs: anything,
      randomize: fc.boolean(),
    });
    const attempts = fc.integer({ min: 1, max: 1e6 });
    fc.assert(
      fc.property(options, attempts, fc.double({ min: 0, max: 0.999, noNaN: true }), (raw, attempt, random) => {
        const delay = retryDelay(raw as RetryOptions, attempt, random);
        if (delay === null) return;
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
