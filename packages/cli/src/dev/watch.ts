// Room: dev. Says when the user's program changed: its files, what lies beside them, and what they import inside the project.
// Called by dev.ts. Promise: several changes in a row count as one; what tools write (node_modules, build output, dot folders) never counts.
import { statSync } from "node:fs";
import { dirname, extname, relative, resolve, sep } from "node:path";
import { watch as chokidar } from "chokidar";
import type { CliWorld } from "../platform/world.ts";

const SOURCES = new Set([".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"]);
const NOT_SOURCE = new Set(["node_modules", "dist", "build", "coverage"]);
const SETTLE_MS = 80;
/** A file added is watched by then. */
const WATCHED_MS = 500;

export interface Watcher {
  /** Watch this file too, if it lies in the project. `changedAt`: its last change when it was loaded, so that one made before we watch is seen too. */
  add(path: string, changedAt: number): void;
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
  /** Each loaded file's last change that the program has seen. */
  const loaded = new Map<string, number>();
  let cancel = () => {};
  const changed = (path: string): void => {
    if (loaded.has(path)) loaded.set(path, lastChange(path));
    cancel();
    cancel = world.after(SETTLE_MS, () => onChange(path));
  };
  const watcher = chokidar(folders, { ignoreInitial: true, ignored: (path) => !loaded.has(path) && isIgnored(path, folders) });
  watcher.on("all", (_event, path) => {
    if (SOURCES.has(extname(path)) || loaded.has(path)) changed(path);
  });
  return {
    add(path, changedAt) {
      if (isIgnored(path, [root])) return;
      const known = loaded.has(path);
      loaded.set(path, changedAt);
      if (known) return;
      watcher.add(path);
      world.after(WATCHED_MS, () => {
        if (lastChange(path) !== loaded.get(path)) changed(path);
      });
    },
    ready: new Promise((done) => watcher.once("ready", () => done())),
    async close() {
      cancel();
      await watcher.close();
    },
  };
}

function lastChange(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
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
