// An endpoint's verify, whatever a user's code makes of it: a verdict always comes out, and a refusal says why.
import { expect, test } from "vitest";
import { HttpEndpoint, type VerifyCallback } from "./http-endpoint.ts";

const verdictOf = (verify: unknown) =>
  new HttpEndpoint({ id: "e", source: "s", verify: verify as VerifyCallback }).verify(
    new Request("http://h/", { method: "POST" }),
  );

test.each([
  ["true", async () => ({ success: true }), { success: true }],
  ["false", async () => ({ success: false }), { success: false }],
  ["a reason that is no text", async () => ({ success: false, reason: 7 }), { success: false, reason: "7" }],
  ["a plain value, not awaited", () => ({ success: true }), { success: true }],
  ["an error", async () => Promise.reject(new Error("no")), { success: false, reason: "no" }],
  ["a thrown text", () => Promise.reject("no"), { success: false, reason: "no" }],
])("verify that gives %s", async (_what, verify, verdict) => {
  expect(await verdictOf(verify)).toEqual(verdict);
});

test.each([undefined, null, true, "yes", {}, { success: "yes" }])(
  "verify that gives %j refuses and says what it should give",
  async (value) => {
    expect(await verdictOf(async () => value)).toEqual({
      success: false,
      reason: expect.stringContaining("neither { success: true }"),
    });
  },
);
