import { describe, expect, it } from "vitest";
import { ago, bytes, count, countdown, duration, plural, shortId } from "./format.ts";

describe("duration", () => {
  it.each([
    [-5, "0ms"],
    [0, "0ms"],
    [999, "999ms"],
    [6_400, "6.4s"],
    [9_999, "9.9s"],
    [10_000, "10s"],
    [59_999, "59s"],
    [60_000, "1m 00s"],
    [3_599_999, "59m 59s"],
    [3_600_000, "1h 00m"],
    [90_000_000, "1d 1h"],
  ])("%d ms is %s", (ms, text) => expect(duration(ms)).toBe(text));
});

describe("moments", () => {
  it("speaks of past and future, and of now within five seconds", () => {
    expect(ago(0, 65_000)).toBe("1m ago");
    expect(ago(7_200_000, 0)).toBe("in 2h");
    expect(ago(0, 4_000)).toBe("now");
  });
  it("never counts below zero, and reaches it only when the time has come", () => {
    expect(countdown(1_000, 5_000)).toBe("0ms");
    expect(countdown(1_200, 1_000)).toBe("1.0s");
  });
});

it("writes sizes and numbers", () => {
  expect([bytes(999), bytes(20_480), bytes(20_971_520)]).toEqual(["999 B", "20.5 kB", "21.0 MB"]);
  expect([count(10_000), plural(1, "run"), plural(2, "run")]).toEqual(["10 000", "1 run", "2 runs"]);
  expect(shortId("run_0123456789abcdef")).toBe("…89abcdef");
});
