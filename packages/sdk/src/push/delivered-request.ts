// Room: push. A webhook request handed on by the server: raw bytes as the body, everything else in x-ts-* headers (wire §1.9).
import type { HandOver, RequestPayload } from "@holdfast/protocol";
import { platform } from "#platform";

export interface DeliveredRequest {
  /** The endpoint's id. */
  key: string;
  payload: RequestPayload;
}

function readHeaders(text: string): Record<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
    return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, String(value)]));
  } catch {
    return undefined;
  }
}

/** Undefined when a header is missing or makes no sense. */
export async function deliveredRequest(request: Request): Promise<DeliveredRequest | undefined> {
  const [key, url, method] = ["key", "http-url", "http-method"].map((name) => request.headers.get(`x-ts-${name}`));
  const headers = readHeaders(request.headers.get("x-ts-http-headers") ?? "");
  if (!key || !url || !method || !headers || !URL.canParse(url)) return undefined;
  const bodyBase64 = platform.base64(new Uint8Array(await request.arrayBuffer()));
  return { key, payload: { url, method, headers, rawBody: "", bodyBase64 } };
}

/** JSON of a header; undefined when there is none. @throws SyntaxError */
function json(headers: Headers, name: string): unknown {
  const text = headers.get(name);
  return text === null ? undefined : JSON.parse(text);
}

/** A text of a header, in which the server has escaped what headers cannot hold. */
function text(headers: Headers, name: string): string | undefined {
  const escaped = headers.get(name);
  return escaped === null ? undefined : (JSON.parse(`"${escaped}"`) as string);
}

/** The source a delivered request arrived at. Undefined when a header is missing or makes no sense. */
export function whatIsHandedOver(kind: HandOver["kind"], headers: Headers): HandOver | undefined {
  try {
    const [key, secret, params] = [text(headers, "x-ts-key"), text(headers, "x-ts-secret"), json(headers, "x-ts-params")];
    if (!key || !secret || params === undefined) return undefined;
    const dynamicId = text(headers, "x-ts-dynamic-id");
    const [data, metadata] = [json(headers, "x-ts-data"), json(headers, "x-ts-metadata")];
    const auth = json(headers, "x-ts-auth") as HandOver["auth"];
    return { kind, key, secret, params, dynamicId, data, auth, metadata };
  } catch {
    return undefined;
  }
}
