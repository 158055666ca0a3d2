// Room parts: splits text into coloured pieces with one regular expression a language. Pure; called by Code.tsx.
// Promises: the pieces joined are the text, whatever the text is.

export type Language = "json" | "ts" | "shell" | "plain";
export interface Token {
  kind: "plain" | "key" | "text" | "value" | "note";
  text: string;
}

const JSON_TOKEN =
  /(?<key>"(?:[^"\\\n]|\\.)*"(?=\s*:))|(?<text>"(?:[^"\\\n]|\\.)*")|(?<value>-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b)/g;
const WORDS =
  "as async await break case catch class const continue default else export extends finally for from function if import in interface let new null of return satisfies switch throw true false try type typeof undefined var void while";
const TS_TOKEN = new RegExp(
  `(?<note>//[^\\n]*|/\\*[^]*?\\*/)|(?<text>"(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\\\\\n]|\\\\.)*'|\`(?:[^\`\\\\]|\\\\.)*\`)|(?<key>\\b(?:${WORDS.replaceAll(" ", "|")})\\b)|(?<value>\\b\\d[\\d_.]*\\b)`,
  "g",
);
const SHELL_TOKEN = /(?<note>^\s*#[^\n]*)|(?<text>"(?:[^"\\]|\\.)*"|'[^']*')|(?<key>^\S+|(?<=\s)--?[a-zA-Z][\w-]*)/gm;

const PATTERNS: Record<Language, RegExp | null> = { json: JSON_TOKEN, ts: TS_TOKEN, shell: SHELL_TOKEN, plain: null };

/** @example tokens('{"a":1}', "json").find((token) => token.kind === "key")?.text // '"a"' */
export function tokens(text: string, language: Language): Token[] {
  const pattern = PATTERNS[language];
  if (!pattern) return [{ kind: "plain", text }];
  const out: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) out.push({ kind: "plain", text: text.slice(end, match.index) });
    const kind = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0] ?? "plain";
    out.push({ kind: kind as Token["kind"], text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) out.push({ kind: "plain", text: text.slice(end) });
  return out;
}

/** Characters that turn the direction of the text behind them, so that a value could pretend to be something else. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** JSON as it may be shown: what would turn the direction of the page's own text is written as its escape, which means the same. */
export function shownJson(text: string): string {
  return text.replace(TURNING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The highlighter for a file's declared language. */
export const languageOf = (name: string): Language =>
  /^(ts|tsx|js|jsx|typescript|javascript)$/i.test(name)
    ? "ts"
    : /^(sh|shell|bash|env)$/i.test(name)
      ? "shell"
      : /^json$/i.test(name)
        ? "json"
        : "plain";
