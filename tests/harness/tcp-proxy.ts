// Tests: a TCP proxy between an app and its servers, whose connections can be reset, and which can be pointed elsewhere, as a load balancer is.
import { connect, createServer, type Server, type Socket } from "node:net";

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  /** Connections made so far. */
  connections = 0;
  url = "";

  private constructor(private target: string) {
    this.#server = createServer((client) => this.#forward(client));
  }

  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    const address = proxy.#server.address();
    if (typeof address !== "object" || !address) throw new Error("the proxy has no port");
    proxy.url = `http://127.0.0.1:${address.port}`;
    return proxy;
  }

  #forward(client: Socket): void {
    const { hostname, port } = new URL(this.target);
    const upstream = connect(Number(port), hostname);
    const pair: [Socket, Socket] = [client, upstream];
    this.connections += 1;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    client.pipe(upstream);
    upstream.pipe(client);
  }

  /** New connections go there. */
  pointTo(target: string): void {
    this.target = target;
  }

  /** Resets every connection there is, on both sides. */
  cut(): void {
    for (const pair of [...this.#pairs]) for (const socket of pair) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
