// Room: http. Upgrades to WebSockets, for apps that show a secret key: GET /api/v1/connect, and the stream of reports and calls. Everything else
// asking for an upgrade is refused in HTTP. Called by main, which says who takes the sockets.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { CONNECT_PATH, STREAM_PATH } from "@holdfast/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import type { Registry } from "../dispatch/registry.ts";
import { hashKey } from "../platform/secrets.ts";
import type { EnvironmentRow } from "../store/store.ts";
import { originOfUpgrade } from "./access.ts";
import type { StreamCaller } from "./app-stream.ts";

/** Largest frame: a task's output may be 10 MB, as JSON text inside JSON. */
const MAX_FRAME = 64 * 1024 * 1024;

/** Who takes which sockets. */
export interface Acceptors {
  connect(socket: WebSocket, environment: EnvironmentRow, wire: Duplex): void;
  stream(socket: WebSocket, caller: StreamCaller): void;
}

export function acceptConnections(server: Server, registry: Registry, acceptors: Acceptors): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", () => stream.destroy());
    const path = (request.url ?? "").split("?")[0]?.replace(/\/{2,}/g, "/");
    if (path !== CONNECT_PATH && path !== STREAM_PATH)
      return refuse(stream, "404 Not Found", `Only ${CONNECT_PATH} and ${STREAM_PATH} take WebSockets.`);
    const secretHash = hashOfKey(request);
    const find = () => (secretHash === null ? null : registry.environmentOfKey({ secretHash }));
    const environment = find();
    if (!environment) return refuse(stream, "401 Unauthorized", "Invalid or Missing API key");
    sockets.handleUpgrade(request, stream, head, (socket) => {
      if (path === CONNECT_PATH) return acceptors.connect(socket, environment, stream);
      const isAdmitted = () => find()?.id === environment.id;
      acceptors.stream(socket, { environment, origin: originOfUpgrade(request), wire: stream, isAdmitted });
    });
  });
}

function hashOfKey(request: IncomingMessage): string | null {
  const [scheme, key] = (request.headers.authorization ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" && key ? hashKey(key) : null;
}

function refuse(stream: Duplex, status: string, message: string): void {
  const body = JSON.stringify({ error: message, message });
  stream.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
