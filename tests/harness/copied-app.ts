// Tests: user files copied unchanged to a place where `@trigger.dev/sdk` is the published package, or an alias of ours, and run there.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Program, ROOT, startProgram } from "./processes.ts";

const PUBLISHED = join(ROOT, "tests/published");

export type Mounting = "published" | "ours" | "ours-by-push";

export interface CopiedApp {
  mounting: Mounting;
  /** Files from the root; all are imported, and the first one exports the client. */
  files: readonly string[];
  env: Record<string, string>;
  /** Published integrations it uses ("openai"): copied too, so that their `@trigger.dev/sdk` is the app's. */
  integrations?: readonly string[];
  /** The folder whose node_modules it has. Default: tests/published. */
  home?: string;
}

const made = new Set<string>();

/** Copies and starts it; resolves once it has registered. */
export async function startCopiedApp(app: CopiedApp): Promise<Program> {
  const program = copyApp(app)();
  await program.says(/^registered$/m);
  return program;
}

/** Copies it; the answer starts it, as often as wanted, with more environment. */
export function copyApp(app: CopiedApp): (more?: Record<string, string>) => Program {
  const { mounting, files, env, integrations = [], home = PUBLISHED } = app;
  // Below its home, so that node finds the published packages in the node_modules there.
  const parent = join(home, ".work");
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, `${mounting}-`));
  made.add(directory);
  for (const file of files) copyFileSync(join(ROOT, file), join(directory, basename(file)));
  const mount = `mount-${mounting}.ts`;
  copyFileSync(join(PUBLISHED, mount), join(directory, mount));
  const imports = files.slice(1).map((file) => `import "./${basename(file)}";\n`);
  writeFileSync(join(directory, "jobs.ts"), `${imports.join("")}export { client } from "./${basename(files[0] ?? "")}";\n`);
  for (const name of integrations) {
    const from = join(home === PUBLISHED ? ROOT : home, "node_modules/@trigger.dev", name);
    const own = (path: string) => !path.startsWith(join(from, "node_modules/@trigger.dev"));
    cpSync(from, join(directory, "node_modules/@trigger.dev", name), { recursive: true, filter: own });
  }
  if (mounting !== "published") {
    mkdirSync(join(directory, "node_modules/@trigger.dev"), { recursive: true });
    symlinkSync(join(ROOT, "packages/sdk"), join(directory, "node_modules/@trigger.dev/sdk"), "dir");
  }
  return (more = {}) => startProgram(["--import", "tsx", join(directory, mount)], { env: { ...env, ...more } });
}

export function removeCopiedApps(): void {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
  made.clear();
}
