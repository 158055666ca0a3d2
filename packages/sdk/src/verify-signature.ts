// Checks HMAC-SHA256 signatures of webhooks: for `verify` functions of users. Constant-time, over the bytes as received.
import type { BinaryLike, BinaryToTextEncoding, KeyObject } from "node:crypto";
import { platform } from "#platform";
import type { VerifyResult } from "./triggers/trigger.ts";

/** How a signature is sent and made. */
export interface SignatureOptions {
  request: Request;
  /** The header with the signature, such as "X-Hub-Signature-256". */
  headerName: string;
  /** Default "hex". */
  headerEncoding?: BinaryToTextEncoding | undefined;
  /** A key object only where there is Node. */
  secret: BinaryLike | KeyObject;
  algorithm: "sha256";
}

type Bytes = string | Uint8Array;

function matches(signature: string, encoding: BinaryToTextEncoding, secret: BinaryLike | KeyObject, body: Bytes): boolean {
  const sent = platform.decoded(signature.replace(/^(hmac-)?sha256=/, ""), encoding);
  return platform.sameBytes(sent, platform.hmacSha256(secret, body));
}

/**
 * True when the signature in a header is the body's HMAC-SHA256. A leading "sha256=" or "hmac-sha256=" is ignored.
 *
 * @example verifyHmacSha256(request.headers.get("x-signature") ?? "", "hex", secret, await request.text())
 */
export function verifyHmacSha256(
  headerValue: string,
  headerEncoding: BinaryToTextEncoding,
  secret: BinaryLike | KeyObject,
  body: string,
): boolean {
  return matches(headerValue, headerEncoding, secret, body);
}

/**
 * Verifies a webhook that is signed with HMAC-SHA256 over its raw body, as GitHub, Cal.com and many others do.
 *
 * @example
 * verify: (request) => verifyRequestSignature({
 *   request, headerName: "X-Cal-Signature-256", secret: process.env.CAL_SECRET ?? "", algorithm: "sha256",
 * })
 */
export async function verifyRequestSignature({
  request,
  headerName,
  headerEncoding = "hex",
  secret,
  algorithm,
}: SignatureOptions): Promise<VerifyResult> {
  if (!secret) {
    return { success: false, reason: "Missing secret – you've probably not set an environment variable." };
  }
  const header = request.headers.get(headerName);
  if (!header) return { success: false, reason: "Missing header" };
  if (algorithm !== "sha256") return { success: false, reason: `Unsupported algorithm "${String(algorithm)}"; use "sha256".` };
  const body = new Uint8Array(await request.clone().arrayBuffer());
  return matches(header, headerEncoding, secret, body)
    ? { success: true }
    : { success: false, reason: "Failed sha256 verification" };
}
