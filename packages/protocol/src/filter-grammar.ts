// The grammar of event and request filters: what counts as a filter, and where and why something does not. Called by the SDK when a filter is defined, by
// the engine before it compiles one, and so by every index a server takes. Promises: never throws, whatever the input and however deep it is; what it lets
// through means what docs and v2 say, and what could silently match too much is refused.

/** Where in the filter (empty: as a whole), and what is wrong there, as a sentence. */
export interface FilterProblem {
  readonly path: string;
  readonly problem: string;
}
export type FilterPrimitive = string | number | boolean;

/** Deep enough for any payload; shallow enough for the stack. */
const DEEPEST = 64;
const FORBIDDEN: readonly string[] = ["__proto__", "constructor", "prototype"];
const PARTS: readonly string[] = ["method", "headers", "query", "body"];
const PRIMITIVE = "a string, a number or a boolean";

const isString = (x: unknown): x is string => typeof x === "string";
const isNumber = (x: unknown): x is number => typeof x === "number";
const isBoolean = (x: unknown): x is boolean => typeof x === "boolean";
const isRange = (x: unknown): x is [number, number] => Array.isArray(x) && x.length === 2 && x.every(isNumber);
const isChoice = (x: unknown): boolean => isFilterPrimitive(x) || isUniformList(x);

/** What may stand in a leaf as it is. */
export const isFilterPrimitive = (x: unknown): x is FilterPrimitive => isString(x) || isNumber(x) || isBoolean(x);

/** Primitives of one type: v2 refuses a mixture, and so do we. An empty list is one. */
export function isUniformList(x: unknown): x is FilterPrimitive[] {
  return Array.isArray(x) && x.every((item) => isFilterPrimitive(item) && typeof item === typeof x[0]);
}

interface Operand {
  /** What the operand must be, for the refusal. */
  readonly takes: string;
  readonly is: (operand: unknown) => boolean;
}
const text: Operand = { takes: "a string", is: isString };
const number: Operand = { takes: "a number", is: isNumber };
const flag: Operand = { takes: "true or false", is: isBoolean };
const primitive: Operand = { takes: PRIMITIVE, is: isFilterPrimitive };

const OPERANDS = {
  $startsWith: text,
  $endsWith: text,
  $ignoreCaseEquals: text,
  $exists: flag,
  $isNull: flag,
  $anythingBut: { takes: `${PRIMITIVE}, or a list of one of these`, is: isChoice },
  $not: primitive,
  $gt: number,
  $gte: number,
  $lt: number,
  $lte: number,
  $between: { takes: "two numbers", is: isRange },
  $includes: primitive,
} satisfies Record<string, Operand>;
/** The content operators. */
export type FilterOperator = keyof typeof OPERANDS;

const isOperator = (name: string): name is FilterOperator => Object.hasOwn(OPERANDS, name);

/**
 * What is wrong with an event filter; null when it is one.
 *
 * @param filter as it came from JSON or from the program
 * @example
 * filterProblem({ type: ["user.created"], data: { age: [{ $gte: 18 }] } }); // null
 * filterProblem({ type: "user.created" }); // { path: "type", problem: "A leaf is a list: write [value], even for a single value." }
 */
export function filterProblem(filter: unknown): FilterProblem | null {
  if (!isFilterObject(filter)) return { path: "", problem: "A filter is an object that mirrors the payload." };
  return branchProblem(filter, "", 1);
}

/**
 * What is wrong with a request filter, `{method, headers, query, body}`; null when it is one.
 *
 * @example requestFilterProblem({ type: ["user.created"] }); // { path: "type", problem: "A request filter has only method, …" }
 */
export function requestFilterProblem(filter: unknown): FilterProblem | null {
  if (!isFilterObject(filter)) return { path: "", problem: "A request filter is an object." };
  const stray = Object.keys(filter).find((key) => !PARTS.includes(key));
  if (stray !== undefined) {
    const problem = "A request filter has only method, headers, query and body. Fields of the payload go under body.";
    return { path: pathInFilter("", stray), problem };
  }
  const { headers } = filter as { headers?: unknown };
  const names = isFilterObject(headers) ? Object.keys(headers) : [];
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    const path = pathInFilter("headers", lower);
    if (seen.has(lower)) return { path, problem: "This header is named twice." };
    // Names match in any case, so a forbidden one is forbidden in any case.
    if (FORBIDDEN.includes(lower)) return { path, problem: "This key is not allowed in a filter." };
    seen.add(lower);
  }
  return filterProblem(filter);
}

function branchProblem(branch: object, path: string, depth: number): FilterProblem | null {
  if (depth > DEEPEST) return { path, problem: `A filter may be ${DEEPEST} levels deep at most.` };
  for (const [key, value] of Object.entries(branch)) {
    const problem = entryProblem(key, value, { path: pathInFilter(path, key), depth });
    if (problem) return problem;
  }
  return null;
}

function entryProblem(key: string, value: unknown, at: { path: string; depth: number }): FilterProblem | null {
  const refuse = (problem: string): FilterProblem => ({ path: at.path, problem });
  if (FORBIDDEN.includes(key)) return refuse("This key is not allowed in a filter.");
  if (isOperator(key)) return refuse(`${key} is an operator: write it inside a list, as in [{ "${key}": … }].`);
  if (isFilterObject(value)) return branchProblem(value, at.path, at.depth + 1);
  if (!Array.isArray(value)) return refuse("A leaf is a list: write [value], even for a single value.");
  const problem = leafProblem(value);
  return problem === null ? null : refuse(problem);
}

function leafProblem(list: readonly unknown[]): string | null {
  if (isUniformList(list)) return null;
  for (const [index, item] of list.entries()) {
    if (!isFilterObject(item))
      return "A list holds strings, or numbers, or booleans, or operators: not a mixture, no null and no list.";
    const problem = contentProblem(item);
    if (problem) return `List entry ${index + 1}: ${problem}`;
  }
  return null;
}

/** One content filter: an object with exactly one operator. v2 would silently keep one of several, so several are refused. */
function contentProblem(filter: object): string | null {
  const [entry, ...more] = Object.entries(filter);
  if (entry === undefined) return 'is empty: name an operator, for example {"$exists": true}.';
  if (more.length > 0) return "has several operators: give each an object of its own in the list; all of them must hold.";
  const [name, operand] = entry;
  if (!isOperator(name)) return `${shortJson(name)} is not an operator. Known: ${Object.keys(OPERANDS).join(", ")}.`;
  const { is, takes } = OPERANDS[name];
  return is(operand) ? null : `${name} takes ${takes}.`;
}

export function isFilterObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A place in a filter, as people write it: `data.user["first name"]`. */
export function pathInFilter(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${shortJson(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/** A flat value as JSON, cut where it would fill the screen. */
export function shortJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 120 ? `${json.slice(0, 120)}…` : json;
}
