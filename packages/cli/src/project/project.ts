// Room: project. A read-only view of somebody's project folder: which files there are, and what is in them. Plans are computed from it alone, so
// tests give one made of plain texts. Promise: nothing here writes, and what is installed, built or hidden is not looked at.
import { isUtf8 } from "node:buffer";
import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readJson } from "./json-text.ts";

export interface Project {
  /** The folder's own name. */
  readonly name: string;
  /** All files, from the project's root, with forward slashes, sorted. */
  readonly paths: readonly string[];
  /** The text of a file; undefined when there is none, or one that could not be written back byte for byte. */
  read(path: string): string | undefined;
  /** Why a file that holds the sign somewhere has no text; undefined for all others. */
  unread(path: string, sign: RegExp): string | undefined;
}

/** The root of a workspace, seen from a folder in it. */
export interface Above {
  /** The way there: "../..". */
  up: string;
  read(name: string): string | undefined;
}

/** Folders of what is made from other files, or by other people. */
const NOT_OURS = new Set(["node_modules", "dist", "build", "out", "coverage", "vendor"]);
/** Hidden folders that people write in; all others are made by tools. */
const WRITTEN = new Set([".github", ".gitlab", ".circleci", ".buildkite", ".devcontainer", ".docker", ".k8s", ".storybook"]);
/** What is larger was made by a program. */
const LARGEST = 2 * 1024 * 1024;

/** The view of a folder on disk. A file stays as it was first read, so that a plan is made of one state. */
export function projectAt(directory: string): Project {
  const texts = new Map<string, string | undefined>();
  const fileOf = (path: string) => join(directory, path);
  return {
    name: basename(directory),
    paths: filesBelow(directory, "").sort(),
    read(path) {
      if (!texts.has(path)) texts.set(path, textOf(fileOf(path)));
      return texts.get(path);
    },
    unread(path, sign) {
      if (this.read(path) !== undefined) return undefined;
      const bytes = bytesOf(fileOf(path));
      // Without the zeros, UTF-16 reads as Latin does.
      if (!bytes || !sign.test(bytes.toString("latin1").replaceAll("\0", ""))) return undefined;
      return bytes.length > LARGEST ? `has more than ${LARGEST / 1024 / 1024} MB` : "is not UTF-8";
    },
  };
}

/** The view of one folder of a project, with a slash at its end. */
export function partOf(project: Project, folder: string): Project {
  return {
    name: basename(folder) || project.name,
    paths: project.paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length)),
    read: (path) => project.read(folder + path),
    unread: (path, sign) => project.unread(folder + path, sign),
  };
}

/** The workspace a folder is a part of; undefined where none is above it in its repository. */
export function workspaceAbove(directory: string): Above | undefined {
  for (let [at, up] = [directory, ".."]; !existsSync(join(at, ".git")) && dirname(at) !== at; up += "/..") {
    at = dirname(at);
    const root = at;
    const read = (name: string) => textOf(join(root, name));
    const manifest = readJson(read("package.json") ?? "{}") as { workspaces?: unknown } | undefined;
    if (manifest?.workspaces !== undefined || read("pnpm-workspace.yaml") !== undefined) return { up, read };
  }
  return undefined;
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  const bytes = bytesOf(file);
  const plain = bytes && bytes.length <= LARGEST && isUtf8(bytes) && !bytes.includes(0);
  return plain ? bytes.toString("utf8") : undefined;
}

function bytesOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** A folder that may not be read counts as empty; links are not followed. */
function filesBelow(directory: string, prefix: string): string[] {
  return entriesOf(join(directory, prefix)).flatMap((entry) => {
    const path = prefix + entry.name;
    if (entry.isFile()) return [path];
    const hidden = entry.name.startsWith(".") && !WRITTEN.has(entry.name);
    const skipped = !entry.isDirectory() || hidden || NOT_OURS.has(entry.name);
    return skipped ? [] : filesBelow(directory, `${path}/`);
  });
}
