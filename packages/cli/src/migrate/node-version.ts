// Room: migrate. Which Node a project is built and run with, where it says so: v2's SDK ran on 16 and 18, ours needs more. Called by migrate.ts.
// Promise: only a version that is written out and too old is told; nothing is changed.
import { readJson } from "../project/json-text.ts";
import type { Remark } from "../project/plan.ts";
import type { Project } from "../project/project.ts";

const LEAST = [20, 19] as const;

/** Where each kind of file names it. */
const PLACES: readonly (readonly [file: RegExp, version: RegExp])[] = [
  [
    /(?:^|\/)(?:Docker|Container)file(?:[.-][\w.-]+)?$|\.dockerfile$/,
    /^\s*FROM\s+(?:--\S+\s+)?(?:\S+\/)?node:v?(\d+(?:\.\d+)?)/i,
  ],
  [/(?:^|\/)\.(?:nvmrc|node-version)$/, /^\s*v?(\d+(?:\.\d+)?)/],
  [/(?:^|\/)\.tool-versions$/, /^\s*nodejs?\s+v?(\d+(?:\.\d+)?)/],
  [/\.ya?ml$/, /^\s*(?:-\s+)?(?:node-version|node_version|NODE_VERSION)\s*:\s*["']?v?(\d+(?:\.\d+)?)/],
];

export function nodeRemarks(project: Project): Remark[] {
  return project.paths.flatMap((path) => {
    if (/(?:^|\/)package\.json$/.test(path)) return inManifest(path, project.read(path) ?? "");
    const [, version] = PLACES.find(([file]) => file.test(path)) ?? [];
    if (!version) return [];
    return (project.read(path) ?? "").split("\n").flatMap((line, at) => told(path, at + 1, version.exec(line)?.[1]));
  });
}

/** A range that leaves room for newer ones is none of our business. */
function inManifest(path: string, text: string): Remark[] {
  const { engines, volta } = (readJson(text) ?? {}) as Partial<Record<"engines" | "volta", { node?: unknown }>>;
  const line = text.slice(0, text.search(/"node"\s*:/)).split("\n").length;
  return [engines?.node, volta?.node].flatMap((range) =>
    told(path, line, /^[\^~=v ]*(\d+(?:\.\d+)?)[\d.x*]*$/.exec(String(range))?.[1]),
  );
}

function told(path: string, line: number, version: string | undefined): Remark[] {
  const [major = 0, minor] = (version ?? "").split(".").map(Number);
  const isOld = version !== undefined && (major < LEAST[0] || (major === LEAST[0] && minor !== undefined && minor < LEAST[1]));
  return isOld ? [{ path, line, message: `names Node ${version}: our SDK needs ${LEAST.join(".")} or newer` }] : [];
}
