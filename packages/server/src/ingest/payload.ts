// Room: ingest. What an event, a verify call and a filter see of a request: v2's four fields, and the bytes themselves when they are not text.
// Called by receive, settle and replay. Pure: the same stored delivery always gives the same payload.
import { isUtf8 } from "node:buffer";
import type { RequestPayload } from "@holdfast/protocol";
import { type DecodedBody, decodeBody, encodingsOf } from "./decode-body.ts";

/** A request as it was received; headers in the order and spelling they came in. */
export interface RawRequest {
  method: string;
  /** Absolute. */
  url: string;
  headers: [string, string][];
  body: Uint8Array;
}

/** Headers that no longer hold once the body is unpacked. */
const OF_PACKED_BODY = new Set(["content-encoding", "content-length"]);

/** The first value of a header, by its lower-case name. */
export function headerOf(headers: readonly (readonly [string, string])[], name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

function flatHeaders(headers: readonly (readonly [string, string])[], unpacked: boolean): Record<string, string> {
  const flat = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (unpacked && OF_PACKED_BODY.has(key)) continue;
    const former = flat.get(key);
    flat.set(key, former === undefined ? value : `${former}${key === "cookie" ? "; " : ", "}${value}`);
  }
  return Object.fromEntries(flat);
}

/** The sender saw https when a proxy in front of us says so. */
function seenUrl(request: RawRequest): string {
  const forwarded = headerOf(request.headers, "x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase();
  return forwarded === "https" ? request.url.replace(/^http:/, "https:") : request.url;
}

export type BuiltPayload = { ok: true; payload: RequestPayload } | Extract<DecodedBody, { ok: false }>;

/**
 * Builds the payload of a request, its body unpacked.
 *
 * @param limit bytes the unpacked body may have
 */
export async function payloadOf(request: RawRequest, limit: number): Promise<BuiltPayload> {
  const encoding = headerOf(request.headers, "content-encoding");
  const raw = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
  const decoded = await decodeBody(raw, encoding, limit);
  if (!decoded.ok) return decoded;
  const text = isUtf8(decoded.bytes);
  const payload: RequestPayload = {
    url: seenUrl(request),
    method: request.method,
    headers: flatHeaders(request.headers, encodingsOf(encoding).length > 0 && raw.length > 0),
    rawBody: decoded.bytes.toString("utf8"),
  };
  return { ok: true, payload: text ? payload : { ...payload, bodyBase64: decoded.bytes.toString("base64") } };
}

/** The bytes a signature covers: the unpacked body. */
export function bodyOf(payload: RequestPayload): Uint8Array {
  return payload.bodyBase64 === undefined ? Buffer.from(payload.rawBody, "utf8") : Buffer.from(payload.bodyBase64, "base64");
}
