// Room: migrate. Astro alone writes every variable a program reads off `import.meta.env` into the build, where a `.env` file has it: the secret key, too.
// Called by migrate.ts, which asks whose file it is, and by source.ts. Promise: nothing is changed; what to write instead is told.
import { isOldAstro } from "../init/detect.ts";
import { readJson } from "../project/json-text.ts";
import type { Remark } from "../project/plan.ts";
import type { Project } from "../project/project.ts";
import { said, type Token } from "../project/tokens.ts";
import { kindOf } from "./kinds.ts";

/** Which Astro a file belongs to; before 5 there is no `astro:env`. Undefined: none. */
export type Astro = "old" | "current" | undefined;

/** By the package.json nearest to a file. */
export function astroOf(project: Project): (path: string) => Astro {
  const folders = project.paths
    .filter((path) => kindOf(path) === "manifest")
    .map((path) => ({ folder: path.slice(0, -"package.json".length), astro: astroIn(project.read(path) ?? "") }))
    .sort((one, other) => other.folder.length - one.folder.length);
  return (path) => folders.find(({ folder }) => path.startsWith(folder))?.astro;
}

function astroIn(manifest: string): Astro {
  const { dependencies, devDependencies } = (readJson(manifest) ?? {}) as Partial<Record<string, Record<string, string>>>;
  const range = dependencies?.astro ?? devDependencies?.astro;
  if (range === undefined) return undefined;
  return isOldAstro(range) ? "old" : "current";
}

/** Secrets, and where the server is; what is public may stand in a build. */
const OURS = /^(?:TRIGGER|HOLDFAST)_API_(?:KEY|URL)$/;

/** @param variables names as they become */
export function bakedRemarks(tokens: readonly Token[], astro: Astro, variables: ReadonlyMap<string, string>): Remark[] {
  if (!astro) return [];
  return tokens.flatMap((token, at) => {
    if (token.text !== "env" || !/^import\.meta\.env$/.test(joined(tokens.slice(at - 4, at + 1)))) return [];
    return namesAt(tokens, at).map(({ line, name }) => ({ line, message: messageOf(variables.get(name) ?? name, astro) }));
  });
}

const joined = (tokens: readonly Token[]): string => tokens.map(({ text }) => text).join("");

interface Named {
  line: number;
  name: string;
}

/** `env.A`, `env?.A`, `env["A"]`, `env?.["A"]`, and `{ A, B: c } = import.meta.env`. */
function namesAt(tokens: readonly Token[], env: number): Named[] {
  const open = tokens[env + 1]?.text === "?." && tokens[env + 2]?.text === "[" ? env + 2 : env + 1;
  const isRead = /^(?:\?\.|\.|\[)$/.test(tokens[open]?.text ?? "");
  const candidates = isRead ? tokens.slice(open + 1, open + 2) : destructured(tokens, env - 5);
  return candidates
    .map((token) => ({ line: token.line, name: said(token) ?? token.text }))
    .filter((named) => OURS.test(named.name));
}

/** What stands between the braces in front of an equals sign. */
function destructured(tokens: readonly Token[], equals: number): readonly Token[] {
  if (tokens[equals]?.text !== "=" || tokens[equals - 1]?.text !== "}") return [];
  const open = tokens.slice(0, equals).findLastIndex(({ text }) => text === "{");
  return tokens.slice(open + 1, equals - 1).filter((_token, at, all) => all[at - 1]?.text !== ":");
}

function messageOf(name: string, astro: Exclude<Astro, undefined>): string {
  const what = name.endsWith("KEY") ? "your secret key" : "the address";
  const instead =
    astro === "current"
      ? `write getSecret("${name}"), with import { getSecret } from "astro:env/server"`
      : `write process.env.${name}, and start the build with it: node --env-file=.env dist/server/entry.mjs`;
  return `astro build writes ${what} from .env into the build here, whatever the environment it is started in says: ${instead}`;
}
