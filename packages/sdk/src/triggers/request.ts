// Room: triggers. Requests as they travel (RequestPayload) and as programs see them (a Web Request). Called before verify, respond and run.
import type { RequestPayload, RespondResult } from "@holdfast/protocol";
import { platform } from "#platform";

/**
 * Rebuilds the request that was received, byte for byte. GET and HEAD have no body.
 *
 * @param payload `bodyBase64` wins over `rawBody`: it is there when the bytes are no UTF-8 text
 */
export function toRequest(payload: RequestPayload): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(payload.headers)) setHeader(headers, name, value);
  const bodyless = payload.method === "GET" || payload.method === "HEAD";
  const body = payload.bodyBase64 === undefined ? payload.rawBody : platform.decoded(payload.bodyBase64, "base64");
  return new Request(payload.url, { method: payload.method, headers, ...(bodyless || body.length === 0 ? {} : { body }) });
}

/** Keeps a header unless the platform refuses its name or value: one odd header must not lose the request. */
function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // Node refuses it; a header that cannot be represented cannot be read by the program either.
  }
}

/** A Response in the shape it travels back in: text when it is text, base64 when it is not. */
export async function toRespondResult(response: Response): Promise<RespondResult> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  const text = textOf(bytes);
  const body = text === undefined ? { bodyBase64: platform.base64(bytes) } : { body: text };
  return { status: response.status, headers, ...(bytes.length > 0 ? body : {}) };
}

/** Undefined when the bytes are no UTF-8. A byte order mark stays. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
