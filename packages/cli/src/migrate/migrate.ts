// Room: migrate. `holdfast migrate`: turns a project on Trigger.dev v2 over to our SDK, as a diff to say yes to. Called by program.ts.
// Promises: what does not carry over is named with file and line; a second time there is nothing to do; nothing is installed or sent anywhere.
import type { Context } from "../commands/context.ts";
import { detect } from "../init/detect.ts";
import { CommandError, type ExitCode } from "../output/exit-codes.ts";
import { Draft, type Plan } from "../project/plan.ts";
import { type Project, projectAt } from "../project/project.ts";
import { type ProposeFlags, propose } from "../project/propose.ts";
import { migrateEnvFile } from "./env-file.ts";
import { migrateManifest, v2PackagesOf } from "./manifest.ts";
import { migrateSource } from "./source.ts";
import { isIntegration, OUR_SDK, V2_SDK } from "./v2-packages.ts";

export interface MigrateFlags extends ProposeFlags {
  /** Imports name our SDK, instead of v2's name being an alias of it. */
  imports?: boolean;
  renameEnv?: boolean;
}

/** @param version of the SDK to depend on */
export async function migrate(context: Context, flags: MigrateFlags, version: string): Promise<ExitCode> {
  const project = projectAt(context.world.cwd);
  demandV2(project, flags);
  const plan = planMigrate(project, flags, version);
  const { manager } = detect(project);
  const how = flags.imports ? `imports of ${OUR_SDK}` : `${V2_SDK} as an alias of ${OUR_SDK}`;
  return propose(
    context,
    {
      plan,
      facts: { imports: flags.imports === true, renameEnv: flags.renameEnv === true, packageManager: manager },
      headline: `from Trigger.dev v2 to Holdfast: ${how}${flags.renameEnv ? ", variables renamed" : ""}`,
      next: [
        `${manager} install`,
        `npx holdfast dev -- ${manager === "npm" ? "npm run" : manager} dev`,
        ...(flags.renameEnv ? ["rename TRIGGER_API_KEY and TRIGGER_API_URL where the app is deployed, too"] : []),
        "what is different: docs/migrate-from-v2.md",
      ],
    },
    flags,
  );
}

/** Refuses a project that is none of v2's, or that cannot be turned over as wished. */
function demandV2(project: Project, { imports }: MigrateFlags): void {
  const manifests = project.paths.filter(isManifest).map((path) => ({ path, text: project.read(path) ?? "" }));
  const found = manifests.flatMap(({ path, text }) => v2PackagesOf(text).map((each) => ({ path, ...each })));
  const ours = manifests.some(({ text }) => text.includes(`"${OUR_SDK}"`));
  if (found.length === 0 && !ours) {
    throw new CommandError(
      "NOT_FOUND",
      "No package.json here names a package of Trigger.dev v2.",
      "For a new app: `holdfast init`.",
    );
  }
  const later = found.find(({ name, range }) => name === V2_SDK && /^[\^~>=v ]*[3-9]\b/.test(range));
  if (later)
    throw new CommandError("FAILED", `${later.path} names ${later.name} ${later.range}: that is another product than v2.`);
  const integration = found.find(({ name }) => isIntegration(name));
  if (imports && integration) {
    const why = `${integration.name} itself imports ${V2_SDK}, which must be the app's.`;
    throw new CommandError("USAGE", why, "Leave out --imports: the alias serves both.");
  }
}

const isManifest = (path: string): boolean => /(?:^|\/)package\.json$/.test(path);
const isSource = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path);
const isEnvFile = (path: string): boolean => /(?:^|\/)\.env(?:\.[\w.-]+)?$/.test(path);
/** What a source must hold for anything to be said of it: most files of a project need not be read closely. */
const CONCERNED = /trigger/i;
/** Read by people and programs we know too little of. */
const isOther = (path: string): boolean =>
  /\.(?:vue|svelte|astro|mdx|ya?ml|toml|json|sh)$|(?:^|\/)Dockerfile[^/]*$/.test(path) &&
  !/(?:^|\/)(?:package|package-lock)\.json$|lock\.ya?ml$/.test(path);

const RENAMED = new Map([
  ["TRIGGER_API_KEY", "HOLDFAST_API_KEY"],
  ["TRIGGER_API_URL", "HOLDFAST_API_URL"],
]);

/** What migrate would do to a project. */
export function planMigrate(project: Project, flags: MigrateFlags, version: string): Plan {
  const draft = new Draft(project);
  const sdk = flags.imports ? OUR_SDK : V2_SDK;
  const variables = flags.renameEnv ? RENAMED : new Map<string, string>();
  const { manager } = detect(project);
  for (const path of project.paths) {
    const before = project.read(path) ?? "";
    if (isManifest(path)) take(draft, path, migrateManifest(path, before, { sdk, version, manager }));
    else if (isSource(path) && CONCERNED.test(before)) take(draft, path, migrateSource(path, before, { sdk, variables }));
    else if (isEnvFile(path)) take(draft, path, { text: migrateEnvFile(before, variables), remarks: [] });
    else if (isOther(path)) take(draft, path, { text: before, remarks: mentions(path, before, flags) });
  }
  return draft.plan;
}

function take(draft: Draft, path: string, { text, remarks }: { text: string; remarks: Plan["remarks"] }): void {
  draft.edit(path, () => text);
  for (const remark of remarks) draft.remark(remark);
}

/** Files that are not read: a person must. */
function mentions(path: string, text: string, { renameEnv }: MigrateFlags): Plan["remarks"] {
  const sign = renameEnv ? /@trigger\.dev\/|\bTRIGGER_API_(?:KEY|URL)\b/ : /@trigger\.dev\/(?!cli)/;
  return text.split("\n").flatMap((line, at) => {
    const found = sign.exec(line)?.[0].replace(/\/$/, "");
    return found ? [{ path, line: at + 1, message: `names ${found}, and is of a kind that is left to you` }] : [];
  });
}
