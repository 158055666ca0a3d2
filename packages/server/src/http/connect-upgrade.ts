// Room: http. Upgrades GET /api/v1/connect to a WebSocket for an app that shows a secret key; everything else asking for an upgrade is refused in HTTP.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { CONNECT_PATH } from "@holdfast/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import type { Registry } from "../dispatch/registry.ts";
import { hashKey } from "../platform/secrets.ts";
import type { EnvironmentRow } from "../store/store.ts";

/** Largest frame: a task's output may be 10 MB, as JSON text inside JSON. */
const MAX_FRAME = 64 * 1024 * 1024;

export function acceptConnections(
  server: Server,
  registry: Registry,
  accept: (socket: WebSocket, environment: EnvironmentRow, wire: Duplex) => void,
): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", () => stream.destroy());
    const path = (request.url ?? "").split("?")[0]?.replace(/\/{2,}/g, "/");
    if (path !== CONNECT_PATH) return refuse(stream, "404 Not Found", "Only /api/v1/connect takes WebSockets.");
    const environment = environmentOf(request, registry);
    if (!environment) return refuse(stream, "401 Unauthorized", "Invalid or Missing API key");
    sockets.handleUpgrade(request, stream, head, (socket) => accept(socket, environment, stream));
  });
}

function environmentOf(request: IncomingMessage, registry: Registry): EnvironmentRow | null {
  const [scheme, key] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || !key) return null;
  return registry.environmentOfKey({ secretHash: hashKey(key) });
}

function refuse(stream: Duplex, status: string, message: string): void {
  const body = JSON.stringify({ error: message, message });
  stream.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
