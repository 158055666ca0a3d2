// Room: init. Mounts the route in the user's own server: one import and one line behind the statement that makes the app. Called by init.ts.
// Promise: where that statement is not found beyond doubt, nothing is changed.
import { type Import, importsOf } from "../project/imports.ts";
import type { Project } from "../project/project.ts";
import { type Token, tokensOf } from "../project/tokens.ts";
import type { Setup } from "./detect.ts";
import { type OwnServer, specifier } from "./layout.ts";
import { imported, MOUNTED, SERVERS } from "./templates.ts";

export interface Mount {
  path: string;
  text: string;
}

/** "mounted": done before. "absent": no source imports the framework. Undefined: found no place, or several. */
export type Mounting = Mount | "mounted" | "absent" | undefined;

const SOURCE = /(?<!\.(?:test|spec|d))\.[cm]?[jt]s$/;

export function mountRoute(project: Project, setup: Setup & { framework: OwnServer }, route: string): Mounting {
  const sources = project.paths
    .filter((path) => SOURCE.test(path) && path !== route)
    .map((path) => readSource(project, path))
    .filter(({ imports }) => imports.some(({ from }) => from === setup.framework || from === `@holdfast/sdk/${setup.framework}`));
  if (sources.length === 0) return "absent";
  if (sources.some(({ tokens }) => tokens.some(({ text }) => text === MOUNTED))) return "mounted";
  if (sources.some(({ imports }) => imports.some(({ from }) => from.startsWith("@holdfast/sdk/")))) return "mounted";
  const places = sources.flatMap((source) => placesIn(source, setup.framework).map((place) => ({ ...source, place })));
  const [only] = places;
  if (!only || places.length !== 1) return undefined;
  const text = mounted(only, setup, route);
  return { path: only.path, text: only.text.includes("\r\n") ? text.replace(/\r?\n/g, "\r\n") : text };
}

interface Source {
  path: string;
  text: string;
  tokens: Token[];
  imports: Import[];
}

function readSource(project: Project, path: string): Source {
  const text = project.read(path) ?? "";
  const tokens = tokensOf(text, path);
  return { path, text, tokens, imports: importsOf(tokens) };
}

/** Where an app was made: its name, and the end of the statement. */
interface Place {
  app: string;
  /** Where the statement begins and ends. */
  start: number;
  end: number;
  semicolon: string;
}

/** Statements like `const app = express()`, `const app: Express = express();`, `const app = new Hono<Env>()`. */
function placesIn({ tokens, imports }: Source, framework: OwnServer): Place[] {
  const makers = new Set(
    imports.filter(({ from }) => from === framework).flatMap(({ bindings }) => bindings.map(({ local }) => local)),
  );
  return tokens.flatMap((token, at) => {
    if (token.text !== "=") return [];
    const maker = tokens[at + 1]?.text === "new" ? at + 2 : at + 1;
    const open = tokens[maker + 1]?.text === "<" ? matching(tokens, maker + 1, "<>") + 1 : maker + 1;
    if (!makers.has(tokens[maker]?.text ?? "") || tokens[open]?.text !== "(") return [];
    const keyword = tokens.slice(0, at).findLastIndex(({ text }) => /^(?:const|let|var)$/.test(text));
    const end = statementEnd(tokens, matching(tokens, open, "()"));
    const [declared, app] = [tokens[keyword], tokens[keyword + 1]];
    const plain = tokens.slice(keyword, at).every(({ text }) => !/^[;{}()]$/.test(text));
    return declared && app?.kind === "name" && plain && end ? [{ app: app.text, start: declared.start, ...end }] : [];
  });
}

function matching(tokens: readonly Token[], open: number, [opens, closes]: string): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]?.text === opens) depth++;
    if (tokens[at]?.text === closes && --depth === 0) return at;
  }
  return tokens.length;
}

/** Undefined when the statement goes on, as `express().use(…)` does. */
function statementEnd(tokens: readonly Token[], close: number): { end: number; semicolon: string } | undefined {
  const [last, next] = [tokens[close], tokens[close + 1]];
  if (!last) return undefined;
  if (next?.text === ";") return { end: next.start + 1, semicolon: ";" };
  const ends = !next || (next.line > last.line && !/^[.([`?+\-*/,]/.test(next.text));
  return ends ? { end: last.start + 1, semicolon: "" } : undefined;
}

function mounted(
  { path, text, tokens, imports, place }: Source & { place: Place },
  setup: Setup & { framework: OwnServer },
  route: string,
): string {
  const lineStart = text.lastIndexOf("\n", place.start) + 1;
  const indent = /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? "";
  const call = (SERVERS[setup.framework].mounted ?? "").replace(/^app/, place.app);
  const last = imports.findLast(({ how }) => how === "import");
  const modules = last !== undefined || setup.typescript;
  const line = imported({ ...setup, modules }, MOUNTED, specifier(path, route, setup)).replace(/;\n$/, `${place.semicolon}\n`);
  const withCall = `${text.slice(0, place.end)}\n${indent}${call}${place.semicolon}${text.slice(place.end)}`;
  if (!last) return `${withCall.slice(0, lineStart)}${indent}${line}${withCall.slice(lineStart)}`;
  const at = tokens.findIndex(({ start }) => start > last.specifier.start);
  const behind = tokens[at]?.text === ";" ? (tokens[at]?.start ?? 0) + 1 : last.specifier.start + last.specifier.text.length;
  return `${withCall.slice(0, behind)}\n${line.trimEnd()}${withCall.slice(behind)}`;
}
