// Serves the built dashboard as the real server does (own origin, SPA fallback, the same content security policy) over the mock API.
// Called by screens.test.ts. Promises: a free port on 127.0.0.1, and everything closed by `close`.
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { createMockApi, type MockApi, type MockOptions } from "./api.ts";

export const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

export interface MockServer {
  url: string;
  api: MockApi;
  close(): Promise<void>;
}

export async function serveMock(dist: string, options: MockOptions = {}): Promise<MockServer> {
  const api = createMockApi(options);
  const server = createServer((request, response) => {
    if (!api.handle(request, response)) void sendFile(dist, new URL(request.url ?? "/", "http://mock").pathname, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    api,
    close() {
      api.close();
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** Ids hold dots ("/endpoints/clerk.com"), so what is not a file is a screen, whatever its name ends in. */
async function sendFile(dist: string, path: string, response: ServerResponse): Promise<void> {
  const name = normalize(path).replace(/^(\.\.[/\\])+/, "");
  const asset = name === "/" ? null : await readFile(join(dist, name)).catch(() => null);
  const missing = asset === null && name.startsWith("/assets/");
  const type = asset === null ? ".html" : extname(name);
  const body = asset ?? (await readFile(join(dist, "index.html")));
  response.writeHead(missing ? 404 : 200, {
    "content-type": TYPES[type] ?? "application/octet-stream",
    "content-security-policy": POLICY,
  });
  response.end(missing ? "" : body);
}
