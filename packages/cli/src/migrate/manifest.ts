// Room: migrate. One package.json: which packages of v2 are replaced, and the scripts. Called by migrate.ts.
// Promises: formatting stays; the block "trigger.dev", which names the endpoint, stays; integrations stay, and get the same SDK as the app.
import { readJson, removeJson, setJson } from "../project/json-text.ts";
import type { Draft, Remark } from "../project/plan.ts";
import type { Project } from "../project/project.ts";
import { said, tokensOf } from "../project/tokens.ts";
import { renamedInJson } from "./config.ts";
import { kindOf } from "./kinds.ts";
import { migrateScript } from "./scripts.ts";
import { isIntegration, OUR_SDK, packageRemark, SUBPATHS, targetOf, V2_SDK } from "./v2-packages.ts";

export interface ManifestWish {
  /** How our SDK is called in imports. */
  sdk: string;
  version: string;
  /** Names of variables as they become. */
  variables: ReadonlyMap<string, string>;
}

const GROUPS = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] as const;
type Group = (typeof GROUPS)[number];
type Manifest = Partial<Record<Group | "scripts", Record<string, string>>>;

/** Each package of v2 it names, with its range. */
export function v2PackagesOf(text: string): { group: Group; name: string; range: string }[] {
  const manifest = (readJson(text) ?? {}) as Manifest;
  return GROUPS.flatMap((group) =>
    Object.entries(manifest[group] ?? {})
      .filter(([name, range]) => name.startsWith("@trigger.dev/") && typeof range === "string")
      .map(([name, range]) => ({ group, name, range })),
  );
}

export function migrateManifest(path: string, before: string, wish: ManifestWish): { text: string; remarks: Remark[] } {
  const found = v2PackagesOf(before);
  const remarks = found.flatMap(({ name, range }) => {
    const messages = [packageRemark(name), rangeRemark(name, range)].filter((message) => message !== undefined);
    return messages.map((message) => ({ path, line: lineOf(before, name), message }));
  });
  let text = before;
  for (const { group, name, range } of found) if (!isLocal(range)) text = replaced(text, { group, name }, wish);
  text = unpinned(text, wish);
  const scripts = (readJson(text) as Manifest | undefined)?.scripts ?? {};
  for (const [name, script] of Object.entries(scripts)) {
    const migrated = migrateScript(script);
    if (migrated.text !== script) text = setJson(text, ["scripts", name], migrated.text, path);
    for (const call of migrated.left)
      remarks.push({ path, line: lineOf(before, name), message: `holdfast has no command for: ${call}` });
  }
  return { text: renamedInJson(text, wish.variables), remarks: [...remarks, ...leftRemarks(path, text, wish)] };
}

/** Of a workspace, a folder or a repository: somebody's own. */
const isLocal = (range: string): boolean =>
  /^(?:(?:workspace|file|link|portal|git|github|git\+\w+|https?):|\.{0,2}\/)/.test(range);

function rangeRemark(name: string, range: string): string | undefined {
  if (packageRemark(name) || isIntegration(name)) return undefined;
  if (isLocal(range)) return `${name} comes from ${range}, and is left to you`;
  return range.startsWith("patch:") ? `the patch of ${name} is left out` : undefined;
}

const PINS = [["overrides"], ["resolutions"], ["pnpm", "overrides"]];

/** Pins of before would bring v2's SDK back, and npm installs nothing while one contradicts a dependency. */
function unpinned(text: string, { sdk, version }: ManifestWish): string {
  return PINS.reduce((now, place) => {
    const pins = place.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], readJson(now));
    return Object.entries((pins ?? {}) as Record<string, unknown>).reduce((then, [key, range]) => {
      const name = key.replace(/^\*\*\//, "");
      if (typeof range !== "string" || isLocal(range)) return then;
      if (name === V2_SDK && sdk === V2_SDK) return setJson(then, [...place, key], rangeOf(sdk, version));
      return name === V2_SDK || SUBPATHS[name] ? removeJson(then, [...place, key]) : then;
    }, now);
  }, text);
}

/** Names in other parts, as of patches, of peers' settings and of pins for one package. */
function leftRemarks(path: string, text: string, { sdk }: ManifestWish): Remark[] {
  const tokens = tokensOf(text);
  return tokens.flatMap((token, at) => {
    const [, name = "", version] = /^(@trigger\.dev\/[\w-]+)(@[^>]*)?$/.exec(said(token) ?? "") ?? [];
    const target = targetOf(name, sdk);
    const value = tokens[at + 1]?.text === ":" ? said(tokens[at + 2]) : undefined;
    const pinned = value !== undefined && value !== "*" && !isLocal(value) && !value.startsWith(`npm:${OUR_SDK}@`);
    if (target) return [{ path, line: token.line, message: `names ${name}, which is ${target} now` }];
    const old = name === V2_SDK && (version !== undefined || pinned);
    return old ? [{ path, line: token.line, message: `names ${name}${version ?? ` ${value}`}, which is replaced` }] : [];
  });
}

const CLI = "@trigger.dev/cli";

/** v2's CLI is taken out once no script, settings file or program names it any more. */
export function dropCli(draft: Draft, project: Project): void {
  const dropped = project.paths.flatMap((path) => {
    const before = (/(?:^|\/)package\.json$/.test(path) && draft.read(path)) || "";
    const groups = v2PackagesOf(before).filter(({ name, range }) => name === CLI && !isLocal(range));
    return groups.length ? [{ path, text: groups.reduce((now, { group }) => removeJson(now, [group, CLI], path), before) }] : [];
  });
  const texts = new Map(dropped.map(({ path, text }) => [path, text]));
  const named = project.paths.some(
    (path) => kindOf(path) && /@trigger\.dev\/cli|(?<![\w-])trigger-cli\b/.test(texts.get(path) ?? draft.read(path) ?? ""),
  );
  if (!named) for (const { path, text } of dropped) draft.edit(path, () => text);
}

/** It loads CommonJS only, and transforms nothing in node_modules unless told to. */
export function jestRemarks(project: Project): Remark[] {
  const isTold = project.paths
    .filter((path) => /(?:^|\/)(?:jest\.config\.\w+|package\.json)$/.test(path))
    .some((path) => /transformIgnorePatterns["']?\s*:\s*\[[^\]]*@(?:trigger|holdfast)/.test(project.read(path) ?? ""));
  if (isTold) return [];
  return project.paths.flatMap((path) => {
    const text = (path.endsWith("package.json") && project.read(path)) || "{}";
    const manifest = (readJson(text) ?? {}) as Manifest;
    if (!manifest.devDependencies?.jest && !manifest.dependencies?.jest) return [];
    const message = "Jest must transform our SDK, which is ES modules (docs/testing.md#jest)";
    return [{ path, line: lineOf(text, "jest"), message }];
  });
}

const lineOf = (text: string, key: string): number => text.slice(0, text.indexOf(JSON.stringify(key))).split("\n").length;

/** The SDK becomes ours; an adapter goes, for it is a part of ours. */
function replaced(text: string, { group, name }: { group: Group; name: string }, wish: ManifestWish): string {
  const { sdk } = wish;
  if (name === V2_SDK) return asked(name === sdk ? text : removeJson(text, [group, name]), group, wish);
  if (!SUBPATHS[name]) return text;
  const rest = removeJson(text, [group, name]);
  const manifest = readJson(rest) as Manifest;
  const there = GROUPS.some((each) => manifest[each]?.[sdk] ?? manifest[each]?.[V2_SDK]);
  return there ? rest : asked(rest, group, wish);
}

/** A peer can be no alias: pnpm refuses it. So the library has the alias itself, and takes whichever its user has. */
function asked(text: string, group: Group, { sdk, version }: ManifestWish): string {
  if (group !== "peerDependencies" || sdk !== V2_SDK) return setJson(text, [group, sdk], rangeOf(sdk, version));
  const peer = setJson(text, [group, sdk], "*");
  const manifest = readJson(peer) as Manifest;
  const there = GROUPS.some((each) => each !== group && manifest[each]?.[sdk]);
  return there ? peer : setJson(peer, ["devDependencies", sdk], rangeOf(sdk, version));
}
const rangeOf = (sdk: string, version: string): string => (sdk === V2_SDK ? aliasOf(version) : `^${version}`);

/** Which package the name of v2's SDK stands for. */
export const aliasOf = (version: string): string => `npm:${OUR_SDK}@^${version}`;
