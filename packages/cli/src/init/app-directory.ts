// Room: init. Where Remix and React Router look for an app's sources: "app", unless a settings file says `appDirectory`. Called by detect.ts.
// Promise: pure; read from tokens. A value that only the running program knows, or one outside of the project, is told and not guessed.
import { posix } from "node:path";
import type { Project } from "../project/project.ts";
import { said, type Token, tokensOf } from "../project/tokens.ts";

/** The files that may say it, the one that counts first: with Vite, Remix does not read its own. */
const SETTINGS = {
  remix: [/^vite\.config\.[cm]?[jt]s$/, /^remix\.config\.[cm]?[jt]s$/],
  "react-router": [/^react-router\.config\.[cm]?[jt]s$/],
};

export interface AppDirectory {
  /** From the project's root, without a slash at its end. */
  path: string;
  /** The file that says something else, which is not to be read off it. */
  unclear?: string;
}

export function appDirectoryOf(project: Project, framework: keyof typeof SETTINGS): AppDirectory {
  for (const name of SETTINGS[framework]) {
    const path = project.paths.find((each) => name.test(each));
    const values = path === undefined ? [] : valuesIn(tokensOf(project.read(path) ?? "", path));
    const [value, ...others] = [...new Set(values)];
    if (values.length === 0) continue;
    if (value !== undefined && others.length === 0) return { path: value };
    return { path: "app", ...(path ? { unclear: path } : {}) };
  }
  return { path: "app" };
}

/** Of `appDirectory: "src"`, and of `const appDirectory = "src"` where the setting is `{ appDirectory }`. Undefined: something else than a text. */
function valuesIn(tokens: readonly Token[]): (string | undefined)[] {
  const named = tokens.flatMap((token, at) => ((said(token) ?? token.text) === "appDirectory" ? [at] : []));
  const given = named.filter((at) => /^[:=]$/.test(tokens[at + 1]?.text ?? ""));
  const values = given.map((at) => (/^[,;})\]]$/.test(endOf(tokens, at + 2)) ? inside(said(tokens[at + 2])) : undefined));
  return named.length > 0 && values.length === 0 ? [undefined] : values;
}

/** What comes behind a text: a comma where the value is no more than that. On a line of its own something new begins. */
function endOf(tokens: readonly Token[], at: number): string {
  const [value, next] = [tokens[at], tokens[at + 1]];
  return !next || (value && next.line > value.line && next.kind === "name") ? ";" : next.text;
}

function inside(value: string | undefined): string | undefined {
  if (value === undefined || posix.isAbsolute(value)) return undefined;
  const path = posix.normalize(value).replace(/\/$/, "");
  return path === "" || path.startsWith("..") ? undefined : path;
}
