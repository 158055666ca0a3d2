import { createHmac, randomBytes, randomInt } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "svix";
import { describe, expect, it } from "vitest";
import { SCHEMES, type SignedRequest, signRequest, verifySignature } from "./signatures.ts";

const sign = (key: Uint8Array | string, data: Uint8Array | string): Uint8Array => createHmac("sha256", key).update(data).digest();
const svix = SCHEMES.svix as NonNullable<(typeof SCHEMES)[string]>;
const standard = SCHEMES.standard as NonNullable<(typeof SCHEMES)[string]>;

// Known answer: the test suites of Standard Webhooks and Svix.
const KNOWN = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: Buffer.from('{"test": 2432232314}'),
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const NOW = KNOWN.timestamp * 1000 + 999;

function known(
  change: Partial<Record<"svix-id" | "svix-timestamp" | "svix-signature", string>> = {},
  body: Uint8Array = KNOWN.body,
): SignedRequest {
  const headers = {
    "svix-id": KNOWN.id,
    "svix-timestamp": String(KNOWN.timestamp),
    "svix-signature": KNOWN.signature,
    ...change,
  };
  return { headers: Object.entries(headers), body };
}
const verify = (request: SignedRequest, now = NOW, secret = KNOWN.secret) =>
  verifySignature(sign, { scheme: svix, secret }, request, now);

describe("verifySignature", () => {
  it("agrees with the published known answer, under both families of names", () => {
    expect(verify(known())).toEqual({ ok: true, id: KNOWN.id });
    const renamed = known().headers.map(([name, value]): [string, string] => [name.replace("svix", "Webhook"), value]);
    expect(verify({ headers: renamed, body: KNOWN.body })).toEqual({ ok: true, id: KNOWN.id });
    expect(
      verifySignature(sign, { scheme: standard, secret: KNOWN.secret }, { headers: renamed, body: KNOWN.body }, NOW),
    ).toEqual({
      ok: true,
      id: KNOWN.id,
    });
    expect(verifySignature(sign, { scheme: standard, secret: KNOWN.secret }, known(), NOW)).toMatchObject({
      ok: false,
      malformed: true,
    });
  });

  it("takes a secret with or without its prefix, and several signatures in any order, of which one is right", () => {
    expect(verify(known(), NOW, KNOWN.secret.slice(6)).ok).toBe(true);
    const list = `v1,${Buffer.alloc(32).toString("base64")} v2,x v1a,abc ${KNOWN.signature}`;
    expect(verify(known({ "svix-signature": list })).ok).toBe(true);
    const repeated = known();
    expect(verify({ ...repeated, headers: [["svix-signature", "v1,no"], ...repeated.headers] }).ok).toBe(true);
  });

  it("judges age by the second: 300 s are accepted on both sides, 301 s are not", () => {
    const at = (seconds: number) => verify(known(), (KNOWN.timestamp + seconds) * 1000);
    expect([at(300).ok, at(-300).ok, at(301).ok, at(-301).ok]).toEqual([true, true, false, false]);
    expect(at(301)).toMatchObject({ malformed: false, reason: expect.stringContaining("too old") });
    expect(at(-301)).toMatchObject({ malformed: false, reason: expect.stringContaining("too new") });
  });

  it.each([
    ["a missing header", known({ "svix-signature": "" }), true, "svix-signature"],
    ["no headers at all", { headers: [], body: KNOWN.body } as SignedRequest, true, "svix-id, svix-timestamp, svix-signature"],
    ["a timestamp with letters behind it", known({ "svix-timestamp": `${KNOWN.timestamp}abc` }), true, "whole number"],
    ["a negative timestamp", known({ "svix-timestamp": "-5" }), true, "whole number"],
    [
      "an id sent twice",
      { headers: [["SVIX-ID", "other"], ...known().headers], body: KNOWN.body } as SignedRequest,
      true,
      "more than once",
    ],
    ["another body", known({}, Buffer.from('{"test": 2432232315}')), false, "No matching"],
    ["the same body with a space behind it", known({}, Buffer.concat([KNOWN.body, Buffer.from(" ")])), false, "No matching"],
    ["another id", known({ "svix-id": "msg_other" }), false, "No matching"],
    ["the signature without its version", known({ "svix-signature": KNOWN.signature.slice(3) }), false, "No matching"],
    [
      "the signature under another version",
      known({ "svix-signature": KNOWN.signature.replace("v1,", "v2,") }),
      false,
      "No matching",
    ],
    ["the signature with its padding left out", known({ "svix-signature": KNOWN.signature.slice(0, -1) }), false, "No matching"],
  ])("refuses %s", (_what, request, malformed, reason) => {
    expect(verify(request)).toMatchObject({ ok: false, malformed, reason: expect.stringContaining(reason) });
  });

  it("tells apart bodies that are equal once decoded as text", () => {
    const broken = Buffer.from([0x7b, 0xff, 0x7d]);
    const signed = signRequest(sign, svix, KNOWN.secret, { id: "msg_1", timestamp: KNOWN.timestamp, body: broken });
    const headers = Object.entries(signed ?? {});
    expect(verify({ headers, body: broken }).ok).toBe(true);
    expect(verify({ headers, body: Buffer.from([0x7b, 0xfe, 0x7d]) }).ok).toBe(false);
  });

  it("refuses secrets of the wrong form instead of throwing", () => {
    for (const secret of ["whsec_", "whsec_not base64!", "sk_test_x", "", "whsec_A"]) {
      expect(verify(known(), NOW, secret).ok).toBe(false);
    }
  });

  it("agrees with the svix package on 1,000 random messages, and refuses each with one byte changed", () => {
    for (let i = 0; i < 1000; i++) {
      const secret = `whsec_${randomBytes(24 + (i % 41)).toString("base64")}`;
      const id = `msg_${randomBytes(8).toString("hex")}`;
      const text = randomBytes(randomInt(0, 200)).toString(i % 2 ? "base64" : "latin1");
      const body = Buffer.from(text, "utf8");
      const at = new Date(NOW + randomInt(-299, 299) * 1000);
      const signature = new Webhook(secret).sign(id, at, text);
      const stamp = String(Math.floor(at.getTime() / 1000));
      const headers: [string, string][] = [
        ["svix-id", id],
        ["svix-timestamp", stamp],
        ["svix-signature", signature],
      ];
      expect(verify({ headers, body }, NOW, secret)).toEqual({ ok: true, id });
      const ours = signRequest(sign, svix, secret, { id, timestamp: Number(stamp), body });
      expect(ours?.["svix-signature"]).toBe(signature);
      const place = randomInt(0, body.length + 1);
      const flipped = Buffer.concat([
        body.subarray(0, place),
        Buffer.from([(body[place] ?? 0) ^ (1 << randomInt(0, 8))]),
        body.subarray(place + 1),
      ]);
      if (!flipped.equals(body)) expect(verify({ headers, body: flipped }, NOW, secret).ok).toBe(false);
    }
  });

  it("never throws, whatever the headers hold", () => {
    const header = fc.tuple(
      fc.constantFrom("svix-id", "svix-timestamp", "svix-signature", "Webhook-Id", "webhook-signature"),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(header), fc.uint8Array(), fc.string(), (headers, body, secret) => {
        expect(verifySignature(sign, { scheme: svix, secret }, { headers, body }, NOW).ok).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
