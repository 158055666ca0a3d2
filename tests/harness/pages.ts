// Tests: a page built with vite as a user builds it, and served from a port of its own.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freshDirectory, ROOT } from "./processes.ts";

const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript" };

export interface Pages {
  origin: string;
  close(): void;
}

/** @param directory below the root, with an index.html */
export async function servePages(directory: string): Promise<Pages> {
  const dist = join(freshDirectory(), "dist");
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const build = [vite, "build", "--outDir", dist, "--logLevel", "error"];
  await promisify(execFile)(process.execPath, build, { cwd: join(ROOT, directory) });
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://x").pathname.replace(/^\/$/, "/index.html");
    const type = TYPES[name.split(".").at(-1) ?? ""];
    if (!type) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": type }).end(readFileSync(join(dist, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
