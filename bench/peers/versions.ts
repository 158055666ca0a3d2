// Bench of peers: which peers, in which versions, and where they go: a temporary directory, never our package.json. Called by compare.ts and by each peer.
import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { freshDirectory, startProgram } from "../../tests/harness/processes.ts";

/** The one place for versions. */
export const VERSIONS: Readonly<Record<string, string>> = {
  "@restatedev/restate-server": "1.7.12",
  "@restatedev/restate-sdk": "1.17.2",
  "@dbos-inc/dbos-sdk": "5.3.0",
  "graphile-worker": "0.18.0",
  "pg-boss": "12.38.0",
  bullmq: "6.7.0",
  ioredis: "6.0.0",
};

const LONGEST_INSTALL_MS = 180_000;

/** Installs the packages and copies the apps beside them; answers the directory. */
export async function install(packages: readonly string[]): Promise<string> {
  const directory = freshDirectory();
  cpSync(join(dirname(fileURLToPath(import.meta.url)), "apps"), join(directory, "apps"), { recursive: true });
  if (packages.length === 0) return directory;
  const wanted = packages.map((name) => `${name}@${VERSIONS[name]}`);
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", directory, ...wanted];
  // With the whole environment: how npm reaches its registry is often said there.
  const npm = startProgram(args, { file: "npm", cwd: directory, env: process.env });
  const timer = setTimeout(() => npm.signal("SIGKILL"), LONGEST_INSTALL_MS);
  const { code } = await npm.exited;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`npm install of the peers failed:\n${npm.output()}`);
  return directory;
}

/** Imports a peer's client library. */
export async function clientOf<Module>(packages: string, name: string): Promise<Module> {
  const path = createRequire(join(packages, "apps", "here.mjs")).resolve(name);
  return (await import(pathToFileURL(path).href)) as Module;
}
