// Room: dispatch. Moments of schedules, and what is wrong with those that cannot be used.
import { describe, expect, it, test } from "vitest";
import { nextTick, scheduleProblem } from "./schedule.ts";

const cron = (expression: unknown) => ({ type: "cron" as const, options: { cron: expression } });
const interval = (seconds: unknown) => ({ type: "interval" as const, options: { seconds } });
const next = (schedule: Parameters<typeof nextTick>[0], after: string) => {
  const at = nextTick(schedule, Date.parse(after));
  return at === null ? null : new Date(at).toISOString();
};

describe("the next tick", () => {
  it.each([
    ["*/5 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00.000Z"],
    ["0 9 * * 1-5", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00.000Z"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    // Day of the month or of the week, as cron has always had it.
    ["0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000Z"],
    ["*/2 * * * * *", "2026-01-01T00:00:00.500Z", "2026-01-01T00:00:02.000Z"],
    // UTC knows no summer time.
    ["30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T02:30:00.000Z"],
  ])("of %s after %s is %s", (expression, after, expected) => {
    expect(next(cron(expression), after)).toBe(expected);
  });

  it("of an interval keeps to multiples of itself and is never the moment asked about", () => {
    expect(next(interval(3600), "2026-01-01T00:00:00Z")).toBe("2026-01-01T01:00:00.000Z");
    expect(next(interval(3600), "2026-01-01T00:59:59.999Z")).toBe("2026-01-01T01:00:00.000Z");
  });
});

test.each([
  [cron("* * * *"), /no cron expression/],
  [cron("61 * * * *"), /no cron expression/],
  [cron("0 0 30 2 *"), /never comes/],
  [cron(undefined), /no cron expression/],
  [cron("* * * * * * 2030"), /no cron expression/],
  [interval(19), /from 20 to/],
  [interval(20.5), /from 20 to/],
  [interval(2_592_001), /from 20 to/],
  [interval("soon"), /from 20 to/],
])("%o cannot be used", (schedule, problem) => {
  expect(scheduleProblem(schedule)).toMatch(problem);
});

test("what can be used has no problem", () => {
  expect([cron("0 9 * * *"), cron("0 0 9 * * *"), interval(20), interval(2_592_000)].map(scheduleProblem)).toEqual([
    null,
    null,
    null,
    null,
  ]);
});
