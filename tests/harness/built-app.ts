// Tests: an app of tests/frameworks as its users have it: copied, built by its framework for production, started on a free port, registered by its URL as v2's CLI
// registered apps, and run there. On the published SDK as it is; on ours after `holdfast migrate`, with our packages under v2's name in its node_modules.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Api } from "./api.ts";
import { freePort } from "./free-port.ts";
import { ROOT, startProgram } from "./processes.ts";
import { DEV_KEY, PROD_KEY, type TestServer } from "./server.ts";
import { until } from "./until.ts";
import { callCli } from "./written-project.ts";

const FRAMEWORKS = join(ROOT, "tests/frameworks");
/** Folders with a lock of their own. */
const INSTALLS = [".", "next-14", "react-router-7", "cloudflare"];

export type Sdk = "published" | "ours";

/** How an app of tests/frameworks is built and started. */
export interface Recipe {
  /** Its folder. */
  app: string;
  /** The folder whose packages it is built with, if not tests/frameworks itself: one with a lock of its own. */
  install?: string;
  /** Where it is built and started, in a project of several packages. */
  at?: string;
  /** Packages of the project itself, which npm would link: name → folder. */
  workspaces?: Record<string, string>;
  /** Clients it has beside the one its package.json names: id → the path each is served at. */
  mounts?: Record<string, string>;
  /** For node, files in the install's node_modules or the app. */
  build: readonly string[];
  start: readonly string[];
  env?: Record<string, string>;
}

export interface BuiltApp {
  /** Where it is served. */
  url: string;
  /** As its environment's key sees the server. */
  api: Api;
  /** Starts what was built once more, in another environment. */
  restart(env: Env): Promise<void>;
  stop(): Promise<unknown>;
}

type Env = Record<string, string>;

const made = new Set<string>();

/** `npm test` installs them before any test runs: two files that did so at once would be in each other's way. */
export function demandFrameworks(): void {
  for (const install of INSTALLS) {
    if (existsSync(join(FRAMEWORKS, install, "node_modules/.package-lock.json"))) continue;
    throw new Error(`Frameworks are not installed: node scripts/install.mjs ${join("tests/frameworks", install)}`);
  }
}

/** Copies the app below its install, so that it finds what is there, and turns it over to ours if wanted. */
async function copyFrameworkApp({ app, install = ".", workspaces = {} }: Recipe, sdk: Sdk): Promise<string> {
  const parent = join(FRAMEWORKS, install, ".work");
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
  installOurs(directory, "@trigger.dev/sdk");
}

/** As npm puts our SDK where it is asked for by this name: folders, not links, as bundlers treat the two differently. */
export function installOurs(directory: string, name: string): void {
  const modules = join(directory, "node_modules");
  const from = createRequire(join(ROOT, "packages/sdk/package.json"));
  copyPackage(join(ROOT, "packages/sdk"), join(modules, name));
  copyPackage(join(ROOT, "packages/protocol"), join(modules, "@holdfast/protocol"));
  copyPackage(dirname(from.resolve("ws/package.json")), join(modules, "ws"));
  copyPackage(dirname(from.resolve("@noble/hashes/hmac.js")), join(modules, "@noble/hashes"));
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
  const directory = join(await copyFrameworkApp(recipe, sdk), recipe.at ?? ".");
  const env = { TRIGGER_API_URL: server.url, TRIGGER_API_KEY: key, ...recipe.env };
  await build(directory, recipe.build, env, recipe.install);
  let running = await startBuild(directory, recipe.start, env, recipe.install);
  const api = new Api(server.url, key, environment);
  const mounts = { [endpointId(directory)]: "/api/trigger", ...recipe.mounts };
  for (const [id, path] of Object.entries(mounts)) await api.post("/api/v1/endpoints", { id, url: running.url + path });
  return {
    ...{ url: running.url, api },
    async restart(changed) {
      await running.stop();
      const port = new URL(running.url).port;
      running = await startBuild(directory, recipe.start, { ...env, ...changed, PORT: port }, recipe.install);
    },
    stop: () => running.stop(),
  };
}

/** Nothing of this goes out. */
const QUIET = { NEXT_TELEMETRY_DISABLED: "1", NEXT_IGNORE_INCORRECT_LOCKFILE: "1", ASTRO_TELEMETRY_DISABLED: "1" };

/** Runs a framework's production build to its end. */
export async function build(directory: string, words: readonly string[], env: Env = {}, install = "."): Promise<void> {
  const building = startProgram(located(words, install), { cwd: directory, env: { ...QUIET, ...env } });
  const { code } = await building.exited;
  if (code !== 0) throw new Error(`${directory} is not built:\n${building.output()}`);
}

/** Starts what was built, on PORT or a free one; resolves once its first page is served. */
export async function startBuild(directory: string, words: readonly string[], env: Env, install = ".") {
  const port = env.PORT ?? String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const place = { HOST: "127.0.0.1", PORT: port, ORIGIN: url };
  const app = startProgram(located(words, install), { cwd: directory, env: { ...QUIET, ...place, ...env } });
  await until(() => answers(url), { withinMs: 30_000, what: () => `${directory} to answer:\n${app.output()}` });
  return { url, stop: () => app.stop() };
}

/** A program whose name begins with npm: is a file of a package of the install. */
export const located = ([program = "", ...words]: readonly string[], install = "."): string[] => [
  program.startsWith("npm:") ? join(FRAMEWORKS, install, "node_modules", program.slice(4)) : program,
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
