// Room: init. What a person does once init has written, and what of their project it must warn about. Called by init.ts. Promise: pure.
import { readJson } from "../project/json-text.ts";
import type { Plan, Remark } from "../project/plan.ts";
import type { Project } from "../project/project.ts";
import type { Setup } from "./detect.ts";
import { hasOwnServer, type Layout } from "./layout.ts";
import { registerRoute, routeCall, routesFileOf } from "./routes-file.ts";

/** What a server of ours needs beside the SDK. */
const PACKAGES = { express: ["express"], fastify: ["fastify"], hono: ["hono", "@hono/node-server"], node: [] };
const TYPES: Partial<Record<Setup["framework"], string>> = { express: "@types/express" };

/** Commands and lines, in their order. */
export function nextSteps(project: Project, setup: Setup, { layout, plan }: { layout: Layout; plan: Plan }): string[] {
  const { framework, manager, typescript, installed } = setup;
  const server = plan.changes.find(({ path, before }) => path === layout.server?.path && before === null);
  const missing = (names: readonly (string | undefined)[]) => names.filter((name) => name && !installed.has(name));
  const packages = missing(server && hasOwnServer(framework) ? PACKAGES[framework] : []);
  const types = missing(server && typescript ? ["@types/node", TYPES[framework]] : []);
  const add = manager === "npm" ? "npm install" : `${manager} add`;
  return [
    packages.length ? `${add} ${packages.join(" ")}` : `${manager} install`,
    ...(types.length ? [`${add} -D ${types.join(" ")}`] : []),
    `npx holdfast dev ${server?.path ?? devCommand(project, setup, plan)}`,
    `npx holdfast send hello --payload '{"name":"Ada"}'`,
  ];
}

/** The server that was changed, where no script starts the app. */
function devCommand(project: Project, setup: Setup, { changes }: Plan): string {
  const changed = changes.find(({ path, before }) => before !== null && /\.[cm]?[jt]s$/.test(path));
  return !devScript(project) && changed ? changed.path : ownCommand(project, setup);
}

/** What `holdfast dev` is given for the project's own script. */
export function ownCommand(project: Project, setup: Setup): string {
  const { manager } = setup;
  const runner = { npm: "npm run", pnpm: "pnpm", yarn: "yarn", bun: "bun run" }[manager];
  const script = devScript(project);
  const own = DEV_SERVERS[setup.framework] ?? "<the command that starts your app>";
  return `${appUrlFlag(project, setup)}-- ${script ? `${runner} ${script.name}` : own}`;
}

/** Where no script starts them. */
const DEV_SERVERS: Partial<Record<Setup["framework"], string>> = {
  next: "npx next dev",
  sveltekit: "npx vite dev",
  "react-router": "npx react-router dev",
  astro: "npx astro dev",
};

/** The script that starts the app while it is worked on. */
export function devScript(project: Project): { name: string; text: string } | undefined {
  const manifest = readJson(project.read("package.json") ?? "{}") as { scripts?: Record<string, string> } | undefined;
  const name = ["dev", "start:dev", "start"].find((one) => manifest?.scripts?.[one]);
  return name === undefined ? undefined : { name, text: String(manifest?.scripts?.[name]) };
}

/** The port a script names, if it names one. */
function portIn(script: string): string | undefined {
  const named = script.matchAll(/(?:(?:^|\s)(?:-p|--port)[\s=]+|\bPORT=)(\d+)\b/g);
  const ports = new Set([...named].map(([, port]) => port));
  return ports.size === 1 ? [...ports][0] : undefined;
}

/** Frameworks that load a route, and a changed one, only when it is asked for: `holdfast dev` asks where their dev server listens unless told otherwise. */
function appUrlFlag(project: Project, { framework, installed }: Setup): string {
  if (hasOwnServer(framework)) return "";
  const onVite = /^(?:sveltekit|react-router)$/.test(framework) || (framework === "remix" && installed.has("vite"));
  const usual = framework === "astro" ? 4321 : onVite ? 5173 : 3000;
  return `--app-url http://localhost:${portIn(devScript(project)?.text ?? "") ?? usual} `;
}

export function remarksOn(project: Project, { framework, appDirectory }: Setup, layout: Layout): Remark[] {
  return [
    ...sideEffects(project),
    ...(appDirectory.unclear ? [{ path: appDirectory.unclear, message: ELSEWHERE }] : []),
    ...(framework === "node" ? workspace(project) : []),
    ...(framework === "react-router" ? reactRouter(project, layout) : []),
    ...(framework === "astro" ? astroAdapter(project) : []),
  ];
}

const ELSEWHERE = "appDirectory is no plain text inside the project: move what is written to app/ there";

/** Apps of a workspace are its members, and what they are built with stands in their package.json. */
function workspace(project: Project): Remark[] {
  const members = project.paths.filter((path) => /.\/package\.json$/.test(path));
  const manifest = readJson(project.read("package.json") ?? "{}") as { workspaces?: unknown } | undefined;
  const root = manifest?.workspaces !== undefined || project.read("pnpm-workspace.yaml") !== undefined;
  if (!root || members.length === 0) return [];
  return [{ path: "package.json", message: "this is the root of a workspace: run `holdfast init` in the folder of the app" }];
}

function sideEffects(project: Project): Remark[] {
  const manifest = readJson(project.read("package.json") ?? "{}") as { sideEffects?: unknown } | undefined;
  if (manifest?.sideEffects !== false) return [];
  const message = '"sideEffects": false lets bundlers drop files that only define jobs; list the folder there instead.';
  return [{ path: "package.json", message }];
}

/** React Router takes routes from a file, unless that file reads them off the folder. */
function reactRouter(project: Project, { route }: Layout): Remark[] {
  if (registerRoute(project, route) !== undefined) return [];
  return [{ path: routesFileOf(project, route) ?? "routes.ts", message: `add the route: ${routeCall(route)}` }];
}

function astroAdapter(project: Project): Remark[] {
  const path = project.paths.find((each) => /^astro\.config\.[cm]?[jt]s$/.test(each));
  if (path && /\badapter\b/.test(project.read(path) ?? "")) return [];
  return [{ path: path ?? "astro.config.mjs", message: "routes that answer requests need an adapter: npx astro add node" }];
}
