// Room: eslint. The little that the rule reads of a syntax tree (ESTree, with ESLint's parents), and keys as they are written in it.
import { keyText } from "../replay/key.ts";

export interface Node {
  type: string;
  parent?: Node | null;
  range?: [number, number];
  loc?: { start: { line: number } } | null;
  [field: string]: unknown;
}

export const childOf = (node: Node, field: string): Node | undefined => node[field] as Node | undefined;
export const childrenOf = (node: Node, field: string): (Node | null)[] => (node[field] ?? []) as (Node | null)[];

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
export const isFunction = (node: Node): boolean => FUNCTIONS.has(node.type);

/** The name of a variable, or of what stands after the dot; undefined for anything computed. */
export function nameOf(node: Node | null | undefined): string | undefined {
  return node?.type === "Identifier" ? (node.name as string) : undefined;
}

/** The functions that a node stands in, innermost first. */
export function functionsAround(node: Node): Node[] {
  const found: Node[] = [];
  for (let at = node.parent; at; at = at.parent) if (isFunction(at)) found.push(at);
  return found;
}

/** What a literal stands for; undefined for what only the running program knows. */
function literalValue(node: Node | null): { value: unknown } | undefined {
  if (node?.type === "Literal" && !("bigint" in node)) return { value: node.value };
  if (node?.type === "TemplateLiteral" && childrenOf(node, "expressions").length === 0) {
    const [text] = childrenOf(node, "quasis");
    return { value: (text as { value?: { cooked?: string } } | undefined)?.value?.cooked };
  }
  if (node?.type !== "ArrayExpression") return undefined;
  const parts = childrenOf(node, "elements").map(literalValue);
  return parts.every((part) => part !== undefined) ? { value: parts.map((part) => part.value) } : undefined;
}

/** A cacheKey that is written out. */
export interface WrittenKey {
  /** What tells tasks beside each other apart: two ways to write one key are one. */
  text: string;
  shown: string;
}

export function writtenKey(node: Node | null | undefined): WrittenKey | undefined {
  const value = node ? literalValue(node)?.value : undefined;
  if (typeof value !== "string" && !Array.isArray(value)) return undefined;
  return { text: keyText(value), shown: JSON.stringify(value) };
}
