// The mock API: the management API of protocol's management.ts over an in-memory world, for development and the screen tests.
// Called by vite.config.ts (dev server) and serve.ts (built files). Promises: the shapes and status codes of the real one, no more.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LiveMessage } from "@holdfast/protocol";
import { answer, type Call, Refusal } from "./routes.ts";
import { makeWorld, type World } from "./world.ts";

export interface MockOptions {
  /** Emit invented live messages now and then. */
  lively?: boolean;
  /** Ask for this password. */
  password?: string;
  /** A server nobody has used yet. */
  empty?: boolean;
  now?: number;
}

export interface MockApi {
  /** True when the request was the API's and will be answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  world: World;
  /** What was asked, as "METHOD path". */
  asked: string[];
  emit(message: LiveMessage): void;
  close(): void;
}

const LIVELY_MS = 4_000;

export function createMockApi(options: MockOptions = {}): MockApi {
  const world = makeWorld(options.now ?? Date.now(), "http://127.0.0.1:3040", options.empty);
  const listeners = new Set<ServerResponse>();
  const asked: string[] = [];
  const emit = (message: LiveMessage) => {
    for (const each of listeners) each.write(`data: ${JSON.stringify(message)}\n\n`);
  };
  const timer = options.lively ? setInterval(() => emit({ type: "tasks", runId: "run_big" }), LIVELY_MS) : undefined;
  return {
    world,
    asked,
    emit,
    handle(request, response) {
      if (!request.url?.startsWith("/api/v1/")) return false;
      asked.push(`${request.method} ${request.url}`);
      if (new URL(request.url, "http://mock").pathname.endsWith("/live")) listen(listeners, response);
      else void reply({ request, response, world, options, emit });
      return true;
    },
    close() {
      clearInterval(timer);
      for (const each of listeners) each.end();
    },
  };
}

function listen(listeners: Set<ServerResponse>, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write(": open\n\n");
  listeners.add(response);
  response.once("close", () => listeners.delete(response));
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  world: World;
  options: MockOptions;
  emit(message: LiveMessage): void;
}

async function reply({ request, response, world, options, emit }: Exchange): Promise<void> {
  const url = new URL(request.url ?? "/", "http://mock");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const authenticated = options.password === undefined || (request.headers.cookie ?? "").includes("session=open");
  const call: Call = {
    method: request.method ?? "GET",
    path: url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent),
    query: url.searchParams,
    body: text === "" ? {} : JSON.parse(text),
    marked: request.headers["x-holdfast"] === "1",
    authenticated,
    password: options.password,
    emit,
    setCookie: (cookie) => response.setHeader("set-cookie", cookie),
  };
  try {
    write(response, 200, answer(world, call));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    write(response, error.status, { error: error.message, message: error.message, code: error.code, hint: error.hint });
  }
}

function write(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body ?? {}));
}
