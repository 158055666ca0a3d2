// Room: project. What a source imports, re-exports and requires, with the places of the specifiers and the names that are bound.
// Called by init and migrate. Promise: read from tokens, so comments, strings and templates that look like imports are none.
import { said, type Token } from "./tokens.ts";

export interface Binding {
  /** "default", "*", or the exported name. */
  imported: string;
  local: string;
  token: Token;
}

export interface Import {
  how: "import" | "export" | "dynamic" | "require";
  from: string;
  /** The quoted specifier. */
  specifier: Token;
  bindings: Binding[];
}

/** All of them, in the order of the source. */
export function importsOf(tokens: readonly Token[]): Import[] {
  return tokens.flatMap((token, at) => {
    if (token.kind !== "name" || /^\??\.$/.test(tokens[at - 1]?.text ?? "")) return [];
    const found = READERS[token.text]?.(tokens, at);
    const from = said(found?.specifier);
    return found && from !== undefined ? [{ ...found, from }] : [];
  });
}

type Found = Omit<Import, "from"> | undefined;
type Reader = (tokens: readonly Token[], at: number) => Found;

const READERS: Record<string, Reader | undefined> = {
  import: (tokens, at) => {
    const next = tokens[at + 1];
    if (next?.text === "(") return called("dynamic", tokens, at);
    if (next?.kind === "string") return { how: "import", specifier: next, bindings: [] };
    return clause("import", tokens, at);
  },
  export: (tokens, at) => {
    const first = tokens[at + 1]?.text === "type" ? tokens[at + 2] : tokens[at + 1];
    return first?.text === "{" || first?.text === "*" ? clause("export", tokens, at) : undefined;
  },
  require: (tokens, at) => called("require", tokens, at),
};

function called(how: "dynamic" | "require", tokens: readonly Token[], at: number): Found {
  const specifier = tokens[at + 2];
  if (tokens[at + 1]?.text !== "(" || specifier?.kind !== "string") return undefined;
  return { how, specifier, bindings: how === "require" ? assigned(tokens, at) : [] };
}

/** From `import` or `export` to the specifier; a clause holds names, braces, commas and stars only. */
function clause(how: "import" | "export", tokens: readonly Token[], at: number): Found {
  let end = at + 1;
  while (tokens[end]?.kind === "name" || /^[{},*]$/.test(tokens[end]?.text ?? "")) end++;
  const specifier = tokens[end];
  if (specifier?.kind !== "string" || tokens[end - 1]?.text !== "from") return undefined;
  return { how, specifier, bindings: how === "import" ? bindingsOf(tokens.slice(at + 1, end - 1)) : [] };
}

/** Of `a, { b, type c as d }` or `* as e`. */
function bindingsOf(words: Token[]): Binding[] {
  const names = words.filter(
    (word, at) => word.text !== "type" || !/^[\w$*{]/.test(words[at + 1]?.text ?? "") || words[at + 1]?.text === "as",
  );
  const open = names.findIndex(({ text }) => text === "{");
  return names.flatMap((token, at) => {
    if (token.text === "*") return bound("*", names[at + 2]);
    if (token.kind !== "name" || token.text === "as" || names[at - 1]?.text === "as") return [];
    if (open === -1 || at < open) return bound("default", token);
    return bound(token.text, names[at + 1]?.text === "as" ? names[at + 2] : token);
  });
}
const bound = (imported: string, token: Token | undefined): Binding[] => (token ? [{ imported, local: token.text, token }] : []);

/** Of `const a = require(…)` and `const { b, c: d } = require(…)`. */
function assigned(tokens: readonly Token[], at: number): Binding[] {
  if (tokens[at - 1]?.text !== "=") return [];
  const last = tokens[at - 2];
  if (last?.kind === "name") return bound("default", last);
  if (last?.text !== "}") return [];
  const open = tokens.slice(0, at - 2).findLastIndex(({ text }) => text === "{");
  const names = tokens.slice(open + 1, at - 2);
  return names.flatMap((token, i) => {
    if (token.kind !== "name" || names[i - 1]?.text === ":") return [];
    return bound(token.text, names[i + 1]?.text === ":" ? names[i + 2] : token);
  });
}
