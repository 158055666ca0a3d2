// Room: adapters. Between Node's request and response objects and Web ones; every adapter on node:http goes through here.
// Promises: the body reaches the client byte for byte, or the caller is told how to make that so; a caller without the key is refused before
// its body is read; every answer is JSON.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TriggerClient } from "../client/client.ts";

/** What body parsers of frameworks leave on a request. */
export type NodeRequest = IncomingMessage & { body?: unknown; rawBody?: unknown; originalUrl?: string };

/** The largest body taken, in bytes: an execution's start carries the run's recorded outputs. */
const BODY_LIMIT = 256 * 1024 * 1024;

/** A refusal with what to do about it, as problem JSON. */
interface Problem {
  status: number;
  title: string;
  detail: string;
}

const ALREADY_PARSED: Problem = {
  status: 500,
  title: "body already parsed",
  detail:
    "A body parser (such as express.json()) read this request before Holdfast could, so its exact bytes are lost. " +
    "Mount Holdfast before the parser, or let the parser keep the bytes in req.rawBody.",
};
const TOO_LARGE: Problem = { status: 413, title: "body too large", detail: `The largest body taken is ${BODY_LIMIT} bytes.` };

function problemResponse({ status, title, detail }: Problem): Response {
  const body = JSON.stringify({ title, status, detail, message: `${title}: ${detail}` });
  return new Response(body, { status, headers: { "content-type": "application/problem+json" } });
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === "string" ? Buffer.from(value) : undefined;
}

function hasBody(request: NodeRequest): boolean {
  return Number(request.headers["content-length"] ?? 0) > 0 || request.headers["transfer-encoding"] !== undefined;
}

type Read = { ok: true; body: Uint8Array } | { ok: false; problem: Problem };

async function readBody(request: NodeRequest): Promise<Read> {
  const kept = bytesOf(request.rawBody) ?? (request.body instanceof Uint8Array ? request.body : undefined);
  if (kept) return { ok: true, body: kept };
  if (request.readableDidRead || request.readableEnded) {
    return hasBody(request) ? { ok: false, problem: ALREADY_PARSED } : { ok: true, body: new Uint8Array() };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return { ok: false, problem: TOO_LARGE };
    chunks.push(chunk);
  }
  return { ok: true, body: Buffer.concat(chunks) };
}

function headersOf(request: NodeRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, one);
  }
  return headers;
}

function urlOf(request: NodeRequest): string {
  const path = request.originalUrl ?? request.url ?? "/";
  const host = request.headers.host ?? "localhost";
  const url = `http://${host}${path.startsWith("/") ? path : "/"}`;
  return URL.canParse(url) ? url : "http://localhost/";
}

/** Lets the client answer a Node request. */
export async function answerNode(client: TriggerClient, request: NodeRequest): Promise<Response> {
  const method = request.method ?? "GET";
  if (method === "GET" || method === "HEAD") return client.handler(new Request(urlOf(request), { method }));
  const headers = headersOf(request);
  if (client.authorized(headers.get("x-trigger-api-key")) !== "authorized") {
    return client.handler(new Request(urlOf(request), { method, headers }));
  }
  const read = await readBody(request);
  if (!read.ok) return problemResponse(read.problem);
  const body = read.body.length > 0 ? { body: Buffer.from(read.body) } : {};
  return client.handler(new Request(urlOf(request), { method, headers, ...body }));
}

/** Serves one Node request. Never throws: what goes wrong is answered as problem JSON. */
export async function serveNode(client: TriggerClient, request: NodeRequest, response: ServerResponse): Promise<void> {
  let answer: Response;
  try {
    answer = await answerNode(client, request);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    answer = problemResponse({ status: 500, title: "the app could not handle the call", detail });
  }
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** True when a request is for this path, with or without a slash at its end. */
export function isFor(path: string, url: string | undefined): boolean {
  const asked = (url ?? "/").split("?", 1)[0] ?? "/";
  return asked.replace(/\/+$/, "") === path.replace(/\/+$/, "");
}
