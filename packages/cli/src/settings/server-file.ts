// Room: settings. `{data-dir}/server.json`: how a second terminal finds the server that runs here. Written by serve/, read by api/.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ServerFile {
  url: string;
  pid: number;
  /** Secret key of the development environment. */
  key: string;
}

const pathOf = (dataDir: string) => join(dataDir, "server.json");

/** Whole or not at all, and readable by its owner only: it holds a key. */
export function writeServerFile(dataDir: string, content: ServerFile): void {
  mkdirSync(dataDir, { recursive: true });
  const draft = `${pathOf(dataDir)}.${content.pid}`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, pathOf(dataDir));
}

export function readServerFile(dataDir: string): ServerFile | null {
  try {
    const content: Partial<ServerFile> = JSON.parse(readFileSync(pathOf(dataDir), "utf8"));
    const { url, pid, key } = content;
    return typeof url === "string" && typeof pid === "number" && typeof key === "string" ? { url, pid, key } : null;
  } catch {
    return null;
  }
}

/** Removes the file if it is still the one this server wrote. The pid alone does not tell: in containers all are 1. */
export function removeServerFile(dataDir: string, own: ServerFile): void {
  const found = readServerFile(dataDir);
  if (found?.pid === own.pid && found.url === own.url) rmSync(pathOf(dataDir), { force: true });
}
