// Room: migrate. `holdfast migrate`: turns a project on Trigger.dev v2 over to our SDK, as a diff to say yes to. Called by program.ts.
// Promises: what does not carry over is named with file and line; a second time there is nothing to do; nothing is installed or sent anywhere.
import type { Context } from "../commands/context.ts";
import { detect, managerOf } from "../init/detect.ts";
import { devScript, ownCommand } from "../init/next-steps.ts";
import { CommandError, type ExitCode } from "../output/exit-codes.ts";
import { Draft, type Plan } from "../project/plan.ts";
import { type Above, type Project, partOf, projectAt, workspaceAbove } from "../project/project.ts";
import { type ProposeFlags, propose } from "../project/propose.ts";
import { astroOf } from "./astro.ts";
import { blocksOf } from "./blocks.ts";
import { migrateJson, migrateLines } from "./config.ts";
import { migrateEnvFile } from "./env-file.ts";
import { type Kind, kindOf } from "./kinds.ts";
import { dropCli, jestRemarks, type ManifestWish, migrateManifest, v2PackagesOf } from "./manifest.ts";
import { nodeRemarks } from "./node-version.ts";
import { override } from "./overrides.ts";
import { isReactRouter } from "./react-router.ts";
import { migrateSource, type SourceWish } from "./source.ts";
import { isIntegration, OUR_SDK, V2_SDK } from "./v2-packages.ts";
import { RENAMED } from "./variables.ts";

export interface MigrateFlags extends ProposeFlags {
  /** Imports name our SDK, instead of v2's name being an alias of it. */
  imports?: boolean;
  renameEnv?: boolean;
}

/** @param version of the SDK to depend on */
export async function migrate(context: Context, flags: MigrateFlags, version: string): Promise<ExitCode> {
  const project = projectAt(context.world.cwd);
  demandV2(project, flags);
  const above = workspaceAbove(context.world.cwd);
  const plan = planMigrate(project, flags, version, above);
  const manager = managerOf(project) ?? (above && managerOf(above)) ?? "npm";
  const how = flags.imports ? `imports of ${OUR_SDK}` : `${V2_SDK} as an alias of ${OUR_SDK}`;
  return propose(
    context,
    {
      plan,
      facts: { imports: flags.imports === true, renameEnv: flags.renameEnv === true, packageManager: manager },
      headline: `from Trigger.dev v2 to Holdfast: ${how}${flags.renameEnv ? ", variables renamed" : ""}`,
      next: [`${manager} install`, startStep(project, above), deployStep(flags), "what is different: docs/migrate-from-v2.md"],
    },
    flags,
  );
}

/** v2's SDK asked its cloud unless told otherwise, and keys of the cloud open nothing here. `holdfast dev` gives both. */
function deployStep({ renameEnv }: MigrateFlags): string {
  const prefix = renameEnv ? "HOLDFAST" : "TRIGGER";
  const renamed = renameEnv ? "rename the variables, and " : "";
  return `where the app is deployed: ${renamed}set ${prefix}_API_URL to your server, and ${prefix}_API_KEY (and public keys) to one of its dashboard`;
}

/** Where the jobs are served: at a workspace's root that has no v2 itself, in the one member that has, and a script to start it. */
function startStep(project: Project, above: Above | undefined): string {
  const command = (part: Project) => `npx holdfast dev ${ownCommand(part, detect(part, undefined, above ?? project))}`;
  const users = project.paths
    .filter((path) => kindOf(path) === "manifest" && v2PackagesOf(project.read(path) ?? "").some(({ name }) => name === V2_SDK))
    .map((path) => path.slice(0, -"package.json".length));
  if (users.includes("")) return command(project);
  const parts = users.map((folder) => ({ folder, part: partOf(project, folder) })).filter(({ part }) => devScript(part));
  const [only, ...others] = parts;
  return only && others.length === 0 ? `cd ${only.folder.slice(0, -1)} && ${command(only.part)}` : command(project);
}

/** Refuses a project that is none of v2's, or that cannot be turned over as wished. */
function demandV2(project: Project, { imports }: MigrateFlags): void {
  const manifests = project.paths
    .filter((path) => kindOf(path) === "manifest")
    .map((path) => ({ path, text: project.read(path) ?? "" }));
  const found = manifests.flatMap(({ path, text }) => v2PackagesOf(text).map((each) => ({ path, ...each })));
  const ours = manifests.some(({ text }) => text.includes(`"${OUR_SDK}"`));
  if (found.length === 0 && !ours) {
    throw new CommandError(
      "NOT_FOUND",
      "No package.json here names a package of Trigger.dev v2.",
      "For a new app: `holdfast init`.",
    );
  }
  const listed = catalogued(project.read("pnpm-workspace.yaml") ?? "");
  const ranges = found.filter(({ name }) => name === V2_SDK).map((each) => ({ ...each, range: listed(each.range) }));
  const later = ranges.find(({ range }) => /^[\^~>=v ]*[3-9]\b/.test(range));
  if (later) {
    const hint = ranges.length > 1 ? "Run the command in the folder of the package that is on v2." : undefined;
    const what = `${later.path} names ${later.name} ${later.range}: that is another product than v2.`;
    throw new CommandError("FAILED", what, hint);
  }
  const integration = found.find(({ name }) => isIntegration(name));
  if (imports && integration) {
    const why = `${integration.name} itself imports ${V2_SDK}, which must be the app's.`;
    throw new CommandError("USAGE", why, "Leave out --imports: the alias serves both.");
  }
}

/** pnpm: what a range of `catalog:` stands for. */
function catalogued(settings: string): (range: string) => string {
  const [, there] = /^[ \t]+["']?@trigger\.dev\/sdk["']?:[ \t]*["']?([^"'\s]+)/m.exec(settings) ?? [];
  return (range) => (range.startsWith("catalog:") ? (there ?? range) : range);
}

/** What a source must hold for anything to be said of it: most files of a project need not be read closely. */
const CONCERNED = /trigger/i;
/** What a file that cannot be read must hold for a person to look at it. */
const NAMED = /@trigger\.dev\/|TRIGGER_(?:PUBLIC_)?API_/;

/** What migrate would do to a project. */
export function planMigrate(project: Project, flags: MigrateFlags, version: string, above?: Above): Plan {
  const draft = new Draft(project);
  const sdk = flags.imports ? OUR_SDK : V2_SDK;
  const variables = flags.renameEnv ? RENAMED : new Map<string, string>();
  const wish = { sdk, variables, version };
  const [astroAt, isRouted] = [astroOf(project), isReactRouter(project)];
  const integrated: string[] = [];
  for (const path of project.paths) {
    const kind = kindOf(path);
    const before = kind && project.read(path);
    const why = kind && project.unread(path, NAMED);
    if (kind === "manifest" && v2PackagesOf(before ?? "").some(({ name }) => isIntegration(name))) integrated.push(path);
    if (PATCH.test(path)) draft.remark({ path, message: "is for a package that is replaced: take it out" });
    if (why) draft.remark({ path, message: `${why}, so it was left alone` });
    if (!kind || before === undefined || !CONCERNED.test(before)) continue;
    const { text, remarks } = MIGRATE[kind](path, before, { ...wish, astro: astroAt(path), reactRouter: isRouted(path) });
    draft.edit(path, () => text);
    for (const remark of remarks) draft.remark(remark);
  }
  for (const remark of [...jestRemarks(project), ...nodeRemarks(project)]) draft.remark(remark);
  dropCli(draft, project);
  override(draft, integrated, { project, above, version });
  return draft.plan;
}

/** Of `patch-package`, and of pnpm. */
const PATCH = /(?:^|\/)patches\/@trigger\.dev(?:\+|__)sdk\b[^/]*\.patch$/;

type Wish = ManifestWish & SourceWish;

const MIGRATE: Record<Kind, (path: string, text: string, wish: Wish) => { text: string; remarks: Plan["remarks"] }> = {
  manifest: migrateManifest,
  source: migrateSource,
  component: migrateComponent,
  env: (path, text, { variables }) => migrateEnvFile(path, text, variables),
  json: (path, text, { variables }) => migrateJson(path, text, variables),
  lines: (path, text, { variables }) => migrateLines(path, text, variables),
  prose: (path, text, { variables }) => ({ text, remarks: mentions(path, text, variables) }),
};

/** The programs of a component; what is around them is told. */
function migrateComponent(path: string, before: string, wish: Wish): { text: string; remarks: Plan["remarks"] } {
  const blocks = blocksOf(path, before);
  const remarks: Plan["remarks"] = [];
  let [text, around] = [before, before];
  for (const { start, end, ending } of blocks.reverse()) {
    const migrated = migrateSource(`${path}.${ending}`, before.slice(start, end), wish);
    const above = before.slice(0, start).split("\n").length - 1;
    remarks.push(...migrated.remarks.map((remark) => ({ ...remark, path, line: (remark.line ?? 1) + above })));
    text = text.slice(0, start) + migrated.text + text.slice(end);
    around = around.slice(0, start) + before.slice(start, end).replace(/[^\n]/g, " ") + around.slice(end);
  }
  return {
    text,
    remarks: [...remarks, ...mentions(path, around, wish.variables)].sort((one, other) => (one.line ?? 0) - (other.line ?? 0)),
  };
}

/** What is not read: a person must. */
function mentions(path: string, text: string, variables: ReadonlyMap<string, string>): Plan["remarks"] {
  return text.split("\n").flatMap((line, at) => {
    const variable = line.match(/\b[A-Z_]+\b/g)?.find((word) => variables.has(word));
    const found = /@trigger\.dev\/(?!cli)/.test(line) ? "@trigger.dev" : variable;
    return found ? [{ path, line: at + 1, message: `names ${found}, and is of a kind that is left to you` }] : [];
  });
}
