// The event filter language: an object that mirrors the payload, with lists as leaves. Called by server dispatch (which jobs an event starts) and by
// indexing (bad filters are refused there, with the place; the grammar is the protocol's, which SDKs know, too). Promises: compiling and matching never throw, whatever the input and however deep; a key is
// read only if it is the value's own; a filter that compiles means exactly what docs and v2 say, and what could silently match too much is refused.
import { type FilterProblem, filterProblem, isFilterObject, isUniformList, pathInFilter, shortJson } from "@holdfast/protocol";
import { contentTest, listTest, type Test } from "./filter-operators.ts";

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
export interface RefusedFilter extends FilterProblem {
  readonly ok: false;
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
  const problem = filterProblem(json);
  if (problem) return { ok: false, ...problem };
  const root = compileBranch(json as object, "");
  return { ok: true, matches: (value) => missIn(root, value) === null, explain: (value) => explained(missIn(root, value)) };
}

/** What the grammar lets through: objects, and lists of primitives or of operators. */
function compileBranch(filter: object, path: string): Branch {
  const entries = Object.entries(filter).map(([key, value]: [string, unknown]) => {
    const below = pathInFilter(path, key);
    return [key, isFilterObject(value) ? compileBranch(value, below) : compileLeaf(value as unknown[], below)] as const;
  });
  return { kind: "branch", path, entries };
}

function compileLeaf(list: readonly unknown[], path: string): Leaf {
  const tests = isUniformList(list) ? [listTest(list)] : list.map((item) => contentTest(item as object));
  return { kind: "leaf", path, tests };
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
  if (isFilterObject(value)) return "an object";
  return typeof value === "string" ? shortJson(value) : String(value);
}
