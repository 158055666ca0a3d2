import { describe, expect, test } from "vitest";
import { secondsToWait } from "./prefer.ts";

describe("secondsToWait", () => {
  test("reads the wait among other preferences, and holds it to a bound", () => {
    expect(secondsToWait(undefined)).toBeNull();
    expect(secondsToWait("respond-async, handling=lenient")).toBeNull();
    expect(secondsToWait("wait=30")).toBe(30);
    expect(secondsToWait('respond-async, Wait = "5"; x=1')).toBe(5);
    expect(secondsToWait("wait=0")).toBe(0);
    expect(secondsToWait("wait=999999999")).toBe(300);
    expect(secondsToWait("waiting=3")).toBeNull();
  });

  test.each(["wait", "wait=soon", "wait=-1", "wait=1.5", "wait="])("refuses %s", (prefer) => {
    expect(() => secondsToWait(prefer)).toThrow(/does not say how long/);
  });
});
