// Room: http. Puts the handler on a port: Node's HTTP server with limits against slow and oversized clients. Called by main.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UserFacingError } from "@holdfast/protocol";
import { createAdaptorServer } from "@hono/node-server";
import type { Fetch } from "./app.ts";

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 5_000,
} as const;

export interface Listening {
  readonly server: Server;
  readonly port: number;
  /** Takes no more connections and ends idle ones; resolves when the last request is answered, or, bounded by the caller, after `force`. */
  close(): Promise<void>;
  /** Breaks what is still open. */
  force(): void;
}

/**
 * Listens.
 *
 * @param address port 0: any free one
 * @param prepare gets the server before it listens: main adds the WebSocket upgrade here
 * @throws UserFacingError CONFLICT when the port is taken
 */
export function listen(
  fetch: Fetch,
  address: { host: string; port: number },
  prepare: (server: Server) => void = () => {},
): Promise<Listening> {
  // The adapter's own Request and Response take the place of the global ones: measured here 2.4 times the requests a second, 1.7 times for webhooks.
  const server = createAdaptorServer({
    fetch: (request, env) => fetch(request, env),
    overrideGlobalObjects: true,
    serverOptions: LIMITS,
  }) as Server;
  // Their size is the limit. A limit of their number would drop what is over it without a word: a signature, for one.
  server.maxHeadersCount = 0;
  server.on("checkContinue", (request: IncomingMessage, response) => {
    continueOnceRead(request, response);
    server.emit("request", request, response);
  });
  prepare(server);
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(startError(error, address)));
    server.listen(address.port, address.host, () => {
      resolve({
        server,
        port: (server.address() as AddressInfo).port,
        close: () => closeServer(server),
        force: () => server.closeAllConnections(),
      });
    });
  });
}

/** Whoever is answered without being read need not send its body at all. */
function continueOnceRead(request: IncomingMessage, response: ServerResponse): void {
  let told = false;
  request.on("newListener", (event: string) => {
    if (told || response.headersSent || (event !== "data" && event !== "readable")) return;
    told = true;
    response.writeContinue();
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function startError(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  if (error.code === "EADDRINUSE")
    return new UserFacingError("CONFLICT", `Port ${port} on ${host} is taken.`, "Choose another with --port.");
  if (error.code === "EACCES")
    return new UserFacingError("FORBIDDEN", `Port ${port} needs more rights than this process has.`, "Choose one from 1024 on.");
  if (error.syscall === "listen" || error.syscall === "getaddrinfo")
    return new UserFacingError(
      "BAD_CONFIGURATION",
      `Cannot listen on ${host}: ${error.message}.`,
      "Check --host; 0.0.0.0 listens on every address.",
    );
  return error;
}
