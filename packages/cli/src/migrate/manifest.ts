// Room: migrate. One package.json: which packages of v2 are replaced, and the scripts. Called by migrate.ts.
// Promises: formatting stays; the block "trigger.dev", which names the endpoint, stays; integrations stay, and get the same SDK as the app.
import { readJson, removeJson, setJson } from "../project/json-text.ts";
import type { Remark } from "../project/plan.ts";
import { renamedInJson } from "./config.ts";
import { migrateScript } from "./scripts.ts";
import { isIntegration, OUR_SDK, packageRemark, SUBPATHS, V2_SDK } from "./v2-packages.ts";

export interface ManifestWish {
  /** How our SDK is called in imports. */
  sdk: string;
  version: string;
  manager: "npm" | "pnpm" | "yarn" | "bun";
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
  const remarks = found.flatMap(({ name }) => {
    const message = packageRemark(name);
    return message ? [{ path, line: lineOf(before, name), message }] : [];
  });
  let text = before;
  for (const { group, name } of found) text = replaced(text, { group, name }, wish);
  if (found.some(({ name }) => isIntegration(name))) text = forced(text, wish);
  const scripts = (readJson(text) as Manifest | undefined)?.scripts ?? {};
  for (const [name, script] of Object.entries(scripts)) {
    const migrated = migrateScript(script);
    if (migrated.text !== script) text = setJson(text, ["scripts", name], migrated.text, path);
    for (const call of migrated.left)
      remarks.push({ path, line: lineOf(before, name), message: `holdfast has no command for: ${call}` });
  }
  return { text: renamedInJson(text, wish.variables), remarks };
}

const lineOf = (text: string, key: string): number => text.slice(0, text.indexOf(JSON.stringify(key))).split("\n").length;

/** The SDK becomes ours; an adapter goes, for it is a part of ours. */
function replaced(text: string, { group, name }: { group: Group; name: string }, { sdk, version }: ManifestWish): string {
  if (name === V2_SDK) {
    return setJson(name === sdk ? text : removeJson(text, [group, name]), [group, sdk], rangeOf(sdk, version));
  }
  if (!SUBPATHS[name]) return text;
  const rest = removeJson(text, [group, name]);
  const manifest = readJson(rest) as Manifest;
  const there = GROUPS.some((each) => manifest[each]?.[sdk] ?? manifest[each]?.[V2_SDK]);
  return there ? rest : setJson(rest, [group, sdk], rangeOf(sdk, version));
}
const rangeOf = (sdk: string, version: string): string => (sdk === V2_SDK ? `npm:${OUR_SDK}@^${version}` : `^${version}`);

/** Integrations ask for v2's SDK of their own; both must be one, or each has its own types and clocks. */
function forced(text: string, { version, manager }: ManifestWish): string {
  const place = { npm: ["overrides"], bun: ["overrides"], yarn: ["resolutions"], pnpm: ["pnpm", "overrides"] }[manager];
  return setJson(text, [...place, V2_SDK], rangeOf(V2_SDK, version));
}
