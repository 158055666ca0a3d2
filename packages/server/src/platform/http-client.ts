// Room: platform. The HTTP client every outgoing request takes (World.fetch): keep-alive connections pooled per origin, for each line by itself.
// Promises: never follows a redirect (so a key in a header never reaches another host), never holds more than `maxBytes` of an answer, always ends
// within `timeoutMs`, and tells failures as values. Private addresses are allowed: a self-hosted server's apps live on private networks.
import { Agent, errors } from "undici";

/** One request. */
export interface HttpRequest {
  url: string;
  /** Default: POST with a body, GET without. */
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** For the whole exchange, connecting and reading included. */
  timeoutMs: number;
  /** Largest answer read, in bytes. Default 16 MiB. */
  maxBytes?: number;
  signal?: AbortSignal;
  /**
   * Whose request it is: an app's id, an environment's. Each has connections of its own, at most 256 to an origin, and waits for no other's. Default: one
   * line for all that name none.
   */
  line?: string;
}

/** Why there is no answer. `refused`: no connection was made. `broken`: the connection ended early. `aborted`: the caller's signal. */
export type HttpFailure = "badUrl" | "refused" | "timeout" | "tooLarge" | "broken" | "aborted";

/** An answer of any status (3xx included, header names in lower case), or why there is none. */
export type HttpOutcome =
  | { ok: true; status: number; headers: Record<string, string>; body: Uint8Array }
  | { ok: false; why: HttpFailure; message: string };

export interface HttpClient {
  fetch(request: HttpRequest): Promise<HttpOutcome>;
  close(): Promise<void>;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** Open at once to one origin, of each line. */
const MOST_CONNECTIONS = 256;
const CONNECT_TIMEOUT_MS = 10_000;
/** Silence after which the other host is asked whether it is still there: ten probes, a second apart. An answer may take a day; a host that vanished may not. */
const PROBE_AFTER_MS = 15_000;
const REFUSED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

class AnswerTooLarge extends Error {}

type Answer = Awaited<ReturnType<Agent["request"]>>;

async function readBody(body: Answer["body"], maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new AnswerTooLarge(`The answer is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function flatHeaders(headers: Answer["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function failure(error: unknown, timedOut: boolean, request: HttpRequest): HttpOutcome {
  const message = error instanceof Error && error.message ? error.message : codeOf(error) || "The request failed.";
  if (error instanceof AnswerTooLarge) return { ok: false, why: "tooLarge", message };
  if (request.signal?.aborted) return { ok: false, why: "aborted", message: "The request was given up." };
  if (timedOut) return { ok: false, why: "timeout", message: `No complete answer within ${request.timeoutMs} ms.` };
  if (error instanceof errors.InvalidArgumentError) return { ok: false, why: "badUrl", message };
  return { ok: false, why: REFUSED.has(codeOf(error)) ? "refused" : "broken", message };
}

async function exchange(agent: Agent, request: HttpRequest, signal: AbortSignal): Promise<HttpOutcome> {
  const url = new URL(request.url);
  const answer = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: (request.method ?? (request.body === undefined ? "GET" : "POST")) as "GET",
    headers: request.headers ?? {},
    body: request.body ?? null,
    signal,
  });
  const body = await readBody(answer.body, request.maxBytes ?? DEFAULT_MAX_BYTES);
  return { ok: true, status: answer.statusCode, headers: flatHeaders(answer.headers), body };
}

// A timer of our own instead of AbortSignal.timeout and AbortSignal.any: both keep something alive after the request is over.
async function bounded(agent: Agent, request: HttpRequest): Promise<HttpOutcome> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    giveUp();
  }, request.timeoutMs);
  request.signal?.addEventListener("abort", giveUp);
  try {
    if (request.signal?.aborted) giveUp();
    return await exchange(agent, request, controller.signal);
  } catch (error) {
    return failure(error, timedOut, request);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", giveUp);
  }
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/**
 * Makes a client with its own connection pools.
 *
 * @example const { fetch } = createHttpClient(); await fetch({ url: "http://127.0.0.1:3000/api/trigger", body: "{}", timeoutMs: 5000 })
 */
export function createHttpClient(): HttpClient {
  const connect = { timeout: CONNECT_TIMEOUT_MS, keepAliveInitialDelay: PROBE_AFTER_MS };
  const agents = new Map<string, Agent>();
  const agentOf = (line = ""): Agent => {
    const known = agents.get(line) ?? new Agent({ connections: MOST_CONNECTIONS, headersTimeout: 0, bodyTimeout: 0, connect });
    agents.set(line, known);
    return known;
  };
  return {
    async fetch(request) {
      if (isHttpUrl(request.url)) return bounded(agentOf(request.line), request);
      return { ok: false, why: "badUrl", message: "Only absolute http: and https: addresses can be called." };
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}
