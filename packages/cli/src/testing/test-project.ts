// For tests of init and migrate: a project made of plain texts, and a folder on disk with the same.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plan } from "../project/plan.ts";
import type { Project } from "../project/project.ts";

export type Texts = Readonly<Record<string, string>>;

export function projectOf(texts: Texts, name = "shop"): Project {
  return { name, paths: Object.keys(texts).sort(), read: (path) => texts[path], unread: () => undefined };
}

/** The project as it is once the plan is applied. */
export function appliedTo(texts: Texts, { changes }: Plan): Record<string, string> {
  return { ...texts, ...Object.fromEntries(changes.map(({ path, after }) => [path, after])) };
}

export function writeProject(directory: string, texts: Texts): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}
