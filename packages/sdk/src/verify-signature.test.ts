import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyHmacSha256, verifyRequestSignature } from "./verify-signature.ts";

const sign = (secret: string, body: string | Uint8Array, encoding: "hex" | "base64" = "hex") =>
  createHmac("sha256", secret).update(body).digest(encoding);

describe("verifyRequestSignature", () => {
  const check = (signature: string | undefined, body: string | Uint8Array = "body", secret = "s", headerEncoding?: "base64") => {
    const headers = signature === undefined ? {} : { "x-signature": signature };
    const request = new Request("http://x/", { method: "POST", headers, body: body as BodyInit });
    return verifyRequestSignature({ request, headerName: "X-Signature", headerEncoding, secret, algorithm: "sha256" });
  };

  it("accepts what was signed, with and without a prefix, in hex and base64", async () => {
    for (const prefix of ["", "sha256=", "hmac-sha256="]) {
      expect(await check(prefix + sign("s", "body"))).toEqual({ success: true });
    }
    expect(await check(sign("s", "body", "base64"), "body", "s", "base64")).toEqual({ success: true });
    const bytes = new Uint8Array([0, 255, 10]);
    expect(await check(sign("s", bytes), bytes)).toEqual({ success: true });
  });

  it("gives v2's reasons", async () => {
    expect(await check(sign("s", "other"))).toEqual({ success: false, reason: "Failed sha256 verification" });
    expect(await check(undefined)).toEqual({ success: false, reason: "Missing header" });
    expect(await check("x", "body", "")).toEqual({
      success: false,
      reason: "Missing secret – you've probably not set an environment variable.",
    });
    expect(await check("zz")).toEqual({ success: false, reason: "Failed sha256 verification" });
  });

  it("leaves the request readable", async () => {
    const request = new Request("http://x/", { method: "POST", body: "body", headers: { a: sign("s", "body") } });
    await verifyRequestSignature({ request, headerName: "a", secret: "s", algorithm: "sha256" });
    expect(await request.text()).toBe("body");
  });
});

describe("verifyHmacSha256", () => {
  it("accepts every genuine signature and no other body's", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (secret, body, other) => {
        const signature = sign(secret, body);
        return (
          verifyHmacSha256(signature, "hex", secret, body) &&
          verifyHmacSha256(signature, "hex", secret, other) === (body === other)
        );
      }),
    );
  });
});
