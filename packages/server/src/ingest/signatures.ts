// Room: ingest. Signature schemes of senders, as data, and the one interpreter that verifies and signs with them.
// Called by receive and replay (endpoints with a preset and a stored secret) and by the sample sender.
// Promises: works on the raw bytes, compares in constant time, and never throws on anything a sender can write.
import { timingSafeEqual } from "node:crypto";
import type { World } from "../platform/world.ts";

/** How one family of senders signs. */
export interface SignatureScheme {
  readonly id: string;
  readonly title: string;
  /** Header names, lower case; the first family with any header present is the one that counts. */
  readonly headers: readonly { id: string; timestamp: string; signature: string }[];
  /** What stands before each signature of this scheme in the list: `v1,`. Entries with another mark are passed over. */
  readonly mark: string;
  /** Prefix of the secret that is not part of the key; the rest is base64 of the key. */
  readonly secretPrefix: string;
  /** Seconds a timestamp may be off, either way. */
  readonly toleranceSeconds: number;
}

const SVIX = { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };
const STANDARD = { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" };
const STANDARD_FORM = { mark: "v1,", secretPrefix: "whsec_", toleranceSeconds: 300 };

/** Every scheme a preset may name. Source: the Standard Webhooks 1.0 specification and Svix's description of manual verification. */
export const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  svix: { id: "svix", title: "Svix", headers: [SVIX, STANDARD], ...STANDARD_FORM },
  standard: { id: "standard", title: "Standard Webhooks", headers: [STANDARD], ...STANDARD_FORM },
};

export type SignatureCheck =
  | { ok: true; id: string }
  /** `malformed`: the request does not even have the form of a signed one. */
  | { ok: false; malformed: boolean; reason: string };

type Headers = readonly (readonly [string, string])[];
type Sign = World["sign"];
export interface SignedRequest {
  headers: Headers;
  body: Uint8Array;
}

const malformed = (reason: string): SignatureCheck => ({ ok: false, malformed: true, reason });
const refused = (reason: string): SignatureCheck => ({ ok: false, malformed: false, reason });

/** The key's bytes, or null when the secret does not have the scheme's form. */
export function keyOf(scheme: SignatureScheme, secret: string): Uint8Array | null {
  const text = secret.trim();
  const body = text.startsWith(scheme.secretPrefix) ? text.slice(scheme.secretPrefix.length) : text;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body) || body.replace(/=+$/, "").length % 4 === 1) return null;
  return Buffer.from(body, "base64");
}

function valuesOf(headers: Headers, name: string): string[] {
  return headers.filter(([key, value]) => key.toLowerCase() === name && value !== "").map(([, value]) => value);
}

/** Makes the signature entry: mark + base64 of HMAC-SHA256 over `id.timestamp.body`. */
function signatureOf(
  sign: Sign,
  scheme: SignatureScheme,
  parts: { key: Uint8Array; id: string; timestamp: string; body: Uint8Array },
): string {
  const head = Buffer.from(`${parts.id}.${parts.timestamp}.`, "latin1");
  return scheme.mark + Buffer.from(sign(parts.key, Buffer.concat([head, parts.body]))).toString("base64");
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "latin1"), Buffer.from(b, "latin1")];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Verifies a request against one secret.
 *
 * @param now epoch milliseconds to judge freshness by: the time the request was received
 * @example verifySignature(world.sign, { scheme: SCHEMES.svix, secret: "whsec_…" }, { headers, body }, world.now()) // { ok: true, id: "msg_…" }
 */
export function verifySignature(
  sign: Sign,
  by: { scheme: SignatureScheme; secret: string },
  request: SignedRequest,
  now: number,
): SignatureCheck {
  const { scheme, secret } = by;
  const { headers, body } = request;
  const names =
    scheme.headers.find((family) => Object.values(family).some((name) => valuesOf(headers, name).length > 0)) ??
    scheme.headers[0];
  if (!names) return malformed("The scheme names no headers.");
  const missing = Object.values(names).filter((name) => valuesOf(headers, name).length === 0);
  if (missing.length > 0) return malformed(`Missing ${scheme.title} headers: ${missing.join(", ")}.`);
  const repeated = [names.id, names.timestamp].filter((name) => valuesOf(headers, name).length > 1);
  if (repeated.length > 0) return malformed(`The header ${repeated[0]} was sent more than once.`);
  const [id = "", timestamp = ""] = [valuesOf(headers, names.id)[0], valuesOf(headers, names.timestamp)[0]];
  const stale = staleness(scheme, timestamp, now);
  if (stale) return stale;
  const key = keyOf(scheme, secret);
  if (!key) return refused(`The stored signing secret is not a ${scheme.title} secret (${scheme.secretPrefix}…).`);
  const expected = signatureOf(sign, scheme, { key, id, timestamp, body });
  const given = valuesOf(headers, names.signature).flatMap((value) => value.split(" "));
  return given.filter((entry) => sameText(entry, expected)).length > 0
    ? { ok: true, id }
    : refused("No matching signature found.");
}

function staleness(scheme: SignatureScheme, timestamp: string, now: number): SignatureCheck | null {
  if (!/^\d{1,12}$/.test(timestamp)) return malformed("The timestamp is not a whole number of seconds.");
  const age = Math.floor(now / 1000) - Number(timestamp);
  if (age > scheme.toleranceSeconds)
    return refused(`Message timestamp too old: ${age} s, at most ${scheme.toleranceSeconds} s are accepted.`);
  if (-age > scheme.toleranceSeconds)
    return refused(`Message timestamp too new: ${-age} s ahead, at most ${scheme.toleranceSeconds} s are accepted.`);
  return null;
}

/**
 * Signs a body the way the scheme's sender would: the three headers to send with it. Null when the secret does not have the scheme's form.
 *
 * @param timestamp seconds since the epoch
 * @example signRequest(world.sign, SCHEMES.svix, "whsec_…", { id: "msg_1", timestamp: 1767225600, body })
 */
export function signRequest(
  sign: Sign,
  scheme: SignatureScheme,
  secret: string,
  message: { id: string; timestamp: number; body: Uint8Array },
): Record<string, string> | null {
  const key = keyOf(scheme, secret);
  const [names] = scheme.headers;
  if (!key || !names) return null;
  const timestamp = String(message.timestamp);
  const signature = signatureOf(sign, scheme, { key, id: message.id, timestamp, body: message.body });
  return { [names.id]: message.id, [names.timestamp]: timestamp, [names.signature]: signature };
}
