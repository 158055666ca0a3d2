// Room: project. Small edits of JSON files as texts: spacing, order and, in tsconfig.json, comments stay as their owner left them.
// Called by init and migrate. Promise: a file that is no JSON object is refused with its name.
import { CommandError } from "../output/exit-codes.ts";
import { type Token, tokensOf } from "./tokens.ts";

interface Entry {
  key: string;
  keyStart: number;
  value: Node;
}
interface Node {
  start: number;
  end: number;
  /** Only objects have them. */
  entries?: Entry[];
}

/** The value of a JSON file that may hold comments and commas too many; undefined when it is not JSON at all. */
export function readJson(text: string): unknown {
  try {
    const tokens = tokensOf(text).filter((token, at, all) => !(token.text === "," && /^[}\]]$/.test(all[at + 1]?.text ?? "")));
    return JSON.parse(tokens.map(({ text: word }) => word).join(""));
  } catch {
    return undefined;
  }
}

/** Sets the value at a path of keys; objects on the way are made. Keys of a sorted object stay sorted. */
export function setJson(text: string, path: readonly string[], value: unknown, name = "package.json"): string {
  let node = rootOf(text, name);
  for (const [at, key] of path.entries()) {
    const entry = node.entries?.find((each) => each.key === key);
    const last = at === path.length - 1;
    if (entry && (last || entry.value.entries)) {
      if (last) return text.slice(0, entry.value.start) + JSON.stringify(value) + text.slice(entry.value.end);
      node = entry.value;
    } else {
      const rest = path.slice(at + 1).reduceRight<unknown>((inner, outer) => ({ [outer]: inner }), value);
      return insert(text, node, { key, value: rest, indent: indentOf(text) });
    }
  }
  return text;
}

/** Takes an entry out, with its comma and its line. */
export function removeJson(text: string, path: readonly string[], name = "package.json"): string {
  const parent = path
    .slice(0, -1)
    .reduce<Node | undefined>((node, key) => node?.entries?.find((entry) => entry.key === key)?.value, rootOf(text, name));
  const entries = parent?.entries ?? [];
  const at = entries.findIndex(({ key }) => key === path.at(-1));
  const [before, entry, after] = [entries[at - 1], entries[at], entries[at + 1]];
  if (!parent || !entry) return text;
  if (after) return text.slice(0, entry.keyStart) + text.slice(after.keyStart);
  if (before) return text.slice(0, before.value.end) + text.slice(entry.value.end);
  return `${text.slice(0, parent.start)}{}${text.slice(parent.end)}`;
}

function rootOf(text: string, name: string): Node {
  const root = readJson(text) === undefined ? undefined : parse(tokensOf(text));
  if (root?.entries) return root;
  throw new CommandError("FAILED", `${name} is not a JSON object.`, "Mend it, then try again.");
}

/** The text is known to be JSON. */
function parse(tokens: Token[]): Node {
  let at = 0;
  const next = (): Token => tokens[at++] as Token;
  const value = (): Node => {
    const first = next();
    const node: Node = { start: first.start, end: first.start + first.text.length };
    if (first.text === "-") node.end = endOf(next());
    if (first.text !== "{" && first.text !== "[") return node;
    if (first.text === "{") node.entries = [];
    while (!/^[}\]]$/.test(tokens[at]?.text ?? "")) {
      if (node.entries) node.entries.push(entry());
      else value();
      if (tokens[at]?.text === ",") at++;
    }
    node.end = endOf(next());
    return node;
  };
  const entry = (): Entry => {
    const key = next();
    at++; // the colon
    return { key: JSON.parse(key.text), keyStart: key.start, value: value() };
  };
  return value();
}
const endOf = ({ start, text }: Token): number => start + text.length;

/** One step of indentation, as the file's first entry has it. */
function indentOf(text: string): string {
  return /^\s*\{\r?\n([ \t]+)/.exec(text)?.[1] ?? "  ";
}

function insert(text: string, object: Node, { key, value, indent }: { key: string; value: unknown; indent: string }): string {
  const entries = object.entries ?? [];
  const own = `${lineIndent(text, object.start)}${indent}`;
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const rendered = `${JSON.stringify(key)}: ${JSON.stringify(value, null, indent).replaceAll("\n", newline + own)}`;
  const after = placeFor(key, entries);
  const following = entries[after + 1];
  const inline = entries.length > 0 && !text.slice(object.start, entries[0]?.keyStart).includes("\n");
  const gap = inline ? " " : newline + own;
  if (following) return splice(text, following.keyStart, `${rendered},${gap}`);
  const last = entries.at(-1);
  if (last) return splice(text, last.value.end, `,${gap}${rendered}`);
  return (
    text.slice(0, object.start) +
    `{${newline}${own}${rendered}${newline}${lineIndent(text, object.start)}}` +
    text.slice(object.end)
  );
}

const splice = (text: string, at: number, words: string): string => text.slice(0, at) + words + text.slice(at);
const lineIndent = (text: string, at: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1))?.[0] ?? "";

/** The entry behind which a key belongs: the last one, or in a sorted object the last one before it. -1: in front. */
function placeFor(key: string, entries: Entry[]): number {
  const sorted = entries.every((entry, at) => at === 0 || (entries[at - 1]?.key ?? "") < entry.key);
  return sorted ? entries.findLastIndex((entry) => entry.key < key) : entries.length - 1;
}
