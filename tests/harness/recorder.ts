// Tests: a proxy between an app and the server that keeps every exchange, in both directions: what the app asks the server, and, since it hands the server an address of its own
// when an app registers, what the server asks the app. It can lose requests, as a network does. Give the server its `url` as the public URL, and apps as the API's.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface Exchange {
  /** Who was asked. */
  of: "server" | "app";
  method: string;
  /** Without the query. */
  path: string;
  query: string;
  sent: { headers: IncomingHttpHeaders; body: string };
  /** Status 0: nobody answered, or it was lost. */
  answered: { status: number; headers: IncomingHttpHeaders; body: string };
}

const NO_UPGRADE = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

export class Recorder {
  readonly exchanges: Exchange[] = [];
  url = "";
  /** Where the server is. */
  target = "";
  /** Requests to lose. */
  loses: (asked: Exchange) => boolean = () => false;
  /** Where apps are, by the ids they registered with. */
  readonly #apps = new Map<string, string>();
  readonly #server: Server = createServer((asked, answer) => void this.#pass(asked, answer));

  static async start(): Promise<Recorder> {
    const recorder = new Recorder();
    // What our SDK would report over a stream is posted, and so kept here: it takes this for a server that knows no streams.
    recorder.#server.on("upgrade", (_asked, socket) => socket.end(NO_UPGRADE));
    await new Promise<void>((resolve) => recorder.#server.listen(0, "127.0.0.1", () => resolve()));
    recorder.url = `http://127.0.0.1:${(recorder.#server.address() as AddressInfo).port}`;
    return recorder;
  }

  /** Where the server reaches an app. */
  appUrl(id: string): string {
    return `${this.url}/app/${id}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(asked.url ?? "/", this.url);
    const app = /^\/app\/([\w-]+)$/.exec(pathname)?.[1];
    const body = await bytesOf(asked);
    const exchange: Exchange = {
      of: app ? "app" : "server",
      method: asked.method ?? "",
      path: pathname,
      query: search,
      sent: { headers: asked.headers, body: body.toString() },
      answered: { status: 0, headers: {}, body: "" },
    };
    if (this.loses(exchange)) {
      this.exchanges.push(exchange);
      return void asked.socket.destroy();
    }
    const url = app ? (this.#apps.get(app) ?? "") : this.target + (asked.url ?? "");
    this.#forward(exchange, url, this.#withOwnAddress(exchange, body), answer);
  }

  /** An app is registered at an address here, so that the server's requests pass by, too. */
  #withOwnAddress({ method, path, sent }: Exchange, body: Buffer): Buffer {
    if (method !== "POST" || path !== "/api/v1/endpoints") return body;
    const registered = JSON.parse(sent.body) as { id: string; url: string };
    this.#apps.set(registered.id, registered.url);
    return Buffer.from(JSON.stringify({ ...registered, url: this.appUrl(registered.id) }));
  }

  #forward(exchange: Exchange, url: string, body: Buffer, answer: ServerResponse): void {
    // Uncompressed and of a known length, so that what is kept can be read. The host stays, so that addresses the server gives lead here.
    const { "accept-encoding": _encoding, "transfer-encoding": _transfer, ...headers } = exchange.sent.headers;
    const options = { method: exchange.method, headers: { ...headers, "content-length": body.length } };
    const onward = request(url, options, (from) => {
      const chunks: Buffer[] = [];
      answer.writeHead(from.statusCode ?? 500, from.headers);
      from.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        answer.write(chunk);
      });
      from.on("end", () => {
        exchange.answered = { status: from.statusCode ?? 0, headers: from.headers, body: Buffer.concat(chunks).toString() };
        this.exchanges.push(exchange);
        answer.end();
      });
    });
    onward.on("error", () => {
      this.exchanges.push(exchange);
      answer.destroy();
    });
    answer.on("close", () => onward.destroy());
    onward.end(body);
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
