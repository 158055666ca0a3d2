// Room: init. `holdfast init`: the client, a first job and the route for the framework at hand, as a diff to say yes to. Called by program.ts.
// Promises: nothing that is there is overwritten; a second time there is nothing to do; nothing is installed or sent anywhere.
import { parseEnv } from "node:util";
import type { Context } from "../commands/context.ts";
import { OUR_SDK, V2_SDK } from "../migrate/v2-packages.ts";
import { CommandError, type ExitCode } from "../output/exit-codes.ts";
import { readJson, setJson } from "../project/json-text.ts";
import { Draft, type Plan } from "../project/plan.ts";
import { type Project, projectAt, workspaceAbove } from "../project/project.ts";
import { type ProposeFlags, propose } from "../project/propose.ts";
import { appId, detect, FRAMEWORKS, type Framework, type Setup } from "./detect.ts";
import { hasOwnServer, type Layout, layoutOf } from "./layout.ts";
import { mountRoute } from "./mount.ts";
import { nextSteps, remarksOn } from "./next-steps.ts";
import { registerRoute } from "./routes-file.ts";

export interface InitFlags extends ProposeFlags {
  framework?: string;
}

/** @param version of the SDK to depend on */
export async function init(context: Context, flags: InitFlags, version: string): Promise<ExitCode> {
  const project = projectAt(context.world.cwd);
  const wanted = flags.framework === undefined ? undefined : toFramework(flags.framework);
  const jobs = jobsThere(project);
  if (jobs === "v2") throw onV2();
  const setup = detect(project, wanted, workspaceAbove(context.world.cwd));
  const layout = layoutOf(project, setup);
  const plan = jobs === "turned over" ? turnedOver() : planInit(project, { setup, layout, version });
  const { framework, typescript, manager } = setup;
  const language = typescript ? "TypeScript" : "JavaScript";
  return propose(
    context,
    {
      plan,
      facts: { framework, typescript, packageManager: manager, route: layout.route },
      headline: `${framework}, ${language}, ${manager}; another framework: --framework ${FRAMEWORKS.join("|")}`,
      next: nextSteps(project, setup, { layout, plan }),
    },
    flags,
  );
}

/** Trigger.dev from 3 on, which is another thing under the same name. */
const LATER = /^[\^~>=v ]*(?:[3-9]|\d{2,})(?:\.|$)|^v4-|^latest$/;

/** A second client beside v2's would take its route, and be another copy of the SDK. */
function jobsThere(project: Project): "v2" | "turned over" | undefined {
  const { dependencies, devDependencies } = (readJson(project.read("package.json") ?? "{}") ?? {}) as Partial<
    Record<string, Record<string, string>>
  >;
  const range = dependencies?.[V2_SDK] ?? devDependencies?.[V2_SDK];
  if (range === undefined || LATER.test(range)) return undefined;
  return String(range).startsWith(`npm:${OUR_SDK}@`) ? "turned over" : "v2";
}

function onV2(): CommandError {
  return new CommandError(
    "FAILED",
    "This app has its jobs on Trigger.dev v2.",
    "`holdfast migrate` turns it over, and keeps them.",
  );
}

function turnedOver(): Plan {
  const message = "this app was turned over by `holdfast migrate`: its client, its route and its jobs are there already";
  return { changes: [], conflicts: [], remarks: [{ path: "package.json", message }] };
}

function toFramework(name: string): Framework {
  const known = FRAMEWORKS.find((each) => each === name);
  if (known) return known;
  throw new CommandError("USAGE", `--framework does not know "${name}".`, `It takes one of ${FRAMEWORKS.join(", ")}.`);
}

/** What init would do to a project. */
export function planInit(project: Project, { setup, layout, version }: { setup: Setup; layout: Layout; version: string }): Plan {
  const draft = new Draft(project);
  for (const { path, text } of layout.files) draft.create(path, text);
  mount(draft, project, { setup, layout });
  addDependency(draft, project, version);
  addEnv(draft, setup);
  const ignored = project.read(".gitignore");
  if (ignored !== undefined && !/^\/?\.holdfast\/?\s*$/m.test(ignored))
    draft.edit(".gitignore", (text) => appended(text, ".holdfast/\n"));
  for (const remark of remarksOn(project, setup, layout)) draft.remark(remark);
  return draft.plan;
}

function mount(draft: Draft, project: Project, { setup, layout }: { setup: Setup; layout: Layout }): void {
  const { framework } = setup;
  if (framework === "react-router") listRoute(draft, project, layout);
  if (!hasOwnServer(framework) || !layout.server) return;
  const mounting = framework === "node" ? "absent" : mountRoute(project, { ...setup, framework }, layout.route);
  if (mounting === "absent") draft.create(layout.server.path, layout.server.text);
  else if (mounting === undefined) draft.remark({ message: layout.byHand });
  else if (mounting !== "mounted") draft.edit(mounting.path, () => mounting.text);
}

/** Where that cannot be done, a remark says what to write. */
function listRoute(draft: Draft, project: Project, { route }: Layout): void {
  const listed = registerRoute(project, route);
  if (typeof listed === "object") draft.edit(listed.path, () => listed.text);
}

/** An older range of ours is left alone: whoever wrote it may have reasons. */
function addDependency(draft: Draft, project: Project, version: string): void {
  const manifest = project.read("package.json");
  if (manifest === undefined) {
    const fresh = { name: appId(project), private: true, type: "module", dependencies: { "@holdfast/sdk": `^${version}` } };
    draft.create("package.json", `${JSON.stringify(fresh, null, 2)}\n`);
  } else if (!/"@holdfast\/sdk"\s*:/.test(manifest)) {
    draft.edit("package.json", (text) => setJson(text, ["dependencies", "@holdfast/sdk"], `^${version}`));
  }
}

const ENV = { HOLDFAST_API_URL: "http://localhost:3040", HOLDFAST_API_KEY: "" };

/** Next.js keeps what differs between machines in `.env.local`, and out of git. */
function addEnv(draft: Draft, { framework }: Setup): void {
  const there = [".env", ".env.local"].map((name) => parseEnv(draft.read(name) ?? ""));
  const missing = Object.entries(ENV).filter(
    ([name]) => !there.some((values) => name in values || name.replace("HOLDFAST", "TRIGGER") in values),
  );
  if (missing.length === 0) return;
  const lines = missing.map(([name, value]) => `${name}=${value}\n`).join("");
  const path = framework === "next" ? ".env.local" : ".env";
  draft.edit(path, (text) =>
    appended(
      text,
      `# Holdfast: \`holdfast dev\` sets these for the program it starts; elsewhere the key is on the dashboard.\n${lines}`,
    ),
  );
}

function appended(text: string, lines: string): string {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  return `${text}${text === "" || text.endsWith("\n") ? "" : newline}${lines.replaceAll("\n", newline)}`;
}
