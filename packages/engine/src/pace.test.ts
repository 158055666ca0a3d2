import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pacedLook, pacedNext, pacedRoom, pacedStep } from "./pace.ts";

describe("pace", () => {
  it("spaces starts evenly, and rounds the space up so that a limit is never exceeded", () => {
    expect(pacedStep(5, { period: 1000, burst: 1 })).toBe(200_000);
    expect(pacedStep(3, { period: 1000, burst: 1 })).toBe(333_334);
  });

  it("has room for a burst after a pause, and for the next one when its time has come", () => {
    const pace = { period: 1000, burst: 3 };
    expect(pacedRoom(200_000, pace, 0, 5000)).toBe(3);
    const next = pacedNext(200_000, 0, { now: 5000, count: 3 });
    expect(next).toBe(5_600_000);
    expect([5000, 5199, 5200, 5400].map((now) => pacedRoom(200_000, pace, next, now))).toEqual([0, 0, 1, 2]);
  });

  it("says when to look again: not before the next may start, and not at all while a whole burst was invited", () => {
    const pace = { period: 1000, burst: 2 };
    expect(pacedLook(200_000, pace, 5_400_000, { now: 5000, invited: 0 })).toBe(5200);
    expect(pacedLook(200_000, pace, 5_400_000, { now: 5000, invited: 1 })).toBe(5400);
    expect(pacedLook(200_000, pace, 0, { now: 5000, invited: 0 })).toBe(5001);
    expect(pacedLook(200_000, pace, 0, { now: 5000, invited: 2 })).toBeNull();
  });

  it("never lets more start in a period than the limit, and a burst less one", () => {
    const times = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), times, (limit, burst, pauses) => {
        const pace = { period: 1000, burst };
        const step = pacedStep(limit, pace);
        const starts: number[] = [];
        let [now, next] = [1000, 0];
        for (const pause of pauses) {
          now += pause;
          const count = pacedRoom(step, pace, next, now);
          if (count > 0) next = pacedNext(step, next, { now, count });
          for (let i = 0; i < count; i++) starts.push(now);
        }
        for (const from of starts)
          expect(starts.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(limit + burst - 1);
      }),
    );
  });
});
