// Room: testing. What a test may say of a run, checked: tests in JavaScript, and those that cast, meet no compiler. Called by JobTester and TestRun.
// Promise: whatever is refused is named, with what was given and what to write instead, before anything of the job runs.
import { UserFacingError } from "@holdfast/protocol";
import type { TestFramework, TestRunOptions } from "./tester.ts";

/** Whether a value will do, and what would. */
type Rule = readonly [fits: (value: unknown) => boolean, want: string];

/** Not a list, a Map or null. Objects of another realm, as jest has them, and modules are. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  /^\[object (?:Object|Module)\]$/.test(Object.prototype.toString.call(value));
const isName = (value: unknown): value is string => typeof value === "string" && value !== "";
const isNames = (value: unknown): boolean => isName(value) || (Array.isArray(value) && value.every(isName));
const isDate = (value: unknown): boolean =>
  typeof (value as Date | null)?.getTime === "function" && !Number.isNaN((value as Date).getTime());
const isSubject = (value: unknown): boolean => isObject(value) && isName(value.id);

const SCOPES = ["env", "job", "run"];
const isStore = (value: unknown): boolean =>
  isObject(value) &&
  Object.entries(value).every(([scope, values]) => SCOPES.includes(scope) && (values === undefined || isObject(values)));

const isConnection = (value: unknown): boolean =>
  value === undefined || (isObject(value) && isName(value.accessToken) && (value.type === "oauth2" || value.type === "apiKey"));

const ENVIRONMENTS = ["DEVELOPMENT", "STAGING", "PRODUCTION", "PREVIEW"];
const ENVIRONMENT: Rule = [
  (value) => ENVIRONMENTS.includes(value as string),
  `one of ${ENVIRONMENTS.map((one) => `"${one}"`).join(", ")}`,
];
const SUBJECT: Rule = [isSubject, '{ id: "…" }, with metadata if you like'];

const RULES: Record<keyof TestRunOptions, Rule> = {
  tasks: [isObject, 'an object, by cacheKey: { "send mail": { id: "m1" } }'],
  crashAfter: [(value) => value === true || isNames(value), "a cacheKey, a list of them, or true"],
  crashDuring: [isNames, "a cacheKey, or a list of them"],
  id: [isName, "a text, the id of the event"],
  context: [isJson, "something that can be written as JSON"],
  account: SUBJECT,
  source: SUBJECT,
  connections: [
    (value) => isObject(value) && Object.values(value).every(isConnection),
    'an object, by id of the integration: { github: { type: "oauth2", accessToken: "…" } }, or of type "apiKey"',
  ],
  isTest: [(value) => typeof value === "boolean", "true or false"],
  environment: ENVIRONMENT,
  now: [isDate, 'a Date: new Date("2026-03-01")'],
  store: [isStore, "an object of the scopes: { env: { key: value }, job: {}, run: {} }, or another run's store"],
};

/** @throws BAD_REQUEST for an option of the wrong type, or one there is none of */
export function checkOptions(options: unknown): void {
  checkEach(options, RULES, 'tester.run(job, payload, { tasks: { "send mail": null } })');
}

const SHORT: Record<string, Rule> = { ...RULES, payload: [() => true, ""], env: ENVIRONMENT };

/** As checkOptions, of v2's short form. */
export function checkShortOptions(options: unknown): void {
  checkEach(options, SHORT, 'testJob(job, { payload, tasks: { "send mail": null } })');
}

function checkEach(options: unknown, rules: Record<string, Rule>, example: string): void {
  if (!isObject(options)) throw refused(`Options of a run are an object, not ${shown(options)}.`, `Write ${example}.`);
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) throw refused(`There is no option "${name}" of a run.`, `There are ${Object.keys(rules).join(", ")}.`);
    const [fits, want] = rule;
    if (value !== undefined && !fits(value))
      throw refused(`The option "${name}" cannot be ${shown(value)}.`, `It takes ${want}.`);
  }
}

const HANDS = ["fn", "setSystemTime", "isFakeTimers"] as const satisfies readonly (keyof TestFramework)[];

/** `vi` and `jest` are functions' holders; an object without any of them is fine, and does nothing. @throws BAD_REQUEST */
export function checkFramework(framework: unknown): void {
  const holds = (typeof framework === "object" && framework !== null) || typeof framework === "function";
  const wrong = holds
    ? HANDS.find((name) => !/^(?:function|undefined)$/.test(typeof (framework as TestFramework)[name]))
    : undefined;
  if (holds && wrong === undefined) return;
  const what = wrong
    ? `"${wrong}" of what createJobTester was given is no function.`
    : `createJobTester takes a test framework, not ${shown(framework)}.`;
  throw refused(what, "Give it vi, jest or nothing.");
}

/** @param what begins the sentence: "The payload" @throws BAD_REQUEST for what has no JSON: circles, bigints */
export function jsonOf(value: unknown, what: string): string | undefined {
  if (!isJson(value))
    throw refused(
      `${what} cannot be written as JSON, as it travels: ${whyNot(value)}.`,
      "Give plain data: bigints as texts, and nothing that holds itself.",
    );
  return JSON.stringify(value);
}

function isJson(value: unknown): boolean {
  return whyNot(value) === undefined;
}

function whyNot(value: unknown): string | undefined {
  try {
    JSON.stringify(value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
  }
}

/** A value in a sentence, short. */
export function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null && isDate(value)) return "a Date";
  if (Object.prototype.toString.call(value) === "[object Date]") return "an invalid Date";
  const text =
    typeof value === "object" && isJson(value)
      ? JSON.stringify(value)
      : typeof value === "string"
        ? JSON.stringify(value)
        : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

const refused = (message: string, hint: string): UserFacingError => new UserFacingError("BAD_REQUEST", message, hint);
