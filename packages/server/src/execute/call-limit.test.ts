// Room: execute. The signs by which platforms say that they ended a call, and what is learned from it.
import { describe, expect, it } from "vitest";
import type { AppRow } from "../store/store.ts";
import { chunkLimitMs, isCutOff, learnedLimit, yieldAfterMs } from "./call-limit.ts";

const answer = (status: number, headers: Record<string, string> = {}, body = "") => ({
  status,
  headers,
  body: Buffer.from(body),
});
const knowing = (callLimitMs: number | null) => ({ callLimitMs }) as AppRow;

describe("isCutOff", () => {
  it.each([
    ["a gateway's timeout", answer(504)],
    ["a request's timeout", answer(408)],
    ["Vercel's header", answer(500, { "x-vercel-error": "FUNCTION_INVOCATION_TIMEOUT" })],
    ["Deno Deploy's body", answer(502, {}, "TIME_LIMIT exceeded")],
    ["Cloudflare's body", answer(503, { "cf-ray": "8a" }, "Worker exceeded resource limits")],
  ])("knows %s", (_name, given) => expect(isCutOff(given)).toBe(true));

  it.each([
    ["an app's own failure", answer(500, {}, "TIME_LIMIT")],
    ["a bad gateway", answer(502)],
    ["an app that is busy", answer(503, {}, "Worker exceeded resource limits")],
    ["a crash at Vercel", answer(500, { "x-vercel-error": "FUNCTION_INVOCATION_FAILED" })],
  ])("does not take %s for one", (_name, given) => expect(isCutOff(given)).toBe(false));
});

describe("what a call that was cut off teaches", () => {
  it("is how long it was heard of; a longer one later counts, one about as long says nothing new", () => {
    expect(learnedLimit(knowing(null), 9_700.4)).toBe(9_700);
    expect(learnedLimit(knowing(9_700), 9_900)).toBeNull();
    expect(learnedLimit(knowing(9_700), 8_000)).toBeNull();
    expect(learnedLimit(knowing(9_700), 59_000)).toBe(59_000);
  });

  it("is a shorter limit when the call was cut off before it was to yield, but no shorter than a second", () => {
    expect(learnedLimit(knowing(59_000), 9_700)).toBe(9_700);
    expect(learnedLimit(knowing(null), 3)).toBe(1_000);
  });

  it("leaves a fifth of the limit to the task under way", () => {
    expect(yieldAfterMs(knowing(10_000))).toBe(8_000);
    expect(yieldAfterMs(knowing(null))).toBeNull();
  });

  it("leaves what v2's SDK needs to start a task at all", () => {
    expect(chunkLimitMs(knowing(60_000))).toBe(59_650);
    expect(chunkLimitMs(knowing(3_000))).toBe(10_000);
    expect(chunkLimitMs(knowing(null))).toBe(86_400_000);
  });
});
