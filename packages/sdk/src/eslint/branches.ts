// Room: eslint. Whether two places of a function can both be reached in one call of it, or one place twice. Asked by the rule for tasks of one key.
// Promises: says "exclusive" only where the code's shape shows it: branches of one choice, or a branch that leaves before the other place.
import { childOf, childrenOf, isFunction, type Node } from "./node.ts";

const LEAVES = new Set(["ReturnStatement", "ThrowStatement"]);
const STOPS = new Set([...LEAVES, "BreakStatement", "ContinueStatement"]);
const LOOPS = new Set(["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"]);

/** The node and what it stands in, outermost last. */
function lineage(node: Node): Node[] {
  const line: Node[] = [];
  for (let at: Node | null | undefined = node; at; at = at.parent) line.push(at);
  return line;
}

/** The statement by which every way through this one goes elsewhere; of several, the one that leaves the least. */
function stopOf(node: Node): Node | undefined {
  if (STOPS.has(node.type)) return node;
  if (node.type === "BlockStatement") return ending(childrenOf(node, "body"));
  if (node.type === "SwitchCase") return ending(childrenOf(node, "consequent"));
  return node.type === "IfStatement" ? eitherStop(childOf(node, "consequent"), childOf(node, "alternate")) : undefined;
}

function eitherStop(one: Node | undefined, other: Node | null | undefined): Node | undefined {
  const [a, b] = [one && stopOf(one), other ? stopOf(other) : undefined];
  if (!a || !b) return undefined;
  return a.type === "ContinueStatement" || LEAVES.has(b.type) ? a : b;
}

function ending(list: (Node | null)[]): Node | undefined {
  const last = list.at(-1);
  return last ? stopOf(last) : undefined;
}

/** How whoever passes the inner place leaves before what comes after the outermost of these nodes. */
function stopWithin(line: Node[]): Node | undefined {
  let stop: Node | undefined;
  for (const [index, node] of line.entries()) {
    const inside = line[index - 1];
    const ownsBreaks = LOOPS.has(node.type) || node.type === "SwitchStatement";
    if (ownsBreaks && stop && !LEAVES.has(stop.type)) stop = undefined;
    if (isFunction(node)) stop = undefined;
    if (node.type === "TryStatement" && childOf(node, "handler") && childOf(node, "block") === inside) stop = undefined;
    stop ??= stopOf(node);
  }
  return stop;
}

function casesExclude(node: Node, first: Node, second: Node): boolean {
  const cases = childrenOf(node, "cases");
  const between = cases.slice(cases.indexOf(first), cases.indexOf(second));
  return between.some((one) => one !== null && stopOf(one) !== undefined);
}

/** @param first stands before `second` in the text */
export function exclude(first: Node, second: Node): boolean {
  const [one, other] = [lineage(first), lineage(second)];
  const common = one.find((node) => other.includes(node));
  const [a, b] = [one[one.indexOf(common as Node) - 1], other[other.indexOf(common as Node) - 1]];
  if (!common || !a || !b) return false;
  if (common.type === "IfStatement" || common.type === "ConditionalExpression") return childOf(common, "test") !== a;
  if (common.type === "SwitchStatement") return casesExclude(common, a, b);
  const isList = common.type === "BlockStatement" || common.type === "SwitchCase" || common.type === "Program";
  return isList && stopWithin(one.slice(0, one.indexOf(common))) !== undefined;
}

/** What runs once, before a loop turns. */
const ONCE: Record<string, string> = { ForStatement: "init", ForOfStatement: "right", ForInStatement: "right" };

/** True when the node is a loop in which the place can be reached again. */
export function repeats(node: Node, place: Node): boolean {
  if (!LOOPS.has(node.type)) return false;
  const line = lineage(place);
  const inside = line.slice(0, line.indexOf(node));
  if (childOf(node, ONCE[node.type] ?? "") === inside.at(-1)) return false;
  const stop = stopWithin(inside);
  return stop === undefined || stop.type === "ContinueStatement";
}
