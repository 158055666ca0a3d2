// Room: init. Registers the route in a React Router app's routes.ts: one entry at the end of the list, and the import it needs. Called by init.ts.
// Promise: where the default export is no list that is written out, or reads the folder itself, nothing is changed.
import { posix } from "node:path";
import { type Import, importsOf } from "../project/imports.ts";
import type { Project } from "../project/project.ts";
import { type Token, tokensOf } from "../project/tokens.ts";
import type { Mounting } from "./mount.ts";

const DEV_ROUTES = "@react-router/dev/routes";

/** The call that registers it, as a person would write it: files are named from the folder the list is in. */
export const routeCall = (route: string, name = "route"): string => `${name}("api/trigger", "routes/${posix.basename(route)}")`;

/** Where routes are listed: beside the folder the route is in. Undefined: nowhere. */
export function routesFileOf(project: Project, route: string): string | undefined {
  const listed = posix.join(posix.dirname(route), "../routes");
  return [`${listed}.ts`, `${listed}.js`].find((path) => project.paths.includes(path));
}

/** @param route the file that serves it. "absent": there is no list; undefined: it has to be done by hand */
export function registerRoute(project: Project, route: string): Mounting {
  const path = routesFileOf(project, route);
  const before = path && project.read(path);
  if (!path || before === undefined) return "absent";
  if (/\bflatRoutes\b|api\.trigger|api\/trigger/.test(before)) return "mounted";
  const tokens = tokensOf(before, path);
  const list = listOf(tokens);
  if (!list) return undefined;
  const { name, edit } = importOf(before, tokens);
  const text = edit(entered(before, list, routeCall(route, name)));
  return { path, text: before.includes("\r\n") ? text.replace(/\r?\n/g, "\r\n") : text };
}

interface List {
  /** What stands before its end. */
  last: Token;
  close: Token;
}

/** `export default [ … ]`, whatever type it is said to have. */
function listOf(tokens: readonly Token[]): List | undefined {
  const open = tokens.findIndex(
    ({ text }, at) => text === "[" && tokens[at - 1]?.text === "default" && tokens[at - 2]?.text === "export",
  );
  for (let at = open, depth = 0; open >= 0 && at < tokens.length; at++) {
    const [last, close] = [tokens[at - 1], tokens[at]];
    if (close?.text === "[") depth++;
    if (close?.text === "]" && --depth === 0 && last) return { last, close };
  }
  return undefined;
}

function entered(text: string, { last, close }: List, call: string): string {
  const end = last.start + last.text.length;
  const comma = /^[,[]$/.test(last.text) ? "" : ",";
  const lineStart = text.lastIndexOf("\n", close.start) + 1;
  const ownLine = lineStart > 0 && /^[ \t]*$/.test(text.slice(lineStart, close.start));
  const rest = text.slice(close.start);
  if (!ownLine) return `${text.slice(0, end)}${comma}${last.text === "[" ? "" : " "}${call}${rest}`;
  const indent = `${text.slice(lineStart, close.start)}${text.includes("\n\t") ? "\t" : "  "}`;
  const between = text.slice(end, lineStart);
  return `${text.slice(0, end)}${comma}${between}${indent}${call},\n${text.slice(lineStart, close.start)}${rest}`;
}

/** How `route` is called there, and what makes it so. The import stands before the list: edit it last. */
function importOf(text: string, tokens: readonly Token[]): { name: string; edit: (text: string) => string } {
  const imports = importsOf(tokens).filter(({ how, from }) => how === "import" && from === DEV_ROUTES);
  const there = imports.flatMap(({ bindings }) => bindings).find(({ imported }) => imported === "route");
  if (there) return { name: there.local, edit: (after) => after };
  const at = imports.map((each) => namesEnd(tokens, each)).find((end) => end !== undefined);
  if (at !== undefined) return { name: "route", edit: (after) => `${after.slice(0, at)}, route${after.slice(at)}` };
  const quote = /from\s+'/.test(text) ? "'" : '"';
  return { name: "route", edit: (after) => `import { route } from ${quote}${DEV_ROUTES}${quote};\n${after}` };
}

/** Behind the last name of `import { a, type B } from`; undefined for `import type`, which brings no values. */
function namesEnd(tokens: readonly Token[], { specifier }: Import): number | undefined {
  const from = tokens.indexOf(specifier) - 1;
  const open = tokens.slice(0, from).findLastIndex(({ text }) => text === "{");
  const close = tokens.slice(0, from).findLastIndex(({ text }) => text === "}");
  if (open < 0 || close < open || tokens[open - 1]?.text !== "import") return undefined;
  const last = tokens[close - 1]?.text === "," ? tokens[close - 2] : tokens[close - 1];
  return last && last.text !== "{" ? last.start + last.text.length : undefined;
}
