// Tests: a platform as serverless functions have it: in front of an app, it gives each call so many milliseconds, then answers for it and kills it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import type { Program } from "./processes.ts";

/** What a platform says in an app's place; "reset" breaks the connection. */
export type Instead = { status: number; body: string } | "reset";

export interface Platform {
  url: string;
  /** Calls that carried an execution: how each ended. */
  calls: ("answered" | "cut off" | "failed")[];
  /** When each of them came, in milliseconds. */
  cameAt: number[];
  /** The next calls that carry an execution do not reach the app. */
  failNext(answers: readonly Instead[]): void;
  close(): Promise<void>;
}

/**
 * @param limitMs of each call
 * @param start starts the app behind this URL, the first time and whenever it was killed
 */
export async function startPlatform(limitMs: number, start: (publicUrl: string, again: boolean) => Program): Promise<Platform> {
  const calls: Platform["calls"] = [];
  const cameAt: number[] = [];
  let failing: Instead[] = [];
  let app: Program | undefined;
  const server = createServer((request, response) => {
    const isExecution = String(request.headers["x-trigger-action"]).startsWith("EXECUTE");
    if (isExecution) cameAt.push(performance.now());
    const serve = async () => {
      const instead = isExecution ? failing.shift() : undefined;
      if (instead) {
        calls.push("failed");
        if (instead === "reset") request.socket.resetAndDestroy();
        else response.writeHead(instead.status).end(instead.body);
        return;
      }
      app ??= start(url, true);
      const program = app;
      const ended = await forwarded(program, request, response, limitMs);
      if (isExecution) calls.push(ended);
      if (ended === "answered") return;
      app = undefined;
      await program.kill();
      response.writeHead(504, { "x-vercel-error": "FUNCTION_INVOCATION_TIMEOUT" }).end("An error occurred with your deployment");
    };
    serve().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/trigger`;
  app = start(url, false);
  await app.says(/^registered$/m);
  return {
    url,
    calls,
    cameAt,
    failNext: (answers) => {
      failing = [...answers];
    },
    close: async () => {
      await app?.kill();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function forwarded(program: Program, request: IncomingMessage, response: ServerResponse, limitMs: number) {
  const [, at = ""] = await program.says(/^at (\S+)$/m);
  const { origin, pathname } = new URL(at);
  const pool = new Pool(origin);
  const { host, connection, ...headers } = request.headers;
  try {
    const answer = await pool.request({
      method: "POST",
      path: pathname,
      headers,
      body: request,
      signal: AbortSignal.timeout(limitMs),
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    response.writeHead(answer.statusCode, answer.headers as Record<string, string>).end(body);
    return "answered";
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") return "cut off";
    throw error;
  } finally {
    await pool.destroy();
  }
}
