// Room: project. Whether the compiler of a project finds our packages at all. Called by init and migrate. Promise: pure.
import { readJson } from "./json-text.ts";
import type { Remark } from "./plan.ts";
import type { Project } from "./project.ts";

/** TypeScript before 7 could be told to overlook a package's \`exports\`, where ours are. */
export function resolution(project: Project): Remark[] {
  const config = readJson(project.read("tsconfig.json") ?? "{}") as { compilerOptions?: Record<string, unknown> } | undefined;
  const { moduleResolution } = config?.compilerOptions ?? {};
  if (!/^(?:node|node10|classic)$/i.test(String(moduleResolution))) return [];
  const message = `"moduleResolution": "${moduleResolution}" finds no package with subpaths such as @holdfast/sdk/node; take "bundler" or "node16".`;
  return [{ path: "tsconfig.json", message }];
}
