// The leaves of the event filter language: lists of primitives and the content operators, as functions from a value to yes or no. Called by filter.ts
// only, for what the grammar let through. Promises: pure; no test throws.
import { type FilterOperator, type FilterPrimitive, isFilterPrimitive, shortJson } from "@holdfast/protocol";

/** A test with the words that finish the sentence "expected …". */
export interface Test {
  readonly expected: string;
  holds(value: unknown): boolean;
}

type Holds = (value: unknown) => boolean;

const isString = (x: unknown): x is string => typeof x === "string";
const isNumber = (x: unknown): x is number => typeof x === "number";

const onStrings = (test: (value: string, operand: string) => boolean) => (operand: string) => (value: unknown) =>
  isString(value) && test(value, operand);
const onNumbers = (test: (value: number, operand: number) => boolean) => (operand: number) => (value: unknown) =>
  isNumber(value) && test(value, operand);

/** Case does not count, accents do. A fixed locale, so that every server says the same. */
const caseless = new Intl.Collator("en", { sensitivity: "accent" });

/** The grammar has seen to it that each operand is what its operator takes. */
const OPERATORS: { readonly [Name in FilterOperator]: (operand: never) => Holds } = {
  $startsWith: onStrings((value, start) => value.startsWith(start)),
  $endsWith: onStrings((value, end) => value.endsWith(end)),
  $ignoreCaseEquals: onStrings((value, other) => caseless.compare(value, other) === 0),
  $exists: (wanted: boolean) => (value) => (value !== undefined) === wanted,
  $isNull: (wanted: boolean) => (value) => (value === null) === wanted,
  $anythingBut: anythingBut,
  $not: not,
  $gt: onNumbers((value, bound) => value > bound),
  $gte: onNumbers((value, bound) => value >= bound),
  $lt: onNumbers((value, bound) => value < bound),
  $lte: onNumbers((value, bound) => value <= bound),
  $between:
    ([low, high]: [number, number]) =>
    (value) =>
      isNumber(value) && value >= low && value <= high,
  $includes: (item: FilterPrimitive) => (value) => Array.isArray(value) && value.includes(item),
};

function anythingBut(refused: FilterPrimitive | FilterPrimitive[]): Holds {
  const list: readonly unknown[] = Array.isArray(refused) ? refused : [refused];
  return (value) => !list.includes(value);
}

/** Unlike `$anythingBut`, something must be there: a missing value, null or an object does not match. */
function not(refused: FilterPrimitive): Holds {
  return (value) => (Array.isArray(value) ? !value.includes(refused) : isFilterPrimitive(value) && value !== refused);
}

/** One content filter: an object with exactly one operator. */
export function contentTest(filter: object): Test {
  const [[name, operand]] = Object.entries(filter) as [[FilterOperator, never]];
  return { expected: `${name} ${shortJson(operand)}`, holds: OPERATORS[name](operand) };
}

/** A list of primitives: the value is strictly one of them; an empty list asks nothing. */
export function listTest(list: readonly FilterPrimitive[]): Test {
  if (list.length === 0) return { expected: "anything", holds: () => true };
  const choices: readonly unknown[] = list;
  return { expected: `one of ${shortJson(list)}`, holds: (value) => choices.includes(value) };
}
