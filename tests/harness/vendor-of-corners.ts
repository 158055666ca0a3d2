// Tests: the service that tests/published/corners-outside.ts has the server ask: answers of the odd kinds, some of them another one the next time.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}
type Asked = { count: number; method: string; body: string; key: unknown };

const SERVED: Record<string, (asked: Asked) => Answer> = {
  "/text": () => ({ headers: { "content-type": "text/plain" }, body: "no JSON" }),
  "/echo": ({ method, body, key }) => ({ headers: { "X-Own": "Yes" }, body: { method, body, key } }),
  "/limited": ({ count }) =>
    count === 1 ? { status: 429, headers: { "x-reset": String(Date.now() + 60) }, body: {} } : { body: { count } },
  "/twice/a": ({ count }) => (count < 3 ? { status: 503, body: { code: "busy" } } : { body: { count } }),
  "/twice/b": () => ({ status: 418, body: { code: "teapot", message: "no coffee" } }),
  "/always": ({ count }) => ({ status: 500, body: { message: `failed ${count}` } }),
  "/poll": () => ({ status: 202, headers: { "x-state": "ready" }, body: { n: 1 } }),
};

export class VendorOfCorners {
  url = "";
  readonly #counts = new Map<string, number>();
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? "";
    // Nobody answers at /slow.
    if (path === "/slow") return;
    const count = (this.#counts.get(path) ?? 0) + 1;
    this.#counts.set(path, count);
    const asked = { count, method: request.method ?? "", body: Buffer.concat(chunks).toString(), key: request.headers["x-key"] };
    const { status = 200, headers = {}, body } = SERVED[path]?.(asked) ?? { status: 404, body: {} };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });

  static async start(): Promise<VendorOfCorners> {
    const vendor = new VendorOfCorners();
    await new Promise<void>((resolve) => vendor.#server.listen(0, "127.0.0.1", () => resolve()));
    vendor.url = `http://127.0.0.1:${(vendor.#server.address() as AddressInfo).port}`;
    return vendor;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
