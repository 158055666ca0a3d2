// Room: migrate. Names of environment variables, as v2's docs have them and as they become, and where in a line of text a name stands for a variable.
// Called by the other files of the room. Promise: a name in prose, in a path or in another name is none.

/** What bundlers want in front of a variable before they show it to pages. */
const PREFIXES = ["", "NEXT_PUBLIC_", "VITE_", "PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "GATSBY_"];

/** With --rename-env. */
export const RENAMED: ReadonlyMap<string, string> = new Map(
  PREFIXES.flatMap((prefix) =>
    ["API_KEY", "API_URL", "PUBLIC_API_KEY"].map((name) => [`${prefix}TRIGGER_${name}`, `${prefix}HOLDFAST_${name}`] as const),
  ),
);

/** The address of v2's cloud, which was shut down. */
export const GONE = /https?:\/\/(?:api|cloud|app)\.trigger\.dev\b\/?/;

/** Where a variable's name may stand: what is before it in its line, and what comes after it. */
const PLACES: readonly (readonly [before: RegExp, after: RegExp])[] = [
  // $A, ${A}, $(A), $env:A, env.A, env["A"], ${localEnv:A}
  [/(?:\$|\$[{(]!?|\benv:|\benv\.|\benv\[["']|\blocalEnv:)$/i, /^/],
  // Docker: a secret by another name.
  [/,env=$/, /^(?:[\s,]|$)/],
  // A=x, "A=x", export A=x, -e A=x, and A = x, A ?= x, A := x at the start of a line
  [/(?:^|[\s"'`(;&|,{])$/, /^=/],
  [/^\s*(?:export\s+|[{,]\s*)?["']?$/, /^["']?\s+[?:+]?=/],
  // A: x, { A: x }
  [/(?:^\s*|[{,]\s*|-\s+)["']?$/, /^["']?\s*:(?:\s|$)/],
  // - A, x: A, and a line of its own in a list
  [/^\s*(?:(?:-\s+)*|.*?:\s+)["']?$/, /^["']?\s*,?\s*$/],
  // [A, A]
  [/\[(?:[^\]]*["'\s,])?$/, /^["']?\s*[\],]/],
  // name: A }
  [/[{,]\s*["']?\w+["']?:\s*["']?$/, /^["']?\s*[,}]/],
  // Commands that take names.
  [/(?:^|\s)(?:-e|--env|--build-arg|export|unset|ARG|ENV|printenv|cross-env)[\s=]["']?$/, /^(?=["']?(?:\s|=|$))/],
];

interface Named {
  name: string;
  at: number;
}

/** Variables of v2 in a line of something that is no program of JavaScript. */
export function variablesIn(line: string): Named[] {
  return [...line.matchAll(/(?<!\w)[A-Z][A-Z_]+(?!\w)/g)]
    .map((match) => ({ name: match[0], at: match.index }))
    .filter(({ name, at }) => {
      const [before, after] = [line.slice(0, at), line.slice(at + name.length)];
      return RENAMED.has(name) && PLACES.some(([front, back]) => front.test(before) && back.test(after));
    });
}

/** A line with its variables renamed. @param keeps of those, the ones that stay */
export function renamedIn(line: string, variables: ReadonlyMap<string, string>, keeps = (_: Named) => false): string {
  return variablesIn(line)
    .filter((named) => variables.has(named.name) && !keeps(named))
    .reverse()
    .reduce((now, { name, at }) => now.slice(0, at) + variables.get(name) + now.slice(at + name.length), line);
}
