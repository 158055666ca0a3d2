// Room: migrate. Integrations ask for v2's SDK of their own; an override makes it the app's, or each has its own types and clocks. Called by migrate.ts.
// Promise: it is written where the package manager at hand looks for it: at the root of the workspace. A root that is out of sight is told.
import { managerOf } from "../init/detect.ts";
import { readJson, setJson } from "../project/json-text.ts";
import type { Draft } from "../project/plan.ts";
import type { Above, Project } from "../project/project.ts";
import { aliasOf } from "./manifest.ts";
import { V2_SDK } from "./v2-packages.ts";

export interface Overriding {
  project: Project;
  /** The workspace the whole project is a part of. */
  above: Above | undefined;
  /** Of our SDK. */
  version: string;
}

/** @param manifests paths of those that name an integration */
export function override(draft: Draft, manifests: readonly string[], { project, above, version }: Overriding): void {
  for (const folder of new Set(manifests.map((path) => rootOf(project, path)))) {
    // With a lock of its own it is no member.
    if (folder === "" && above && !isRoot(project, folder) && managerOf(project) === undefined) {
      const place = placeFor(managerOf(above) ?? "npm").at(-1);
      const message = `its ${place} need "${V2_SDK}": "${aliasOf(version)}", for the integrations: or run this there`;
      draft.remark({ path: `${above.up}/package.json`, message });
    } else overrideAt(draft, folder, { manager: managerOf(project, folder) ?? managerOf(project) ?? "npm", version });
  }
}

function overrideAt(draft: Draft, folder: string, { manager, version }: { manager: Manager; version: string }): void {
  const [manifest, settings] = [`${folder}package.json`, `${folder}pnpm-workspace.yaml`];
  const major = manager === "pnpm" ? majorOf(draft.read(manifest)) : undefined;
  const there = draft.read(settings) !== undefined;
  if (manager !== "pnpm" || major === undefined || major < 10)
    draft.edit(manifest, (text) => setJson(text, [...placeFor(manager), V2_SDK], aliasOf(version), manifest));
  if (manager !== "pnpm") return;
  if (major === undefined && !there) {
    const message = "pnpm reads overrides from pnpm-workspace.yaml from version 11 on: put this one there, too";
    draft.remark({ path: manifest, message });
  } else if (major === undefined || major >= 10) {
    const after = inSettings(draft.read(settings) ?? "", version);
    if (after !== undefined) draft.edit(settings, () => after);
    else draft.remark({ path: settings, message: `its overrides need "${V2_SDK}": ${aliasOf(version)}` });
  }
}

type Manager = NonNullable<ReturnType<typeof managerOf>>;
const placeFor = (manager: Manager): string[] =>
  ({ npm: ["overrides"], bun: ["overrides"], yarn: ["resolutions"], pnpm: ["pnpm", "overrides"] })[manager];

/** Of pnpm, where package.json tells it. */
function majorOf(manifest = ""): number | undefined {
  const { packageManager } = (readJson(manifest) ?? {}) as { packageManager?: unknown };
  const [, major] = /^pnpm@(\d+)/.exec(String(packageManager)) ?? [];
  return major === undefined ? undefined : Number(major);
}

/** pnpm-workspace.yaml with the override; undefined where its overrides are written in one line. */
function inSettings(text: string, version: string): string | undefined {
  const line = `"${V2_SDK}": ${aliasOf(version)}`;
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const block = /^overrides:[ \t]*(.*)\r?\n((?:[ \t]+.*(?:\r?\n|$)|[ \t]*\r?\n)*)/m.exec(text);
  if (!block) {
    if (/^overrides:/m.test(text)) return undefined;
    return `${text}${text === "" || text.endsWith("\n") ? "" : newline}overrides:${newline}  ${line}${newline}`;
  }
  const [whole, inline = "", entries = ""] = block;
  if (inline !== "" && !inline.startsWith("#")) return undefined;
  const pinned = /^([ \t]+)(["']?)@trigger\.dev\/sdk\2:[ \t]*(?:"[^"]*"|'[^']*'|[^\s#]+)/m;
  const indent = /^[ \t]+(?=\S)/m.exec(entries)?.[0] ?? "  ";
  const after = pinned.test(entries)
    ? entries.replace(pinned, (_all, before: string, quote: string) => `${before}${quote}${V2_SDK}${quote}: ${aliasOf(version)}`)
    : `${indent}${line}${newline}${entries}`;
  return text.replace(whole, () => whole.slice(0, whole.length - entries.length) + after);
}

/** The folder whose package.json is asked for overrides: of the workspace that holds a package, or the package's own. */
function rootOf(project: Project, manifest: string): string {
  const own = manifest.replace(/[^/]*$/, "");
  for (let folder = own; ; folder = folder.replace(/[^/]*\/$/, "")) {
    if (isRoot(project, folder)) return folder;
    if (folder === "") return own;
  }
}

function isRoot(project: Project, folder: string): boolean {
  const manifest = readJson(project.read(`${folder}package.json`) ?? "{}") as { workspaces?: unknown } | undefined;
  return manifest?.workspaces !== undefined || project.read(`${folder}pnpm-workspace.yaml`) !== undefined;
}
