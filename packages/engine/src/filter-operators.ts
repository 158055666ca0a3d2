// The leaves of the event filter language: lists of primitives and the content operators, as functions from a value to yes or no. Called by filter.ts
// only. Promises: pure; an operand of the wrong type is refused at compile time, so no test can throw at match time.

export type Primitive = string | number | boolean;
/** A test with the words that finish the sentence "expected …". */
export interface Test {
  readonly expected: string;
  holds(value: unknown): boolean;
}
/** Why something is no filter, as a sentence. */
export interface Problem {
  readonly problem: string;
}

interface Operator {
  /** What the operand must be, for the refusal. */
  readonly takes: string;
  /** The test, or null when the operand is not what it takes. */
  test(operand: unknown): ((value: unknown) => boolean) | null;
}

const isString = (x: unknown): x is string => typeof x === "string";
const isNumber = (x: unknown): x is number => typeof x === "number";
const isBoolean = (x: unknown): x is boolean => typeof x === "boolean";
const isPrimitive = (x: unknown): x is Primitive => isString(x) || isNumber(x) || isBoolean(x);
const isRange = (x: unknown): x is [number, number] => Array.isArray(x) && x.length === 2 && x.every(isNumber);

/** Primitives of one type: v2 refuses a mixture, and so do we. An empty list is one. */
export function isUniformList(x: unknown): x is Primitive[] {
  return Array.isArray(x) && x.every((item) => isPrimitive(item) && typeof item === typeof x[0]);
}
const isChoice = (x: unknown): x is Primitive | Primitive[] => isPrimitive(x) || isUniformList(x);

function operator<T>(takes: string, is: (x: unknown) => x is T, test: (operand: T) => (value: unknown) => boolean): Operator {
  return { takes, test: (operand) => (is(operand) ? test(operand) : null) };
}
const onStrings = (test: (value: string, operand: string) => boolean) =>
  operator("a string", isString, (operand) => (value) => isString(value) && test(value, operand));
const onNumbers = (test: (value: number, operand: number) => boolean) =>
  operator("a number", isNumber, (operand) => (value) => isNumber(value) && test(value, operand));

/** Case does not count, accents do. A fixed locale, so that every server says the same. */
const caseless = new Intl.Collator("en", { sensitivity: "accent" });
const PRIMITIVE = "a string, a number or a boolean";

/** A Map, because a plain object would answer to `constructor` and `toString`. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["$startsWith", onStrings((value, start) => value.startsWith(start))],
  ["$endsWith", onStrings((value, end) => value.endsWith(end))],
  ["$ignoreCaseEquals", onStrings((value, other) => caseless.compare(value, other) === 0)],
  ["$exists", operator("true or false", isBoolean, (wanted) => (value) => (value !== undefined) === wanted)],
  ["$isNull", operator("true or false", isBoolean, (wanted) => (value) => (value === null) === wanted)],
  ["$anythingBut", operator(`${PRIMITIVE}, or a list of one of these`, isChoice, anythingBut)],
  ["$not", operator(PRIMITIVE, isPrimitive, not)],
  ["$gt", onNumbers((value, bound) => value > bound)],
  ["$gte", onNumbers((value, bound) => value >= bound)],
  ["$lt", onNumbers((value, bound) => value < bound)],
  ["$lte", onNumbers((value, bound) => value <= bound)],
  [
    "$between",
    operator(
      "two numbers",
      isRange,
      ([low, high]) =>
        (value) =>
          isNumber(value) && value >= low && value <= high,
    ),
  ],
  ["$includes", operator(PRIMITIVE, isPrimitive, (item) => (value) => Array.isArray(value) && value.includes(item))],
]);

function anythingBut(refused: Primitive | Primitive[]): (value: unknown) => boolean {
  const list: readonly unknown[] = Array.isArray(refused) ? refused : [refused];
  return (value) => !list.includes(value);
}

/** Unlike `$anythingBut`, something must be there: a missing value, null or an object does not match. */
function not(refused: Primitive): (value: unknown) => boolean {
  return (value) => (Array.isArray(value) ? !value.includes(refused) : isPrimitive(value) && value !== refused);
}

export function isOperator(name: string): boolean {
  return OPERATORS.has(name);
}

/** One content filter: an object with exactly one operator. v2 would silently keep one of several, so several are refused. */
export function contentTest(filter: object): Test | Problem {
  const [entry, ...more] = Object.entries(filter);
  if (entry === undefined) return { problem: 'is empty: name an operator, for example {"$exists": true}.' };
  if (more.length > 0)
    return { problem: "has several operators: give each an object of its own in the list; all of them must hold." };
  const [name, operand] = entry;
  const found = OPERATORS.get(name);
  if (found === undefined) return { problem: `${quoted(name)} is not an operator. Known: ${[...OPERATORS.keys()].join(", ")}.` };
  const holds = found.test(operand);
  return holds === null ? { problem: `${name} takes ${found.takes}.` } : { expected: `${name} ${quoted(operand)}`, holds };
}

/** A list of primitives: the value is strictly one of them; an empty list asks nothing. */
export function listTest(list: readonly Primitive[]): Test {
  if (list.length === 0) return { expected: "anything", holds: () => true };
  const choices: readonly unknown[] = list;
  return { expected: `one of ${quoted(list)}`, holds: (value) => choices.includes(value) };
}

/** Operand or key as JSON, cut where it would fill the screen. Operands are flat, so this cannot run deep. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
