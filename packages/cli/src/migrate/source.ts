// Room: migrate. One source file: specifiers and names of variables as they become, and what a person must look at, with its line. Called by migrate.ts.
// Promise: works on tokens, so comments, texts and strings that merely mention a package stay as they are.
import { type Import, importsOf } from "../project/imports.ts";
import type { Remark } from "../project/plan.ts";
import { said, type Token, tokensOf } from "../project/tokens.ts";
import { type Astro, bakedRemarks } from "./astro.ts";
import { besideRemarks, routeSplices } from "./react-router.ts";
import { isIntegration, NAMES, packageRemark, targetOf } from "./v2-packages.ts";

export interface SourceWish {
  /** How our SDK is called in imports: by v2's name, or by its own. */
  sdk: string;
  /** Names of variables as they become. */
  variables: ReadonlyMap<string, string>;
  /** The Astro it is built by. */
  astro?: Astro;
  /** It is built by React Router 7. */
  reactRouter?: boolean;
}

interface Edit {
  token: Token;
  text: string;
}
interface Splice {
  start: number;
  end: number;
  text: string;
}

export function migrateSource(path: string, text: string, wish: SourceWish): { text: string; remarks: Remark[] } {
  const tokens = tokensOf(text, path);
  const imports = importsOf(tokens);
  const edits = [...specifierEdits(tokens, imports, wish), ...variableEdits(tokens, wish)];
  const remarks = [
    ...importRemarks(imports),
    ...connectionRemarks(tokens, imports),
    ...addressRemarks(tokens),
    ...routeRemarks(tokens, imports),
    ...providerRemarks(tokens, imports),
    ...(wish.reactRouter ? besideRemarks(imports) : []),
    ...bakedRemarks(tokens, wish.astro, wish.variables),
    ...textRemarks(tokens, edits, wish),
  ];
  const splices = [
    ...edits.map(({ token: { start, text: words }, text: after }) => ({ start, end: start + words.length, text: after })),
    ...referenceSplices(text, tokens, wish),
    ...(wish.reactRouter ? routeSplices(text, tokens, imports) : []),
  ];
  return { text: spliced(text, splices), remarks: remarks.map((remark) => ({ path, ...remark })) };
}

function spliced(text: string, splices: Splice[]): string {
  return splices
    .sort((one, other) => other.start - one.start)
    .reduce((now, { start, end, text: words }) => now.slice(0, start) + words + now.slice(end), text);
}

/** `/// <reference types="…" />`: the one comment a compiler reads, and only above all else. */
function referenceSplices(text: string, tokens: Token[], { sdk }: SourceWish): Splice[] {
  const head = text.slice(0, tokens[0]?.start);
  return [...head.matchAll(/^([ \t\uFEFF]*\/\/\/[ \t]*<reference\s+types\s*=\s*["'])([^"'\n]+)["']/gm)].flatMap(
    ({ 1: before = "", 2: from = "", index }) => {
      const target = targetOf(from, sdk);
      const start = index + before.length;
      return target ? [{ start, end: start + from.length, text: target }] : [];
    },
  );
}

/** Calls and declarations that name a module: `jest.mock("…")`, `vi.importActual("…")`, `declare module "…"`. */
const NAMING =
  /^(?:(?:un|do|dont|set)?[mM]ock|unmock|doUnmock|unstable_(?:un)?mockModule|module|(?:import|require)(?:Actual|Mock)|(?:create|gen)MockFromModule|resolve)$/;

function specifierEdits(tokens: Token[], imports: Import[], { sdk }: SourceWish): Edit[] {
  const named = tokens.filter((_token, at) => {
    const before = tokens[at - 1];
    return before?.text === "module" || (before?.text === "(" && NAMING.test(calleeOf(tokens, at - 1)));
  });
  return [...new Set([...imports.map(({ specifier }) => specifier), ...named])].flatMap((token) => {
    const target = targetOf(said(token) ?? "", sdk);
    const quote = token.text[0];
    return target ? [{ token, text: `${quote}${target}${quote}` }] : [];
  });
}

/** The name in front of a parenthesis, without the types between. */
function calleeOf(tokens: Token[], open: number): string {
  let at = open - 1;
  for (let depth = 0; at > 0; at--) {
    const text = tokens[at]?.text ?? "";
    if (/^>+$/.test(text)) depth += text.length;
    else if (text === "<") depth--;
    if (depth <= 0 && text !== "<") break;
    if (/^[;{}]$/.test(text)) return "";
  }
  return tokens[at]?.text ?? "";
}

/** Texts that are all of a package's name, as in settings and rules: nobody knows what they are for. */
function textRemarks(tokens: Token[], edits: Edit[], { sdk }: SourceWish): Remark[] {
  const edited = new Set(edits.map(({ token }) => token));
  return tokens.flatMap((token) => {
    const name = said(token) ?? "";
    const target = edited.has(token) ? undefined : targetOf(name, sdk);
    return target ? [{ line: token.line, message: `the text ${name} stays: the package is ${target} now` }] : [];
  });
}

/** As a name, `process.env.A` or `import { A } from "$env/…"`, and as a whole string, `process.env["A"]`. */
function variableEdits(tokens: Token[], { variables }: SourceWish): Edit[] {
  return tokens.flatMap((token) => {
    if (token.kind === "name") return asEdit(token, variables.get(token.text));
    const renamed = variables.get(said(token) ?? "");
    return asEdit(token, renamed && `${token.text[0]}${renamed}${token.text[0]}`);
  });
}
const asEdit = (token: Token, text: string | undefined): Edit[] => (text === undefined ? [] : [{ token, text }]);

function importRemarks(imports: Import[]): Remark[] {
  return imports.flatMap(({ from, specifier, bindings }) => {
    const gone = packageRemark(from);
    const names = bindings.flatMap(({ imported, token }) => {
      const why = NAMES[from]?.[imported];
      return why ? [{ line: token.line, message: `${imported} ${why}` }] : [];
    });
    return gone ? [{ line: specifier.line, message: gone }] : names;
  });
}

/** An integration without a key in code had a connection that v2's cloud kept. */
function connectionRemarks(tokens: Token[], imports: Import[]): Remark[] {
  const classes = new Map(
    imports.filter(({ from }) => isIntegration(from)).flatMap(({ from, bindings }) => bindings.map(({ local }) => [local, from])),
  );
  return tokens.flatMap((token, at) => {
    const from = classes.get(token.text);
    if (!from || tokens[at - 1]?.text !== "new" || tokens[at + 1]?.text !== "(") return [];
    if (keysOf(tokens, at + 2)?.some((key) => /key|token/i.test(key)) ?? true) return [];
    const message = `${token.text} of ${from} has no key in code, and its connection stayed with v2's cloud: connect it anew (docs/connections.md)`;
    return [{ line: token.line, message }];
  });
}

/** The keys of an object literal; undefined when it is none, or takes keys over from another. */
function keysOf(tokens: Token[], open: number): string[] | undefined {
  if (tokens[open]?.text !== "{") return undefined;
  const keys: string[] = [];
  for (let at = open, depth = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (/^[{([]$/.test(token?.text ?? "")) depth++;
    if (/^[})\]]$/.test(token?.text ?? "") && --depth === 0) return keys;
    if (depth !== 1 || !/^[{,]$/.test(tokens[at - 1]?.text ?? "")) continue;
    if (token?.text === "...") return undefined;
    if (token && at > open) keys.push(said(token) ?? token.text);
  }
  return undefined;
}

function addressRemarks(tokens: Token[]): Remark[] {
  return tokens
    .filter(({ kind, text }) => kind === "string" && /\b(?:api|cloud|app)\.trigger\.dev\b/.test(text))
    .map(({ line }) => ({
      line,
      message: "this service was shut down: put the address of your server here, or leave it to the environment",
    }));
}

function routeRemarks(tokens: Token[], imports: Import[]): Remark[] {
  if (!imports.some(({ from }) => from === "@trigger.dev/nextjs")) return [];
  return tokens
    .filter(({ text }) => text === "preferredRegion")
    .map(({ line }) => ({ line, message: "createAppRoute no longer gives preferredRegion; export your own" }));
}

/** v2's provider asked its cloud by default, ours the page's own origin. */
function providerRemarks(tokens: Token[], imports: Import[]): Remark[] {
  if (!imports.some(({ from }) => from === "@trigger.dev/react")) return [];
  return tokens.flatMap(({ text, line }, at) => {
    if (text !== "TriggerProvider" || tokens[at - 1]?.text !== "<") return [];
    const end = tokens.findIndex((token, i) => i > at && token.text === ">");
    const given = tokens.slice(at, end === -1 ? undefined : end).some((token) => token.text === "apiUrl" || token.text === "...");
    return given ? [] : [{ line, message: "TriggerProvider without apiUrl asks the page's own origin: name your server" }];
  });
}
