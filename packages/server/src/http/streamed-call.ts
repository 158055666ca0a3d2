// Room: http. A call of the API that came over a stream (protocol/app-stream.ts): put to the router as a request, its answer told in one piece.
// Promises: it gets the answer a request with the same key would have got, from routes that take a secret key and from no others.
import type { StreamedCall } from "@holdfast/protocol";
import type { Context } from "hono";
import { ENDPOINTS_PATH, SOURCES_PATH } from "../ingest/locate.ts";
import type { EnvironmentRow } from "../store/store.ts";
import type { Fetch } from "./app.ts";
import { textOf } from "./call.ts";

/** What a route finds in the environment of Hono's context in place of Node's request. */
export interface Streamed {
  readonly environment: EnvironmentRow;
  /** Where the caller reaches this server: URLs it is told begin with it. */
  readonly origin: string;
  readonly body: string;
}

export interface StreamedAnswer {
  status: number;
  retryAfter?: string;
  body: string;
}

/** Answers a call. `gone` is aborted when its caller hangs up. */
export type AnswerCall = (call: StreamedCall, streamed: Streamed, gone: AbortSignal) => Promise<StreamedAnswer>;

export function streamedIn(context: Context): Streamed | undefined {
  return (context.env as { streamed?: Streamed } | undefined)?.streamed;
}

/** @param fetch the handler of every request */
export function answerCalls(fetch: Fetch): AnswerCall {
  return async ({ method, path, headers = {} }, streamed, gone) => {
    if (isForSenders(path)) return { status: 404, body: NOT_HERE };
    // As much of a Request as routes read: building a whole one costs more than all the rest of the call.
    const request = { url: streamed.origin + path, method, headers: new Headers(headers), body: null, signal: gone };
    return told(await fetch(request as unknown as Request, { streamed }));
  };
}

const NOT_HERE = JSON.stringify({ error: "Webhooks are requests.", message: "Webhooks are requests.", code: "NOT_FOUND" });

/** Where webhooks arrive: of those the very bytes count. */
function isForSenders(path: string): boolean {
  const single = path.replace(/\/{2,}/g, "/");
  return single.startsWith(ENDPOINTS_PATH) || single.startsWith(SOURCES_PATH);
}

async function told(response: Response): Promise<StreamedAnswer> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    await response.body?.cancel();
    const message = "A stream of events is asked for by a request.";
    return { status: 406, body: JSON.stringify({ error: message, message }) };
  }
  const { status } = response;
  const retryAfter = status < 300 ? null : response.headers.get("retry-after");
  return { status, ...(retryAfter === null ? {} : { retryAfter }), body: await textOf(response) };
}
