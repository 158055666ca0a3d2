// Room: init. Reads off a project what its framework, language and habits are. Called by init.ts. Promise: pure; a guess that is wrong can be
// overruled by --framework.

import { readJson } from "../project/json-text.ts";
import type { Project } from "../project/project.ts";
import { type AppDirectory, appDirectoryOf } from "./app-directory.ts";

export const FRAMEWORKS = ["next", "express", "fastify", "hono", "remix", "react-router", "sveltekit", "astro", "node"] as const;
export type Framework = (typeof FRAMEWORKS)[number];

export interface Setup {
  framework: Framework;
  typescript: boolean;
  /** "src/" where the project's code is there, else "". */
  src: "" | "src/";
  manager: "npm" | "pnpm" | "yarn" | "bun";
  /** Whether files of ours may say `import`. */
  modules: boolean;
  /** What relative imports end with: "", ".js" or ".ts". */
  importEnding: string;
  /** Ending of files we write. */
  ending: "ts" | "js";
  /** Everything package.json names. */
  installed: ReadonlySet<string>;
  /** Of Remix and React Router; "app" for all others, too. */
  appDirectory: AppDirectory;
  /** Astro before 5, whose programs know a `.env` file only as builds write it into them. */
  oldAstro: boolean;
}

interface Manifest {
  name?: string;
  type?: string;
  packageManager?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

// The first one whose package is there: what serves pages stands before what it may be built with.
const SIGNS: readonly (readonly [Framework, RegExp])[] = [
  ["next", /^next$/],
  ["react-router", /^@react-router\/dev$/],
  ["remix", /^@remix-run\/(?!router)/],
  ["sveltekit", /^@sveltejs\/kit$/],
  ["astro", /^astro$/],
  ["fastify", /^fastify$/],
  ["hono", /^hono$/],
  ["express", /^express$|^@nestjs\/platform-express$/],
];
/** These compile every file themselves, and find imports without an ending. */
const BUNDLED: ReadonlySet<Framework> = new Set(["next", "remix", "react-router", "sveltekit", "astro"]);

/** @param above the workspace it is a part of, whose package manager is its own, too */
export function detect(project: Project, wanted?: Framework, above?: Pick<Project, "read">): Setup {
  const manifest = (readJson(project.read("package.json") ?? "{}") ?? {}) as Manifest;
  const named = { ...manifest.dependencies, ...manifest.devDependencies };
  const installed = new Set(Object.keys(named));
  const framework = wanted ?? frameworkOf(project, installed);
  const typescript = installed.has("typescript") || project.paths.some((path) => TYPESCRIPT.test(path));
  const bundled = BUNDLED.has(framework);
  const esm = manifest.type === "module" || project.read("package.json") === undefined;
  return {
    framework,
    typescript,
    src: sourceFolder(project, framework),
    manager: managerOf(project) ?? (above && managerOf(above)) ?? "npm",
    modules: typescript || bundled || esm || saysImport(project),
    importEnding: bundled ? "" : importEnding(project, { typescript, esm }),
    ending: typescript ? "ts" : "js",
    installed,
    appDirectory: framework === "remix" || framework === "react-router" ? appDirectoryOf(project, framework) : { path: "app" },
    oldAstro: isOldAstro(named.astro),
  };
}

/** In a workspace what a member is built with may stand at the root: React Router's own settings tell, too. */
function frameworkOf({ paths }: Project, installed: ReadonlySet<string>): Framework {
  if (paths.some((path) => /^react-router\.config\.[cm]?[jt]s$/.test(path))) return "react-router";
  return SIGNS.find(([, sign]) => [...installed].some((name) => sign.test(name)))?.[0] ?? "node";
}

/** Before 5. A range that names no number counts as a current one. */
export const isOldAstro = (range = ""): boolean => Number(/\d+/.exec(range)?.[0] ?? 5) < 5;

/** The compiler may be the workspace's, and its settings have other names. */
const TYPESCRIPT = /^tsconfig[\w.-]*\.json$|^src\/(?:.*\/)?[^/]+(?<!\.d)\.[cm]?tsx?$/;
const CODE = /\.[cm]?[jt]sx?$/;

function sourceFolder(project: Project, framework: Framework): "" | "src/" {
  const below = framework === "next" ? /^src\/(?:app|pages)\// : /^src\//;
  return project.paths.some((path) => below.test(path) && CODE.test(path)) ? "src/" : "";
}

/** The package manager of a folder, by its package.json or its lock; undefined where neither tells. */
export function managerOf({ read }: Pick<Project, "read">, folder = ""): Setup["manager"] | undefined {
  const { packageManager } = (readJson(read(`${folder}package.json`) ?? "{}") ?? {}) as Manifest;
  const named = /^(npm|pnpm|yarn|bun)@/.exec(packageManager ?? "")?.[1] as Setup["manager"] | undefined;
  const has = (name: string) => read(`${folder}${name}`) !== undefined;
  if (named) return named;
  if (has("pnpm-lock.yaml")) return "pnpm";
  if (has("yarn.lock")) return "yarn";
  if (has("bun.lock") || has("bun.lockb")) return "bun";
  return has("package-lock.json") ? "npm" : undefined;
}

/** A package without "type" may still be compiled from modules. */
function saysImport(project: Project): boolean {
  return project.paths.some(
    (path) => /^(?:src\/)?[^/]+\.jsx?$/.test(path) && /^import\s.*from\s/m.test(project.read(path) ?? ""),
  );
}

/** What Node, tsc, tsx and ts-node all find. */
function importEnding(project: Project, { typescript, esm }: { typescript: boolean; esm: boolean }): string {
  if (!typescript) return ".js";
  const options = (readJson(project.read("tsconfig.json") ?? "{}") as { compilerOptions?: Record<string, unknown> })
    ?.compilerOptions;
  if (options?.allowImportingTsExtensions || options?.rewriteRelativeImportExtensions) return ".ts";
  return esm ? ".js" : "";
}

/** The client's id: the package's name, without its scope. */
export function appId(project: Project): string {
  const { name } = (readJson(project.read("package.json") ?? "{}") ?? {}) as Manifest;
  const id = (name ?? project.name)
    .replace(/^@[^/]*\//, "")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return id || "my-app";
}
