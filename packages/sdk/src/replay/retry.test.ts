import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retry, retryDelay } from "./retry.ts";

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
