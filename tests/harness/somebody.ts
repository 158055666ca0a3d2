// Tests: somebody outside. Keeps what it is told at `POST /<what>`, answers `{"got": <body>}`, and takes the hooks of tests/published/sources.ts at `POST /hooks`.
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./until.ts";

export interface Hook {
  url: string;
  secret: string;
  topics: string[];
}

export class Somebody {
  readonly hooks: Hook[] = [];
  readonly #told = new Map<string, unknown[]>();
  url = "";
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const what = (request.url ?? "").slice(1);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || "null");
    if (what === "hooks") this.hooks.push(body as Hook);
    else this.#told.set(what, [...(this.#told.get(what) ?? []), body]);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(what === "hooks" ? { id: this.hooks.length } : { got: body }));
  });

  static async start(): Promise<Somebody> {
    const somebody = new Somebody();
    await new Promise<void>((resolve) => somebody.#server.listen(0, "127.0.0.1", () => resolve()));
    somebody.url = `http://127.0.0.1:${(somebody.#server.address() as AddressInfo).port}`;
    return somebody;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  told(what: string): unknown[] {
    return this.#told.get(what) ?? [];
  }
  /** The first thing it is told there that fits. */
  hears<T>(what: string, fits: (said: T) => boolean = () => true): Promise<T> {
    const look = () => (this.told(what) as T[]).filter(fits).map((said) => ({ said }))[0];
    return until(look, { withinMs: 40_000, what: () => `a note of "${what}"` }).then(({ said }) => said);
  }
  hook(topic: string): Promise<Hook> {
    const look = () => this.hooks.find(({ topics }) => topics.includes(topic));
    return until(look, { withinMs: 30_000, what: () => `a hook for ${topic}` });
  }
  /** Sends a message to a hook, signed as its app verifies it; answers the status. */
  async send({ url, secret }: Hook, message: object): Promise<number> {
    const body = JSON.stringify(message);
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const headers = { "content-type": "application/json", "x-signature": signature };
    return (await fetch(url, { method: "POST", headers, body })).status;
  }
}
