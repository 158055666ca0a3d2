// A small reader of TypeScript for tidy.ts: TypeScript 7 offers no compiler API, and a parser would be a dependency for five rules.
// Promises: keeps every line where it was; treats comments, strings, templates and regular expressions as what they are in all code formatted by Biome.

/** A source file in three forms of equal length. */
export interface Scanned {
  text: string;
  /** Comments blanked out, strings kept. */
  uncommented: string;
  /** Comments, strings and regular expressions blanked out. */
  bare: string;
}

/** A function found in a source file. */
export interface FoundFunction {
  line: number;
  lines: number;
  parameters: number;
}

type Kind = "comment" | "text";

const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+*%~^-]|=>|\b(?:return|typeof|case|in|of|do|else|void|await|yield))\s*$/;
const QUOTES = /["'`]/;

function endOfQuoted(text: string, start: number, quote: string): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote || (quote !== "`" && text[i] === "\n")) return i + 1;
  }
  return text.length;
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length && text[i] !== "\n"; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") inClass = true;
    else if (text[i] === "]") inClass = false;
    else if (text[i] === "/" && !inClass) return i + 1;
  }
  return start + 1;
}

// A template's expressions are code: only the text between them is blanked. `depths` holds the brace depth each open `${` will close at.
function endOfTemplateText(text: string, start: number): { end: number; opens: boolean } {
  for (let i = start; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "`") return { end: i + 1, opens: false };
    else if (text[i] === "$" && text[i + 1] === "{") return { end: i + 2, opens: true };
  }
  return { end: text.length, opens: false };
}

class Scanner {
  private readonly uncommented: string[];
  private readonly bare: string[];
  private readonly templates: number[] = [];
  private depth = 0;
  private at = 0;

  constructor(private readonly text: string) {
    this.uncommented = text.split("");
    this.bare = text.split("");
  }

  run(): Scanned {
    while (this.at < this.text.length) this.step();
    return { text: this.text, uncommented: this.uncommented.join(""), bare: this.bare.join("") };
  }

  private step(): void {
    const { text, at } = this;
    const char = text[at] ?? "";
    const pair = text.slice(at, at + 2);
    if (pair === "//") this.blank(text.indexOf("\n", at), "comment");
    else if (pair === "/*") this.blank(text.indexOf("*/", at + 2) + 2, "comment");
    else if (char === "`") this.template(at + 1);
    else if (QUOTES.test(char)) this.blank(endOfQuoted(text, at, char), "text");
    else if (char === "/" && this.regexMayStart()) this.blank(endOfRegex(text, at), "text");
    else this.code(char);
  }

  // In JSX a slash after `<` or before `>` belongs to a tag.
  private regexMayStart(): boolean {
    if (this.text[this.at + 1] === ">") return false;
    return BEFORE_REGEX.test(this.bare.slice(Math.max(0, this.at - 40), this.at).join(""));
  }

  private code(char: string): void {
    if (char === "{") this.depth++;
    if (char === "}" && this.templates.at(-1) === this.depth) {
      this.templates.pop();
      this.template(this.at + 1);
      return;
    }
    if (char === "}") this.depth--;
    this.at++;
  }

  private template(start: number): void {
    const { end, opens } = endOfTemplateText(this.text, start);
    if (opens) this.templates.push(this.depth);
    this.blank(end, "text");
  }

  // A blanked string keeps its quotes: what stands around it must still see that something is there.
  private blank(end: number, kind: Kind): void {
    const stop = end <= this.at ? this.text.length : end;
    for (; this.at < stop; this.at++) {
      const char = this.text[this.at] ?? "";
      if (kind === "comment" && char !== "\n") this.uncommented[this.at] = " ";
      if (char !== "\n" && (kind === "comment" || !QUOTES.test(char))) this.bare[this.at] = " ";
    }
  }
}

/** Reads a source file. */
export function scan(text: string): Scanned {
  return new Scanner(text).run();
}

/** What a file imports or re-exports, as written; `import type` included. */
export function importsOf({ uncommented, bare }: Scanned): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+|\bimport\.meta\.resolve\(\s*)"([^"\n]+)"/gm;
  // The keyword itself must be code: an import inside a string or a template is none.
  const isCode = (match: RegExpMatchArray): boolean =>
    /from|import/.test(bare.slice(match.index ?? 0, (match.index ?? 0) + match[0].length));
  return [...uncommented.matchAll(pattern)].filter(isCode).map((match) => match[1] ?? "");
}

const PAIRS: Record<string, string> = { "(": ")", "[": "]", "{": "}", "<": ">" };

function matching(bare: string, open: number): number {
  const close = PAIRS[bare[open] ?? ""];
  for (let i = open + 1; i < bare.length; i++) {
    if (bare[i] === close) return i;
    if ("([{".includes(bare[i] ?? " ")) i = matching(bare, i);
  }
  return bare.length;
}

function countParameters(bare: string, open: number, close: number): number {
  let count = 0;
  let pending = false;
  let angles = 0;
  for (let i = open + 1; i < close; i++) {
    const char = bare[i] ?? "";
    if ("([{".includes(char)) i = matching(bare, i);
    else if (char === "<") angles++;
    else if (char === ">" && bare[i - 1] !== "=") angles--;
    else if (char === "," && angles === 0) {
      count++;
      pending = false;
      continue;
    }
    if (char.trim() !== "") pending = true;
  }
  return count + (pending ? 1 : 0);
}

// From behind a parameter list: over a return type, to the `{` or `=>` of a body. Undefined when this is no function.
function bodyStart(bare: string, from: number): number | undefined {
  let typeExpected = false;
  for (let i = from; i < bare.length; i++) {
    const char = bare[i] ?? "";
    if (char.trim() === "") continue;
    if (bare.startsWith("=>", i)) return i;
    if (char === "{" && !typeExpected) return i;
    if (i === from + bare.slice(from).search(/\S/) && char !== ":") return undefined;
    if (";,)=}".includes(char)) return undefined;
    if ("([{".includes(char)) i = matching(bare, i);
    typeExpected = ":|&<".includes(char);
  }
  return undefined;
}

const NOT_FUNCTIONS = /\b(?:if|for|while|switch|catch|with|await)\s*$/;

/** All functions, methods and arrow functions with a parameter list, longest span including the list. */
export function functionsOf({ bare }: Scanned): FoundFunction[] {
  const found: FoundFunction[] = [];
  const lineOf = (index: number): number => bare.slice(0, index).split("\n").length;
  for (let open = bare.indexOf("("); open !== -1; open = bare.indexOf("(", open + 1)) {
    if (NOT_FUNCTIONS.test(bare.slice(Math.max(0, open - 12), open))) continue;
    const close = matching(bare, open);
    const body = bodyStart(bare, close + 1);
    if (body === undefined) continue;
    const brace = bare[body] === "{" ? body : body + 2 + bare.slice(body + 2).search(/\S/);
    const end = bare[brace] === "{" ? matching(bare, brace) : body;
    found.push({ line: lineOf(open), lines: lineOf(end) - lineOf(open) + 1, parameters: countParameters(bare, open, close) });
  }
  return found;
}
