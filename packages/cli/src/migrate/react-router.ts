// Room: migrate. What React Router's compiler refuses of a Remix route as v2's docs have it: `export const { action } = createRemixRoute(client)`, and jobs
// that stand in the route's file. Called by migrate.ts, which asks whose file it is, and by source.ts. Promise: the same names are exported as before.
import type { Import } from "../project/imports.ts";
import { readJson } from "../project/json-text.ts";
import type { Remark } from "../project/plan.ts";
import type { Project } from "../project/project.ts";
import type { Token } from "../project/tokens.ts";
import { kindOf } from "./kinds.ts";

/** Whether a file belongs to an app on React Router 7: by the package.json nearest to it, or the settings beside that. */
export function isReactRouter(project: Project): (path: string) => boolean {
  const folders = project.paths
    .filter((path) => kindOf(path) === "manifest")
    .map((path) => path.slice(0, -"package.json".length))
    .sort((one, other) => other.length - one.length);
  const answers = new Map(folders.map((folder) => [folder, isBuiltSo(project, folder)]));
  return (path) => answers.get(folders.find((folder) => path.startsWith(folder)) ?? "") ?? false;
}

function isBuiltSo({ read, paths }: Project, folder: string): boolean {
  const { dependencies, devDependencies } = (readJson(read(`${folder}package.json`) ?? "") ?? {}) as Record<string, object>;
  if ("@react-router/dev" in { ...dependencies, ...devDependencies }) return true;
  return paths.some((path) => path.startsWith(folder) && /^react-router\.config\.[cm]?[jt]s$/.test(path.slice(folder.length)));
}

interface Splice {
  start: number;
  end: number;
  text: string;
}

/** Declares first, and exports then. */
export function routeSplices(text: string, tokens: readonly Token[], imports: readonly Import[]): Splice[] {
  const makers = makersOf(imports);
  return tokens.flatMap((token, at) => {
    const [declares, open] = [tokens[at + 1], tokens[at + 2]];
    if (token.text !== "export" || declares?.text !== "const" || open?.text !== "{") return [];
    const close = tokens.findIndex((each, i) => i > at && each.text === "}");
    const [equals, maker] = [tokens[close + 1], tokens[close + 2]];
    const end = equals?.text === "=" && makers.has(maker?.text ?? "") ? endOfCall(tokens, close + 3) : undefined;
    if (!end) return [];
    const names = localsOf(tokens.slice(at + 3, close)).join(", ");
    const [newline, semicolon] = [text.includes("\r\n") ? "\r\n" : "\n", end.semicolon ? ";" : ""];
    return [
      { start: token.start, end: declares.start, text: "" },
      { start: end.at, end: end.at, text: `${newline}export { ${names} }${semicolon}` },
    ];
  });
}

/** How `createRemixRoute` is called there. */
const makersOf = (imports: readonly Import[]): Set<string> =>
  new Set(
    imports.flatMap(({ bindings }) =>
      bindings.filter(({ imported }) => imported === "createRemixRoute").map(({ local }) => local),
    ),
  );

/** Of `action, loader: get`: what is declared. */
const localsOf = (tokens: readonly Token[]): string[] =>
  tokens.filter(({ kind }, at) => kind === "name" && tokens[at + 1]?.text !== ":").map(({ text }) => text);

function endOfCall(tokens: readonly Token[], open: number): { at: number; semicolon: boolean } | undefined {
  if (tokens[open]?.text !== "(") return undefined;
  for (let at = open, depth = 0; at < tokens.length; at++) {
    if (tokens[at]?.text === "(") depth++;
    if (tokens[at]?.text !== ")" || --depth > 0) continue;
    const [last, next] = [tokens[at] as Token, tokens[at + 1]];
    if (next?.text === ";") return { at: next.start + 1, semicolon: true };
    return { at: last.start + 1, semicolon: false };
  }
  return undefined;
}

const JOBS =
  "React Router's compiler would give browsers what is named here: import the jobs in a file that exports the client, such as jobs/index.server.ts, and the client from there";

/** Jobs that are exported beside the route, as Remix wanted it, or imported for their effect. */
export function besideRemarks(imports: readonly Import[]): Remark[] {
  if (makersOf(imports).size === 0) return [];
  return imports
    .filter(({ how, bindings }) => how === "export" || (how === "import" && bindings.length === 0))
    .map(({ specifier }) => ({ line: specifier.line, message: JOBS }));
}
