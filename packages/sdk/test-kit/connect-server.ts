// For tests of the SDK: the server's side of the connect transport, over real WebSockets on a free port of 127.0.0.1. The test speaks for it.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AppFrame, appFrameSchema, CONNECT_PATH, type ServerFrame } from "@holdfast/protocol";
import { type WebSocket, WebSocketServer } from "ws";

type FrameOf<T extends AppFrame["t"]> = Extract<AppFrame, { t: T }>;

/** One app's connection. */
export class Peer {
  readonly socket: WebSocket;
  readonly authorization: string | undefined;
  readonly frames: AppFrame[] = [];
  readonly closed: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket, authorization: string | undefined) {
    this.socket = socket;
    this.authorization = authorization;
    socket.on("message", (data) => {
      this.frames.push(appFrameSchema.parse(JSON.parse(data.toString())));
      for (const look of this.#waiting.splice(0)) look();
    });
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
  }

  send(frame: ServerFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The next frame of that kind, taken from those received; waits for it. */
  async next<T extends AppFrame["t"]>(kind: T): Promise<FrameOf<T>> {
    for (;;) {
      const at = this.frames.findIndex((frame) => frame.t === kind);
      if (at >= 0) return this.frames.splice(at, 1)[0] as FrameOf<T>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

export class ConnectServer {
  readonly #http: Server;
  readonly #arrived: Peer[] = [];
  readonly #peers: Peer[] = [];
  #waiting: ((peer: Peer) => void)[] = [];
  /** Set to answer upgrades with this instead. */
  refusal: { status: number; body: string } | undefined;
  upgrades = 0;

  constructor() {
    const sockets = new WebSocketServer({ noServer: true });
    this.#http = createServer();
    this.#http.on("upgrade", (request, socket, head) => {
      this.upgrades += 1;
      if (this.refusal || request.url !== CONNECT_PATH) {
        const { status, body } = this.refusal ?? { status: 404, body: "" };
        socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (ws) => this.#accept(new Peer(ws, request.headers.authorization)));
    });
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** The next app that dials. */
  peer(): Promise<Peer> {
    const arrived = this.#arrived.shift();
    return arrived ? Promise.resolve(arrived) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next app that dials, after its hello was welcomed. */
  async welcomed(): Promise<Peer> {
    const peer = await this.peer();
    await peer.next("hello");
    peer.send({ t: "welcome", server: "srv", environment: "dev" });
    return peer;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.socket.terminate();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  #accept(peer: Peer): void {
    this.#peers.push(peer);
    const waiting = this.#waiting.shift();
    if (waiting) waiting(peer);
    else this.#arrived.push(peer);
  }
}
