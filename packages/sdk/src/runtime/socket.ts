// Room: runtime. One outgoing WebSocket over `ws`, called through Runtime.dial. Promises: `closed` exactly once; frames sent in one
// turn leave in one write; a peer that no longer answers pings is given up after two missed beats.
import "./plain-frames.ts";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Socket, SocketEvents } from "./runtime.ts";

const BEAT_MS = 15_000;
const REFUSAL_LIMIT = 64 * 1024;

function readRefusal(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      if (body.length < REFUSAL_LIMIT) body += chunk;
    });
    response.on("end", () => resolve(body));
    response.on("error", () => resolve(body));
  });
}

/** Pings while open; two beats without an answer end the connection. */
function keepAlive(socket: WebSocket, background: boolean): void {
  let answered = true;
  const beat = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, BEAT_MS);
  if (background) beat.unref();
  const alive = () => {
    answered = true;
  };
  socket.on("pong", alive);
  socket.on("message", alive);
  socket.on("close", () => clearInterval(beat));
}

/** Holds writes of one turn back and lets them go together: many frames, one system call. */
function corked(socket: WebSocket, wireOf: () => Duplex | undefined): (text: string) => void {
  let waiting = false;
  let wire: Duplex | undefined;
  const release = () => {
    waiting = false;
    wire?.uncork();
  };
  return (text) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    wire = wireOf();
    if (wire && !waiting) {
      waiting = true;
      wire.cork();
      process.nextTick(release);
    }
    socket.send(text);
  };
}

/** Sends the upgrade request over a stream that does not keep the program alive; the WebSocket goes on over the same stream. */
function sendInBackground(request: ClientRequest): void {
  request.once("socket", (stream) => stream.unref());
  request.end();
}

export function dial(url: string, headers: Record<string, string>, events: SocketEvents, background = false): Socket {
  const setting = { headers, perMessageDeflate: false, handshakeTimeout: 10_000 };
  const socket = new WebSocket(url, background ? { ...setting, finishRequest: sendInBackground } : setting);
  let over = false;
  let reason = "";
  const finish = (refusal?: { status: number; body: string }) => {
    if (over) return;
    over = true;
    events.closed(reason || "the connection was closed", refusal);
  };
  socket.on("open", () => {
    keepAlive(socket, background);
    events.opened();
  });
  socket.on("message", (data) => events.message(data.toString()));
  socket.on("error", (error) => {
    reason = error.message || ("code" in error ? String(error.code) : error.name);
  });
  socket.on("unexpected-response", (_request, response) => {
    void readRefusal(response).then((body) => {
      reason = `the server answered ${response.statusCode ?? 0}`;
      finish({ status: response.statusCode ?? 0, body });
      socket.terminate();
    });
  });
  socket.on("close", (code, text) => {
    if (!reason) reason = text.length > 0 ? text.toString() : `the connection was closed (${code})`;
    finish();
  });
  let wire: NetSocket | undefined;
  socket.on("upgrade", (response) => {
    wire = response.socket;
  });
  const keepAwake = (awake: boolean) => {
    if (background) wire?.[awake ? "ref" : "unref"]();
  };
  return { send: corked(socket, () => wire), close: () => socket.close(1000), keepAwake };
}
