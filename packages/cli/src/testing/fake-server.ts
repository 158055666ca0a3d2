// For tests of `dev`, `start` and `doctor`: a server package that starts a fake API, and remembers what it was started with.
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { LoadServer, ServerConfig } from "../serve/server-entry.ts";

export interface FakeServer {
  load: LoadServer;
  configs: ServerConfig[];
  /** How many of them run now. */
  running(): number;
  database: { version: string; embedded: boolean; fsync: string; synchronousCommit: string };
}

const PAGED = { items: [] };
const ANSWERS: Record<string, unknown> = {
  "/healthz": { ok: true },
  "/readyz": { ok: true },
  "/api/v1/environments/dev/apps": [{ slug: "app", transport: "connect", reachable: true, lastError: null }],
  "/api/v1/environments/dev/endpoints": [{ id: "clerk.com", url: "http://h/in/clerk", app: "app" }],
  "/api/v1/environments/dev/jobs": [{ id: "hello", version: "1.0.0", enabled: true, app: "app", trigger: { title: "hello" } }],
  "/api/v1/environments/dev/runs": PAGED,
  "/api/v1/environments/dev/deliveries": PAGED,
};

export function fakeServer(): FakeServer {
  const configs: ServerConfig[] = [];
  let running = 0;
  const fake: FakeServer = {
    configs,
    running: () => running,
    database: { version: "18.0", embedded: true, fsync: "on", synchronousCommit: "on" },
    load: async () => ({
      async startServer(config) {
        configs.push(config);
        const server = createServer((request, response) => {
          const answer = ANSWERS[new URL(request.url ?? "/", "http://h").pathname];
          response.writeHead(answer ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(answer ?? {}));
        });
        const port = await listen(server, config.port, config.host);
        running++;
        const stop = async () => {
          server.closeAllConnections();
          await new Promise((closed) => server.close(closed));
          running--;
        };
        return { url: `http://${config.host}:${port}`, port, keys: { dev: "tr_dev_fake", prod: "tr_prod_fake" }, stop };
      },
      openDataDir: (dataDir) => void mkdirSync(dataDir, { recursive: true }),
      inspectDatabase: async () => fake.database,
    }),
  };
  return fake;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((listening, failed) => server.once("error", failed).listen(port, host, listening));
  return (server.address() as AddressInfo).port;
}
