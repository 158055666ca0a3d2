// Room: client. Calls of the server's API: over the process's stream while there are many of them, else by a request each. Used by ApiClient.
// Promises: errors are UserFacingErrors with the server's own words; what may pass (no connection, 5xx, 429) is tried again a few times.
import { ERROR_STATUS, type ErrorCode, LONGEST_STREAMED_PATH, type StreamedCall, UserFacingError } from "@holdfast/protocol";
import { type Runtime, sleep } from "../runtime/runtime.ts";
import type { AppStream, StreamedAnswer } from "../stream/app-stream.ts";
import { type Credentials, requireKey } from "./credentials.ts";

const TRIES = 5;
const LONGEST_PAUSE_MS = 30_000;
/** Calls that are requests before a stream is opened for them, and the pause after which they are counted anew: a few would not win back what opening costs. */
const SINGLE_CALLS = 3;
const LULL_MS = 1_000;

export interface Sending {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: string;
  headers?: Record<string, string>;
  /** Milliseconds the server is asked to hold its answer back. */
  patienceMs?: number;
}

export class Requests {
  readonly #credentials: () => Credentials;
  readonly #runtime: Runtime;
  readonly #stream: AppStream | undefined;
  #calls = 0;
  #calledAt = 0;

  /** @param stream undefined: every call is a request */
  constructor(credentials: () => Credentials, runtime: Runtime, stream: AppStream | undefined) {
    this.#credentials = credentials;
    this.#runtime = runtime;
    this.#stream = stream;
  }

  /** The body of an answer that is a success. @throws UserFacingError */
  async send(sending: Sending): Promise<string> {
    const credentials = this.#credentials();
    requireKey(credentials);
    this.#count(credentials);
    for (let attempt = 1; ; attempt++) {
      const answer = (await this.#streamed(sending, credentials)) ?? (await this.#requested(sending, credentials, attempt));
      if (answer && answer.status < 300) return answer.body;
      const mayPass = !answer || answer.status >= 500 || answer.status === 429;
      if (answer && (!mayPass || attempt >= TRIES)) throw refusal(answer);
      const backoff = Math.min(100 * 2 ** attempt * (1 + this.#runtime.random()), 2000);
      await sleep(this.#runtime, pauseAskedFor(answer) ?? backoff);
    }
  }

  #count(credentials: Credentials): void {
    const now = this.#runtime.elapsed();
    this.#calls = now - this.#calledAt < LULL_MS ? this.#calls + 1 : 1;
    this.#calledAt = now;
    if (this.#calls > SINGLE_CALLS) this.#stream?.open(credentials);
  }

  /** Undefined: it has to be a request. */
  async #streamed({ method, path, body = "", headers, patienceMs = 0 }: Sending, credentials: Credentials) {
    if (method === "HEAD" || path.length > LONGEST_STREAMED_PATH) return undefined;
    if (!this.#stream?.carries(path.length + body.length, credentials)) return undefined;
    const call: Omit<StreamedCall, "t" | "n"> = { method, path, ...(headers ? { headers } : {}) };
    return this.#stream.call(call, body, patienceMs);
  }

  /** Undefined when there was no connection and another try is left. */
  async #requested(sending: Sending, credentials: Credentials, attempt: number): Promise<StreamedAnswer | undefined> {
    const { method, path, body, headers } = sending;
    try {
      const response = await this.#runtime.fetch(credentials.apiUrl + path, {
        method,
        headers: { authorization: `Bearer ${requireKey(credentials)}`, "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const retryAfter = response.headers.get("retry-after") ?? undefined;
      return { status: response.status, retryAfter, body: await response.text() };
    } catch (error) {
      if (attempt < TRIES) return undefined;
      throw unreachable(credentials, error);
    }
  }
}

function unreachable({ apiUrl }: Credentials, cause: unknown): UserFacingError {
  const error = new UserFacingError(
    "OVERLOADED",
    `The Holdfast server at ${new URL(apiUrl).origin} cannot be reached.`,
    "Start it with `npx holdfast dev`, or set HOLDFAST_API_URL to where it runs.",
  );
  return Object.assign(error, { cause });
}

/** Milliseconds the server asks to wait: Retry-After in seconds. */
function pauseAskedFor(answer: StreamedAnswer | undefined): number | undefined {
  const seconds = Number(answer?.retryAfter ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : undefined;
}

function codeOf(status: number, given: unknown): ErrorCode {
  if (typeof given === "string" && given in ERROR_STATUS) return given as ErrorCode;
  const known = Object.entries(ERROR_STATUS).find(([, value]) => value === status);
  return (known?.[0] as ErrorCode | undefined) ?? (status >= 500 ? "INTERNAL" : "BAD_REQUEST");
}

type Refusal = { message?: unknown; error?: unknown; hint?: unknown; code?: unknown };

/** The server's refusal in its own words. */
function refusal({ status, body }: StreamedAnswer): UserFacingError {
  const told = read(body);
  const message = [told.message, told.error].find((text) => typeof text === "string" && text !== "");
  const hint = typeof told.hint === "string" ? told.hint : undefined;
  return new UserFacingError(codeOf(status, told.code), String(message ?? `The server answered ${status}.`), hint);
}

function read(body: string): Refusal {
  try {
    const told: unknown = JSON.parse(body);
    return typeof told === "object" && told !== null ? told : {};
  } catch {
    return {};
  }
}
