// Room: eslint. What a call is made on, by names: `io.slack.post`, also where a constant, a parameter that is taken apart or a field of a class stands for the
// beginning. Asked by the rule for tasks of one key.
// Promises: follows names of the blocks around only, to what stands before them in the text, and fields to one value, so that it always ends.

import { binds, classOf, fieldName, fieldValue, parameterOf, partNamed, rebinds } from "./names.ts";
import { childOf, childrenOf, isFunction, type Node, nameOf } from "./node.ts";

/** The names from the inside of a member expression out: `io.store.env.get` is [io, store, env, get]. */
export interface Chain {
  /** A name, or `this.io`. */
  root: Node;
  names: string[];
  /** The root is an `io`, or a part of one was taken there. */
  ofIO: boolean;
  /** The object it is a field of has it, whoever gave it. */
  held?: boolean;
}

/** What TypeScript writes around an expression, and the parser around `a?.b`. */
const WRAPPERS = new Set(["TSNonNullExpression", "TSAsExpression", "TSSatisfiesExpression", "ChainExpression"]);

export function chainOf(callee: Node | undefined): Chain | undefined {
  const chain = callee && writtenChain(callee);
  return chain && chain.names.length > 0 ? chain : undefined;
}

function writtenChain(expression: Node, inField = false): Chain | undefined {
  const names: string[] = [];
  let field: Node | undefined;
  let at: Node | undefined = expression;
  while (at && (at.type === "MemberExpression" || WRAPPERS.has(at.type))) {
    if (at.type === "MemberExpression") {
      names.unshift((at.computed ? undefined : fieldName(childOf(at, "property"))) ?? "");
      field = at;
    }
    at = childOf(at, at.type === "MemberExpression" ? "object" : "expression");
  }
  if (at?.type === "Identifier") {
    const meant = meaningOf(at, inField);
    return { ...meant, names: [...meant.names, ...names] };
  }
  return at?.type === "ThisExpression" && field && !inField ? heldChain(at, field, names) : undefined;
}

/** Of `this.io` and `this.#io`, and of `this.slack` where the class says what that is. */
function heldChain(self: Node, field: Node, [name = "", ...names]: string[]): Chain | undefined {
  const body = classOf(self);
  const value = body && fieldValue(body, name);
  const chain = value && writtenChain(value, true);
  if (chain) return { ...chain, names: [...chain.names, ...names], held: true };
  return { root: field, names, ofIO: /^#?io$/.test(name) && !value, held: true };
}

/** What the constant or the parameter of that name stands for, if that is a chain itself; else the name. Without any word of it, `io` is one. */
function meaningOf(root: Node, inField: boolean): Chain {
  const name = nameOf(root);
  const itself = { root, names: [], ofIO: name === "io" };
  for (let at = root.parent; at; at = at.parent) {
    if (rebinds(at, name)) return itself;
    const taken = isFunction(at) ? parameterOf(at, name) : undefined;
    if (taken) {
      const part = taken.index === 1 && givesIO(at) ? partNamed(taken.pattern, name) : undefined;
      return part ? { root, names: part, ofIO: true } : itself;
    }
    if (at.type !== "BlockStatement" && at.type !== "Program") continue;
    const one = childrenOf(at, "body")
      .flatMap((statement) => declarators(statement))
      .find((each) => binds(childOf(each, "id"), name));
    if (!one) continue;
    const part = one.parent?.kind === "const" && before(one, root) ? partNamed(childOf(one, "id"), name) : undefined;
    return (part && meantBy(one, part, inField)) ?? itself;
  }
  return itself;
}

function declarators(statement: Node | null): Node[] {
  if (statement?.type !== "VariableDeclaration") return [];
  return childrenOf(statement, "declarations").filter((one) => one !== null);
}
const before = (one: Node, other: Node): boolean => (one.range?.[1] ?? 0) <= (other.range?.[0] ?? 0);

function meantBy(declarator: Node, part: string[], inField: boolean): Chain | undefined {
  const init = childOf(declarator, "init");
  const chain = init && writtenChain(init, inField);
  return chain && { ...chain, names: [...chain.names, ...part] };
}

/** True when a function's second parameter is an `io`: that of a job's `run`, or of a task's callback. */
export function givesIO(fn: Node): boolean {
  const { parent } = fn;
  const isMember = parent?.type === "Property" || parent?.type === "MethodDefinition";
  return (isMember && nameOf(childOf(parent, "key")) === "run") || chainOf(calleeAround(fn))?.names.at(-1) === "runTask";
}

/** What is called with this function as an argument. */
export function calleeAround(fn: Node): Node | undefined {
  const { parent } = fn;
  return parent?.type === "CallExpression" && childOf(parent, "callee") !== fn ? childOf(parent, "callee") : undefined;
}
