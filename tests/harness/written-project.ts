// Tests: projects as people have them, written below the repository so that they find its packages, for `holdfast init` and `migrate`.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freshProject } from "./dev.ts";
import { startProgram } from "./processes.ts";
import { CLI } from "./server.ts";

export type Texts = Readonly<Record<string, string>>;

export function writeFiles(directory: string, texts: Texts): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** A fresh folder named "app", removed by `removeProjects`. */
export function writtenProject(texts: Texts): string {
  const directory = join(freshProject({}), "app");
  writeFiles(directory, { ...texts, "README.md": "# App\n" });
  return directory;
}

/** Runs a command of the CLI there to its end. */
export async function callCli(directory: string, ...words: string[]): Promise<{ code: number | null; output: string }> {
  const program = startProgram([CLI, ...words], { cwd: directory });
  const { code } = await program.exited;
  return { code, output: program.output() };
}
