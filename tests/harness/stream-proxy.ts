// Tests: a proxy between an app that is called and its server, of the kinds the stream may meet: one that lets it through, one that knows no upgrades (as a
// server that knows no stream), and one that holds back what is sent. It counts what passes, and can break the streams, before or after what is on its way.
import { connect, createServer, type Server, type Socket } from "node:net";

export type Treatment = "pass" | "refuse" | "hold";

const REFUSAL = "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

export class StreamProxy {
  readonly #server: Server;
  readonly #streams = new Set<Socket>();
  treatment: Treatment = "pass";
  /** Streams asked for so far. */
  streams = 0;
  /** Reports posted so far. */
  posts = 0;
  /** Events posted so far. */
  calls = 0;
  /** Nothing comes back from the server over streams any more. */
  isDeaf = false;
  /** What did not come back. */
  swallowed = 0;
  url = "";

  private constructor(private readonly target: URL) {
    this.#server = createServer((client) => this.#greet(client));
  }

  static async start(target: string): Promise<StreamProxy> {
    const proxy = new StreamProxy(new URL(target));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    const address = proxy.#server.address();
    if (typeof address !== "object" || !address) throw new Error("the proxy has no port");
    proxy.url = `http://127.0.0.1:${address.port}`;
    return proxy;
  }

  #greet(client: Socket): void {
    client.on("error", () => client.destroy());
    client.once("data", (head) => {
      client.pause();
      const isStream = /^GET \S*\/api\/v1\/stream /.test(head.toString("latin1"));
      if (isStream) this.streams += 1;
      if (isStream && this.treatment === "refuse") return void client.end(REFUSAL);
      const upstream = connect(Number(this.target.port), this.target.hostname);
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const)
        one.on("error", () => other.destroy()).on("close", () => other.destroy());
      if (isStream) this.#stream(client, upstream, head);
      else this.#plain(client, upstream, head);
    });
  }

  #plain(client: Socket, upstream: Socket, head: Buffer): void {
    const pass = (chunk: Buffer): void => {
      const text = chunk.toString("latin1");
      this.posts += text.match(/^POST \S*\/executions\/\S+\/reports /gm)?.length ?? 0;
      this.calls += text.match(/^POST \S*\/api\/v1\/events /gm)?.length ?? 0;
      upstream.write(chunk);
    };
    pass(head);
    client.on("data", pass).resume();
    upstream.pipe(client);
  }

  #stream(client: Socket, upstream: Socket, head: Buffer): void {
    this.#streams.add(client);
    client.on("close", () => this.#streams.delete(client));
    upstream.write(head);
    client.on("data", (chunk: Buffer) => this.treatment !== "hold" && upstream.write(chunk)).resume();
    upstream.on("data", (chunk: Buffer) => {
      if (this.isDeaf) this.swallowed += 1;
      else client.write(chunk);
    });
  }

  /** Resets every stream there is, on both sides. */
  cut(): void {
    for (const client of [...this.#streams]) client.resetAndDestroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
