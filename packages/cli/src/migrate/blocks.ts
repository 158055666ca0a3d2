// Room: migrate. Components of Vue, Svelte and Astro: where in them programs stand. Called by migrate.ts.
// Promise: what is in comments, in markup, in styles and in other blocks is no program; blocks that are never closed are left alone.

export interface Block {
  /** Of the program, in characters of the file. */
  start: number;
  end: number;
  /** The ending a file of its own would have. */
  ending: "ts" | "tsx" | "mjs" | "jsx";
}

// A comment; or a tag with its attributes, whose quoted values may hold ">".
const NEXT = /<!--|<([a-zA-Z][\w:.-]*)((?:"[^"]*"|'[^']*'|\{[^{}]*\}|[^>"'{])*)>/g;

/** The programs of one component, in order. */
export function blocksOf(path: string, text: string): Block[] {
  const front = path.endsWith(".astro") ? frontmatter(text) : undefined;
  return [...(front ? [front] : []), ...scripts(path, text, front?.end ?? 0)];
}

/** Between the two fences an Astro component begins with. */
function frontmatter(text: string): Block | undefined {
  const [opening] = /^\uFEFF?\s*---/.exec(text) ?? [];
  const closing = opening === undefined ? null : /^[ \t]*---/m.exec(text.slice(opening.length));
  if (opening === undefined || !closing) return undefined;
  return { start: opening.length, end: opening.length + closing.index, ending: "ts" };
}

function scripts(path: string, text: string, from: number): Block[] {
  const blocks: Block[] = [];
  const next = new RegExp(NEXT);
  next.lastIndex = from;
  for (let match = next.exec(text); match; match = next.exec(text)) {
    const [tag, name, attributes = ""] = match;
    const start = match.index + tag.length;
    const end = name ? endOf(path, text, { name, attributes, start }) : text.indexOf("-->", start);
    if (end === -1) return blocks;
    const ending = name?.toLowerCase() === "script" ? endingOf(path, attributes) : undefined;
    if (ending && end > start) blocks.push({ start, end, ending });
    next.lastIndex = Math.max(end, start);
  }
  return blocks;
}

/** Where what a tag holds and is no markup ends: a program, a style, and in Vue each block of its own. -1: nowhere. */
function endOf(path: string, text: string, tag: { name: string; attributes: string; start: number }): number {
  const { name, attributes, start } = tag;
  const raw = /^(?:script|style)$/i.test(name) || (path.endsWith(".vue") && name !== "template");
  if (attributes.endsWith("/") || !(raw || path.endsWith(".vue"))) return start;
  const closing = new RegExp(`</${name}\\s*>`, "gi");
  closing.lastIndex = start;
  if (raw) return closing.exec(text)?.index ?? -1;
  return closedTemplate(text, start);
}

/** Templates of Vue hold others. */
function closedTemplate(text: string, start: number): number {
  const tags = /<!--[\s\S]*?-->|<(\/?)template(?=[\s/>])(?:"[^"]*"|'[^']*'|[^>"'])*>/g;
  tags.lastIndex = start;
  for (let depth = 1, match = tags.exec(text); match; match = tags.exec(text)) {
    if (match[0].startsWith("<!--") || match[0].endsWith("/>")) continue;
    depth += match[1] ? -1 : 1;
    if (depth === 0) return match.index;
  }
  return -1;
}

/** Undefined for what is data, as `<script type="application/ld+json">`. */
function endingOf(path: string, attributes: string): Block["ending"] | undefined {
  const given = (name: string) => new RegExp(`(?:^|\\s)${name}\\s*=\\s*["']?([\\w/+.-]+)`).exec(attributes)?.[1];
  if (!/^(?:module|(?:text|application)\/(?:javascript|typescript))$/.test(given("type") ?? "module")) return undefined;
  const lang = given("lang") ?? (path.endsWith(".astro") ? "ts" : "js");
  return { ts: "ts", typescript: "ts", tsx: "tsx", jsx: "jsx", js: "mjs", javascript: "mjs" }[lang] as Block["ending"];
}
