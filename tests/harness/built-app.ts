// Tests: an app of tests/frameworks as its users have it: copied, built by its framework for production, started on a free port, registered by its URL as v2's CLI
// registered apps, and run there. On the published SDK as it is; on ours after `holdfast migrate`, with our packages under v2's name in its node_modules.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Api } from "./api.ts";
import { freePort } from "./free-port.ts";
import { ROOT, startProgram } from "./processes.ts";
import { DEV_KEY, PROD_KEY, type TestServer } from "./server.ts";
import { until } from "./until.ts";
import { callCli } from "./written-project.ts";

const FRAMEWORKS = join(ROOT, "tests/frameworks");

export type Sdk = "published" | "ours";

/** How an app of tests/frameworks is built and started. */
export interface Recipe {
  /** Its folder. */
  app: string;
  /** Where it is built and started, in a project of several packages. */
  at?: string;
  /** Packages of the project itself, which npm would link: name → folder. */
  workspaces?: Record<string, string>;
  /** For node, files in tests/frameworks/node_modules or the app. */
  build: readonly string[];
  start: readonly string[];
  env?: Record<string, string>;
}

export interface BuiltApp {
  /** Where it is served. */
  url: string;
  /** As its environment's key sees the server. */
  api: Api;
  stop(): Promise<unknown>;
}

const made = new Set<string>();

/** Installs the frameworks, if that was not done before. */
export async function installFrameworks(): Promise<void> {
  const installing = startProgram(["scripts/install.mjs", "tests/frameworks"]);
  const { code } = await installing.exited;
  if (code !== 0) throw new Error(`The frameworks could not be installed:\n${installing.output()}`);
}

/** Copies the app below tests/frameworks, so that it finds what is installed there, and turns it over to ours if wanted. */
export async function copyFrameworkApp({ app, workspaces = {} }: Recipe, sdk: Sdk): Promise<string> {
  const parent = join(FRAMEWORKS, ".work");
  mkdirSync(parent, { recursive: true });
  const directory = join(mkdtempSync(join(parent, `${sdk}-`)), app);
  made.add(dirname(directory));
  cpSync(join(FRAMEWORKS, app), directory, { recursive: true });
  for (const [name, folder] of Object.entries(workspaces)) {
    mkdirSync(dirname(join(directory, "node_modules", name)), { recursive: true });
    symlinkSync(join(directory, folder), join(directory, "node_modules", name), "dir");
  }
  if (sdk === "ours") await turnOver(directory);
  return directory;
}

async function turnOver(directory: string): Promise<void> {
  const { code, output } = await callCli(directory, "migrate", "--yes");
  if (code !== 0) throw new Error(`holdfast migrate failed:\n${output}`);
  const left = sourcesIn(directory).filter((path) => /"@trigger\.dev\/(?!sdk)/.test(readFileSync(path, "utf8")));
  if (left.length > 0) throw new Error(`These still name v2's adapters:\n${left.join("\n")}`);
  installOurs(directory);
}

/** As npm puts our SDK, asked for by v2's name: folders, not links, as bundlers treat the two differently. */
function installOurs(directory: string): void {
  const modules = join(directory, "node_modules");
  const from = createRequire(join(ROOT, "packages/sdk/package.json"));
  copyPackage(join(ROOT, "packages/sdk"), join(modules, "@trigger.dev/sdk"));
  copyPackage(join(ROOT, "packages/protocol"), join(modules, "@holdfast/protocol"));
  copyPackage(dirname(from.resolve("ws/package.json")), join(modules, "ws"));
  // The app has another zod.
  copyPackage(dirname(from.resolve("zod/package.json")), join(modules, "@holdfast/protocol/node_modules/zod"));
}

function copyPackage(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => !/^[/\\](?:node_modules|src|.*\.tsbuildinfo)/.test(path.slice(from.length)),
  });
}

function sourcesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : sourcesIn(path);
    return /\.(?:tsx?|json)$/.test(entry.name) ? [path] : [];
  });
}

/** Builds, starts and registers it: on the published SDK in development, on ours in production, so that both may run at once. */
export async function startBuiltApp(recipe: Recipe, sdk: Sdk, server: TestServer): Promise<BuiltApp> {
  const [key, environment] = sdk === "published" ? [DEV_KEY, "dev"] : [PROD_KEY, "prod"];
  const directory = await copyFrameworkApp(recipe, sdk);
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...{ TRIGGER_API_URL: server.url, TRIGGER_API_KEY: key, HOST: "127.0.0.1", PORT: port, ORIGIN: url },
    ...{ NEXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", ...recipe.env },
  };
  const cwd = join(directory, recipe.at ?? ".");
  const building = startProgram(located(recipe.build), { cwd, env });
  const { code } = await building.exited;
  if (code !== 0) throw new Error(`${recipe.app}, SDK ${sdk}, is not built:\n${building.output()}`);
  const app = startProgram(located(recipe.start), { cwd, env });
  await until(() => answers(url), { withinMs: 30_000, what: () => `${recipe.app}, SDK ${sdk}, to answer:\n${app.output()}` });
  const api = new Api(server.url, key, environment);
  await api.post("/api/v1/endpoints", { id: endpointId(cwd), url: `${url}/api/trigger` });
  return { url, api, stop: () => app.stop() };
}

/** What begins with the name of a package's file is in tests/frameworks/node_modules. */
const located = ([program = "", ...words]: readonly string[]): string[] => [
  program.startsWith("npm:") ? join(FRAMEWORKS, "node_modules", program.slice(4)) : program,
  ...words,
];

/** Where v2's CLI kept it. */
function endpointId(directory: string): string {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8"))["trigger.dev"].endpointId;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** Call in `afterAll`, after `cleanUp`. */
export function removeBuiltApps(): void {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
  made.clear();
}
