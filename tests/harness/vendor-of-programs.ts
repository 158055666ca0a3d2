// Tests: the services that tests/published/programs-*.ts call: mail, approvals, a summarizer that is busy at first, and an address where jobs tell how they ended.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class VendorOfPrograms {
  /** What was told, by what. */
  readonly told: Record<string, unknown> = {};
  url = "";
  #busy = 2;
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = (request.url ?? "").slice(1);
    const [status, answer] = this.#answer(path, JSON.parse(Buffer.concat(chunks).toString() || "{}"));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });

  static async start(): Promise<VendorOfPrograms> {
    const vendor = new VendorOfPrograms();
    await new Promise<void>((resolve) => vendor.#server.listen(0, "127.0.0.1", () => resolve()));
    vendor.url = `http://127.0.0.1:${(vendor.#server.address() as AddressInfo).port}`;
    return vendor;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(path: string, body: { about?: unknown; url?: string; cents?: number; text?: string }): [number, unknown] {
    if (path === "mail") return [200, { ok: true, sent: String(body.about) }];
    if (path === "approve") {
      const answer = JSON.stringify({ approved: Number(body.cents) < 5_000, by: "the boss" });
      // Somebody answers by himself, while the job waits or before it does.
      void fetch(String(body.url), { method: "POST", body: answer });
    }
    if (path === "summary") return this.#busy-- > 0 ? [503, { message: "busy" }] : [200, { summary: body.text?.split(" ")[0] }];
    if (path.startsWith("told/")) this.told[path.slice(5)] = body;
    return [200, { ok: true }];
  }
}
