// Room: triggers. Requests as they travel (RequestPayload) and as programs see them (a Web Request). Called before verify, respond and run.
import type { RequestPayload, RespondResult } from "@holdfast/protocol";

/**
 * Rebuilds the request that was received, byte for byte. GET and HEAD have no body.
 *
 * @param payload `bodyBase64` wins over `rawBody`: it is there when the bytes are no UTF-8 text
 */
export function toRequest(payload: RequestPayload): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(payload.headers)) setHeader(headers, name, value);
  const bodyless = payload.method === "GET" || payload.method === "HEAD";
  const body = payload.bodyBase64 === undefined ? payload.rawBody : Buffer.from(payload.bodyBase64, "base64");
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
  const bytes = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  const text = bytes.toString("utf8");
  const body = Buffer.from(text, "utf8").equals(bytes) ? { body: text } : { bodyBase64: bytes.toString("base64") };
  return { status: response.status, headers, ...(bytes.length > 0 ? body : {}) };
}
