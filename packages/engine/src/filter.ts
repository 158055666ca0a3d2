// The event filter language: an object that mirrors the payload, with lists as leaves. Called by server dispatch (which jobs an event starts) and by
// indexing (bad filters are refused there, with the place). Promises: compiling and matching never throw, whatever the input and however deep; a key is
// read only if it is the value's own; a filter that compiles means exactly what docs and v2 say, and what could silently match too much is refused.
import {
  contentTest,
  isObject,
  isOperator,
  isUniformList,
  listTest,
  type Problem,
  quoted,
  type Test,
} from "./filter-operators.ts";

/** Where a value did not match, and why. `path` is empty for the value as a whole. */
export interface Mismatch {
  readonly path: string;
  readonly why: string;
}
export interface CompiledFilter<T> {
  readonly ok: true;
  matches(value: T): boolean;
  /** The first place that does not match, or null when the value matches. */
  explain(value: T): Mismatch | null;
}
export interface RefusedFilter {
  readonly ok: false;
  /** Where in the filter; empty for the filter as a whole. */
  readonly path: string;
  readonly problem: string;
}

interface Leaf {
  readonly kind: "leaf";
  readonly path: string;
  readonly tests: readonly Test[];
}
interface Branch {
  readonly kind: "branch";
  readonly path: string;
  readonly entries: readonly (readonly [key: string, node: Leaf | Branch])[];
}
interface Miss {
  readonly path: string;
  readonly expected: string;
  readonly found: unknown;
}

/** Deep enough for any payload; shallow enough for the stack. */
const DEEPEST = 64;
const FORBIDDEN: readonly string[] = ["__proto__", "constructor", "prototype"];

/**
 * Compiles an event filter.
 *
 * @param json the filter as it came from JSON
 * @returns a matcher, or where and why the filter is none
 * @example
 * const filter = compileFilter({ type: ["user.created"], data: { age: [{ $gte: 18 }] } });
 * if (filter.ok) filter.matches({ type: "user.created", data: { age: 20 } }); // true
 * if (filter.ok) filter.explain({ type: "user.deleted" }); // { path: "type", why: 'expected one of ["user.created"], found "user.deleted"' }
 */
export function compileFilter(json: unknown): CompiledFilter<unknown> | RefusedFilter {
  if (!isObject(json)) return { ok: false, path: "", problem: "A filter is an object that mirrors the payload." };
  const root = compileBranch(json, "", 1);
  if ("problem" in root) return root;
  return { ok: true, matches: (value) => missIn(root, value) === null, explain: (value) => explained(missIn(root, value)) };
}

function compileBranch(filter: object, path: string, depth: number): Branch | RefusedFilter {
  if (depth > DEEPEST) return { ok: false, path, problem: `A filter may be ${DEEPEST} levels deep at most.` };
  const entries: [string, Leaf | Branch][] = [];
  for (const [key, value] of Object.entries(filter)) {
    const node = compileEntry(key, value, path, depth);
    if ("problem" in node) return node;
    entries.push([key, node]);
  }
  return { kind: "branch", path, entries };
}

function compileEntry(key: string, value: unknown, parent: string, depth: number): Leaf | Branch | RefusedFilter {
  const path = pathOf(parent, key);
  const refuse = (problem: string): RefusedFilter => ({ ok: false, path, problem });
  if (FORBIDDEN.includes(key)) return refuse("This key is not allowed in a filter.");
  if (isOperator(key)) return refuse(`${key} is an operator: write it inside a list, as in [{ "${key}": … }].`);
  if (isObject(value)) return compileBranch(value, path, depth + 1);
  if (!Array.isArray(value)) return refuse("A leaf is a list: write [value], even for a single value.");
  const tests = compileTests(value);
  return "problem" in tests ? refuse(tests.problem) : { kind: "leaf", path, tests };
}

function compileTests(list: readonly unknown[]): readonly Test[] | Problem {
  if (isUniformList(list)) return [listTest(list)];
  const tests: Test[] = [];
  for (const item of list) {
    if (!isObject(item))
      return { problem: "A list holds strings, or numbers, or booleans, or operators: not a mixture, no null and no list." };
    const test = contentTest(item);
    if ("problem" in test) return { problem: `List entry ${tests.length + 1}: ${test.problem}` };
    tests.push(test);
  }
  return tests;
}

/** Nothing at all (null, undefined) matches only a filter that asks nothing. */
function missIn(branch: Branch, value: unknown): Miss | null {
  if ((value === null || value === undefined) && branch.entries.length > 0) {
    return { path: branch.path, expected: "an object", found: value };
  }
  for (const [key, node] of branch.entries) {
    const field = ownField(value, key);
    const miss = node.kind === "leaf" ? missAtLeaf(node, field) : missBelow(node, field);
    if (miss !== null) return miss;
  }
  return null;
}

function missAtLeaf(leaf: Leaf, found: unknown): Miss | null {
  const failed = leaf.tests.find((test) => !test.holds(found));
  return failed === undefined ? null : { path: leaf.path, expected: failed.expected, found };
}

/** Of a list of objects, one element must match as a whole. */
function missBelow(branch: Branch, found: unknown): Miss | null {
  if (!Array.isArray(found)) return missIn(branch, found);
  const matched = found.some((element) => missIn(branch, element) === null);
  return matched ? null : { path: branch.path, expected: "an element that matches", found };
}

function ownField(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function explained(miss: Miss | null): Mismatch | null {
  return miss === null ? null : { path: miss.path, why: `expected ${miss.expected}, found ${described(miss.found)}` };
}

/** Payloads can be deep and large: only their surface is shown. */
function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  return typeof value === "string" ? quoted(value) : String(value);
}

function pathOf(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${quoted(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}
