// Tests: `holdfast dev` as a program of its own, in a folder below the repository, so that apps in it find the packages of the workspace.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Api } from "./api.ts";
import { freshDirectory, type Program, ROOT, startProgram } from "./processes.ts";
import { CLI } from "./server.ts";
import { until } from "./until.ts";

export interface Dev {
  program: Program;
  url: string;
  key: string;
  api: Api;
  dataDir: string;
}

const projects = new Set<string>();

/** A fresh folder with these files. @param below a folder of the repository: which packages its files find */
export function freshProject(files: Record<string, string>, below = "tests"): string {
  const parent = join(ROOT, below, ".work");
  mkdirSync(parent, { recursive: true });
  const project = mkdtempSync(join(parent, "dev-"));
  projects.add(project);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  return project;
}

/** Call in `afterAll`, after `cleanUp`. */
export function removeProjects(): void {
  for (const project of projects) rmSync(project, { recursive: true, force: true });
  projects.clear();
}

/** Runs `holdfast dev <words>` in a folder, on any free port and fresh data; resolves once its server answers. */
export async function startDev(project: string, words: string[], env: Record<string, string> = {}): Promise<Dev> {
  const dataDir = freshDirectory();
  const program = startProgram([CLI, "dev", "--port", "0", "--data-dir", dataDir, ...words], { cwd: project, env });
  const [, url = ""] = await program.says(/server {5}(http\S+)/, 60_000);
  const { key } = await until(() => serverFile(dataDir), { what: () => `server.json:\n${program.output()}` });
  return { program, url, key, api: new Api(url, key), dataDir };
}

function serverFile(dataDir: string): { url: string; key: string } | null {
  try {
    return JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8"));
  } catch {
    return null;
  }
}
