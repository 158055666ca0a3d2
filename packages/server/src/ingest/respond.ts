// Room: ingest. `respondWith`: requests the app answers itself, while the sender waits. Called by receive.
// Promises: what the app says reaches the sender with headers that cannot break the answer or act on our origin.
import { matchesRequest } from "@holdfast/engine";
import type { RequestPayload, RespondResult } from "@holdfast/protocol";
import type { KnownEndpoint } from "../dispatch/registry.ts";
import type { AskedApps, IngestAnswer } from "./ports.ts";

/** Headers of one hop, of the body's form, or with power over our origin: never the app's to set here. */
const NOT_THEIRS = new Set([
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
  "content-length", "content-encoding", "date", "set-cookie", "set-cookie2", "content-security-policy",
  "content-security-policy-report-only", "clear-site-data", "strict-transport-security", "service-worker-allowed", "alt-svc",
]); // biome-ignore format: one list

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const VISIBLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** True when the endpoint's app wants to answer this request itself. */
export function wantsToRespond(endpoint: KnownEndpoint, payload: RequestPayload): boolean {
  const filter = endpoint.metadata?.immediateResponseFilter;
  return filter !== undefined && matchesRequest(filter, payload);
}

export type Responded = { type: "responded"; answer: IngestAnswer } | { type: "no-answer"; message: string };

/** Asks the app. A HEAD request is shown to it as GET: v2's SDK cannot take HEAD. */
export async function respond(apps: AskedApps, endpoint: KnownEndpoint, payload: RequestPayload): Promise<Responded> {
  const shown = payload.method === "HEAD" ? { ...payload, method: "GET" } : payload;
  const answer = await apps.respond(endpoint.app, endpoint.row.slug, shown);
  if (answer.type === "no-answer") return answer;
  return { type: "responded", answer: answerOf(answer.result) };
}

function answerOf(result: RespondResult): IngestAnswer {
  const status = result.status >= 200 && result.status <= 599 ? result.status : 502;
  const bodiless = status === 204 || status === 205 || status === 304;
  return { status, headers: safeHeaders(result), body: bodiless ? null : bodyOf(result) };
}

function bodyOf(result: RespondResult): string | Uint8Array | null {
  if (result.bodyBase64 !== undefined) return Buffer.from(result.bodyBase64, "base64");
  if (result.body === undefined || result.body === null) return null;
  return typeof result.body === "string" ? result.body : JSON.stringify(result.body);
}

function safeHeaders(result: RespondResult): Record<string, string> {
  const entries = Object.entries(result.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const safe = entries.filter(([name, value]) => TOKEN.test(name) && VISIBLE.test(value) && !NOT_THEIRS.has(name));
  const json = typeof result.body === "object" && result.body !== null && result.bodyBase64 === undefined;
  const type = json ? "application/json" : "text/plain; charset=utf-8";
  return { "content-type": type, "x-content-type-options": "nosniff", ...Object.fromEntries(safe) };
}
