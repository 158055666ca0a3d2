// A wire to PostgreSQL that can be cut at the worst moment: after the server has answered and before the client hears it, so that the outcome of a commit
// is unknown. Called by outages.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedConnection } from "../../platform/postgres/embedded.ts";

export interface CuttingProxy {
  /** Like the real connection, but through the wire. */
  connection: EmbeddedConnection;
  /** Cuts the next connection whose server says `reply` after its client said `request`; resolves when that has happened. */
  cut(request: string, reply: string): Promise<void>;
  close(): void;
}

interface Plan {
  request: string;
  reply: string;
  done(): void;
}

export async function startCuttingProxy(to: EmbeddedConnection): Promise<CuttingProxy> {
  const folder = mkdtempSync(join(tmpdir(), "hf-wire-"));
  let plan: Plan | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(join(to.host, `.s.PGSQL.${to.port}`));
    let asked = false;
    let said = "";
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", end);
    }
    client.on("data", (chunk) => {
      asked ||= plan !== null && chunk.includes(plan.request);
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (!asked || !plan) return void client.write(chunk);
      said += chunk.toString("latin1");
      if (!said.includes(plan.reply)) return;
      plan.done();
      plan = null;
      end();
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, ".s.PGSQL.5432"), resolve));
  return {
    connection: { ...to, host: folder, port: 5432 },
    cut: (request, reply) => {
      return new Promise((done) => {
        plan = { request, reply, done };
      });
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
