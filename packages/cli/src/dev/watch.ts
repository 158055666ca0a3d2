// Room: dev. Says when the user's program changed: its files, what lies beside them, and what they import inside the project.
// Called by dev.ts. Promise: several changes in a row count as one; what tools write (node_modules, build output, dot folders) never counts.
import { dirname, extname, relative, resolve, sep } from "node:path";
import { watch as chokidar } from "chokidar";
import type { CliWorld } from "../platform/world.ts";

const SOURCES = new Set([".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"]);
const NOT_SOURCE = new Set(["node_modules", "dist", "build", "coverage"]);
const SETTLE_MS = 80;

export interface Watcher {
  /** Watch this file too, if it lies in the project. */
  add(path: string): void;
  ready: Promise<void>;
  close(): Promise<void>;
}

export interface Watched {
  files: string[];
  /** The project: nothing outside it is watched, except beside the files. */
  root: string;
  onChange(path: string): void;
}

export function watchProgram(world: Pick<CliWorld, "after">, { files, root, onChange }: Watched): Watcher {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const loaded = new Set<string>();
  let cancel = () => {};
  const watcher = chokidar(folders, { ignoreInitial: true, ignored: (path) => !loaded.has(path) && isIgnored(path, folders) });
  watcher.on("all", (_event, path) => {
    if (!SOURCES.has(extname(path)) && !loaded.has(path)) return;
    cancel();
    cancel = world.after(SETTLE_MS, () => onChange(path));
  });
  return {
    add(path) {
      if (loaded.has(path) || isIgnored(path, [root])) return;
      loaded.add(path);
      watcher.add(path);
    },
    ready: new Promise((done) => watcher.once("ready", () => done())),
    async close() {
      cancel();
      await watcher.close();
    },
  };
}

/** True for what lies outside the roots, or in them below a folder that holds no sources of the person's own. */
function isIgnored(path: string, roots: string[]): boolean {
  const inside = roots
    .map((root) => relative(root, resolve(path)))
    .filter((each) => !each.startsWith("..") && !each.startsWith(sep));
  const parts = inside.sort((a, b) => a.length - b.length)[0]?.split(sep);
  if (!parts) return true;
  return parts.some((part) => NOT_SOURCE.has(part) || (part.startsWith(".") && part.length > 1));
}
