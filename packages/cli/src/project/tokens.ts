// Room: project. JavaScript and TypeScript as tokens with their places, so that what stands in comments and strings is never taken for code.
// Called by json-text.ts, and by init and migrate where they read sources. Promise: any text has tokens; none is refused.
// js-tokens (one file, no dependencies, no build) because it knows regular expressions, templates and tags; parsers of TypeScript are fifty times its size.
import jsTokens from "js-tokens";

export interface Token {
  /** Names and keywords; quoted strings and templates without holes; the rest of the syntax. */
  kind: "name" | "string" | "number" | "sign" | "other";
  text: string;
  /** Where it begins, in characters of the source. */
  start: number;
  /** From 1. */
  line: number;
}

const KINDS: Record<string, Token["kind"] | undefined> = {
  IdentifierName: "name",
  StringLiteral: "string",
  NoSubstitutionTemplate: "string",
  JSXString: "string",
  NumericLiteral: "number",
  Punctuator: "sign",
  JSXPunctuator: "sign",
};
const SKIPPED = /Comment$|^WhiteSpace$|^LineTerminator/;

/** The tokens of a source, without comments and space. @param path tells by its ending whether `<a>` may be a tag */
export function tokensOf(text: string, path = "x.ts"): Token[] {
  const tags = /\.[jt]sx$|\.js$/.test(path);
  const raw = tags ? withTags(text) : undefined;
  return placed(raw ?? [...jsTokens(text)]);
}

/** `closed` is of quoted strings and the like. */
type Raw = { type: string; value: string; closed?: boolean };

/** Undefined when tags make no sense of it: a generic arrow function in a .tsx file looks like one that is never closed. */
function withTags(text: string): Raw[] | undefined {
  const raw: Raw[] = [...jsTokens(text, { jsx: true })];
  const opened = raw.filter(({ type, value }) => type === "JSXPunctuator" && value === "<").length;
  const closed = raw.filter(({ type, value }) => type === "JSXPunctuator" && value === ">").length;
  return opened === closed && !raw.some(({ type }) => type === "JSXInvalid") ? raw : undefined;
}

function placed(raw: Raw[]): Token[] {
  const tokens: Token[] = [];
  let [start, line] = [0, 1];
  for (const { type, value, closed = true } of raw) {
    if (!SKIPPED.test(type)) tokens.push({ kind: (closed && KINDS[type]) || "other", text: value, start, line });
    start += value.length;
    line += value.split("\n").length - 1;
  }
  return tokens;
}

/** What a quoted string says; undefined when it holds escapes, as no name of a package does. */
export function said(token: Token | undefined): string | undefined {
  if (token?.kind !== "string" || token.text.includes("\\")) return undefined;
  return token.text.slice(1, -1);
}
