// Room: project. A read-only view of somebody's project folder: which files there are, and what is in them. Plans are computed from it alone, so
// tests give one made of plain texts. Promise: nothing here writes, and what is installed, built or hidden is not looked at.
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface Project {
  /** The folder's own name. */
  readonly name: string;
  /** All files, from the project's root, with forward slashes, sorted. */
  readonly paths: readonly string[];
  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined;
}

/** Folders of what is made from other files, or by other people. */
const NOT_OURS = new Set(["node_modules", "dist", "build", "out", "coverage", "vendor"]);

/** The view of a folder on disk. A file stays as it was first read, so that a plan is made of one state. */
export function projectAt(directory: string): Project {
  const texts = new Map<string, string | undefined>();
  return {
    name: basename(directory),
    paths: filesBelow(directory, "").sort(),
    read(path) {
      if (!texts.has(path)) texts.set(path, textOf(join(directory, path)));
      return texts.get(path);
    },
  };
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** A folder that may not be read counts as empty; links are not followed. */
function filesBelow(directory: string, prefix: string): string[] {
  return entriesOf(join(directory, prefix)).flatMap((entry) => {
    const path = prefix + entry.name;
    if (entry.isFile()) return [path];
    const skipped = !entry.isDirectory() || entry.name.startsWith(".") || NOT_OURS.has(entry.name);
    return skipped ? [] : filesBelow(directory, `${path}/`);
  });
}
