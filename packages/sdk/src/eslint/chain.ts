// Room: eslint. What a call is made on, by names: `io.slack.post`, also where a constant stands for the beginning. Asked by the rule for tasks of one key.
// Promises: follows constants of the blocks around only, to what stands before them in the text, so that it always ends.
import { childOf, childrenOf, isFunction, type Node, nameOf, takes } from "./node.ts";

/** The names from the inside of a member expression out: `io.store.env.get` is [io, store, env, get]. */
export interface Chain {
  root: Node;
  names: string[];
}

/** What TypeScript writes around an expression, and the parser around `a?.b`. */
const WRAPPERS = new Set(["TSNonNullExpression", "TSAsExpression", "TSSatisfiesExpression", "ChainExpression"]);

export function chainOf(callee: Node | undefined): Chain | undefined {
  const chain = callee && writtenChain(callee);
  return chain && chain.names.length > 0 ? chain : undefined;
}

function writtenChain(expression: Node): Chain | undefined {
  const names: string[] = [];
  let at: Node | undefined = expression;
  while (at && (at.type === "MemberExpression" || WRAPPERS.has(at.type))) {
    if (at.type === "MemberExpression") names.unshift(nameOf(childOf(at, "property")) ?? "");
    at = childOf(at, at.type === "MemberExpression" ? "object" : "expression");
  }
  if (at?.type !== "Identifier") return undefined;
  const meant = meaningOf(at);
  return meant ? { root: meant.root, names: [...meant.names, ...names] } : { root: at, names };
}

/** What the constant of that name stands for, if that is a chain itself. */
function meaningOf(root: Node): Chain | undefined {
  const name = nameOf(root);
  for (let at = root.parent; at; at = at.parent) {
    if (isFunction(at) && takes(at, name)) return undefined;
    if (at.type !== "BlockStatement" && at.type !== "Program") continue;
    const declared = childrenOf(at, "body").flatMap((statement) => declarators(statement));
    for (const one of declared) {
      const part = partNamed(childOf(one, "id"), name);
      if (part) return (one.parent?.kind === "const" && before(one, root) && meantBy(one, part)) || undefined;
    }
  }
  return undefined;
}

function declarators(statement: Node | null): Node[] {
  if (statement?.type !== "VariableDeclaration") return [];
  return childrenOf(statement, "declarations").filter((one) => one !== null);
}

const before = (one: Node, other: Node): boolean => (one.range?.[1] ?? 0) <= (other.range?.[0] ?? 0);

/** Which part of its value a declared name is: none of `t`, "slack" of `{ slack }`. */
function partNamed(id: Node | undefined, name: string | undefined): string[] | undefined {
  if (id?.type === "Identifier") return nameOf(id) === name ? [] : undefined;
  if (id?.type !== "ObjectPattern") return undefined;
  const property = childrenOf(id, "properties").find((one) => one && nameOf(childOf(one, "value")) === name);
  return property ? [nameOf(childOf(property, "key")) ?? ""] : undefined;
}

function meantBy(declarator: Node, part: string[]): Chain | undefined {
  const init = childOf(declarator, "init");
  const chain = init && writtenChain(init);
  return chain && { root: chain.root, names: [...chain.names, ...part] };
}
