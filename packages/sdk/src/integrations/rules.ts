// Room: integrations. What to do about a failed call of a service, by rules that are data: fail at once, try again after a growing pause, or wait as long as
// the service says. Pure. Called by define.ts with the rules of vendors.ts.
import type { Failure } from "./failure.ts";

/**
 * How a header tells when to come again: `seconds-or-date` is that of `retry-after`; `moment` is a date, seconds or milliseconds since 1970, or, when small,
 * seconds from now; `duration` is one such as `6m0s`.
 */
type WaitForm = "seconds-or-date" | "milliseconds" | "moment" | "duration";

/** A header that tells how long to wait; only where `when`'s headers have these values. */
export interface WaitHeader {
  header: string;
  form: WaitForm;
  when?: Readonly<Record<string, string>>;
}

/** Holds for a failure that meets all of its conditions. Of several that hold the first one decides. */
export interface FailureRule {
  /** Any of these statuses; `[500, 599]` is a range. */
  status?: readonly (number | readonly [number, number])[];
  /** Any of these, in `code`, `type` or `name` of the error or of one within it. */
  code?: readonly string[];
  /** Any of these HTTP methods. */
  method?: readonly string[];
  /** Headers of the answer, lower-case, and their values. */
  headers?: Readonly<Record<string, string>>;
  /** Part of the error's message, in any case. */
  message?: string;
  /** `fail`: the task fails now. `retry`: it is tried again. */
  do: "fail" | "retry";
  /** For `retry`: the first of these that the answer has says when. Default: `retry-after`. */
  wait?: readonly WaitHeader[];
  /** For `retry`: seconds to wait when no header says. Left out: the pauses of the integration's `retry`. */
  seconds?: number;
}

/** `backoff`: after the pause the task's own `retry` gives, if any is left. */
export type FailureVerdict = "fail" | "backoff" | { inMs: number } | { at: Date };

export const RETRY_AFTER: WaitHeader = { header: "retry-after", form: "seconds-or-date" };
const SERVER_ERROR = [500, 599] as const;

/** For every service, after its own. What has no status (the network, a bug in the callback) is tried again with growing pauses. */
export const DEFAULT_RULES: readonly FailureRule[] = [
  { status: [408, 425, 429, SERVER_ERROR], do: "retry", wait: [RETRY_AFTER] },
  { status: [[400, 499]], do: "fail" },
];

export function verdictOn(failure: Failure, rules: readonly FailureRule[]): FailureVerdict {
  const rule = [...rules, ...DEFAULT_RULES].find((each) => holds(each, failure));
  if (!rule) return "backoff";
  if (rule.do === "fail") return "fail";
  const named = (rule.wait ?? [RETRY_AFTER]).map((wait) => waitIn(wait, failure)).find((wait) => wait !== undefined);
  return named ?? (rule.seconds === undefined ? "backoff" : { inMs: rule.seconds * 1000 });
}

function holds({ status, code, method, headers, message }: FailureRule, failure: Failure): boolean {
  return (
    (!status || hasStatus(status, failure.status)) &&
    (!code || code.some((each) => failure.codes.has(each))) &&
    (!method || method.includes(failure.method ?? "")) &&
    hasHeaders(headers, failure) &&
    (!message || failure.message.toLowerCase().includes(message.toLowerCase()))
  );
}

function hasStatus(wanted: NonNullable<FailureRule["status"]>, status: number | undefined): boolean {
  if (status === undefined) return false;
  return wanted.some((each) => (typeof each === "number" ? each === status : status >= each[0] && status <= each[1]));
}

function hasHeaders(wanted: FailureRule["headers"], failure: Failure): boolean {
  return Object.entries(wanted ?? {}).every(([name, value]) => failure.header(name) === value);
}

function waitIn({ header, form, when }: WaitHeader, failure: Failure): FailureVerdict | undefined {
  const text = failure.header(header)?.trim();
  if (!text || !hasHeaders(when, failure)) return undefined;
  const verdict = FORMS[form](text);
  return typeof verdict === "object" && "at" in verdict ? byTheirClock(verdict.at, failure) : verdict;
}

/** Their clock and ours may differ: what counts is how far the moment is from when they answered. One that has passed says nothing. */
function byTheirClock(at: Date, failure: Failure): FailureVerdict {
  const answered = Date.parse(failure.header("date") ?? "");
  if (Number.isNaN(answered)) return { at };
  return inMs(at.getTime() - answered) ?? "backoff";
}

const inMs = (ms: number): FailureVerdict | undefined => (Number.isFinite(ms) && ms > 0 ? { inMs: Math.ceil(ms) } : undefined);

function dated(text: string): FailureVerdict | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : { at: new Date(time) };
}

const MS_OF = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Seconds since 1970 are above this from 2001 on, and below the next one until 5138: what is larger is milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e11;

const FORMS: Record<WaitForm, (text: string) => FailureVerdict | undefined> = {
  "seconds-or-date": (text) => (Number.isFinite(Number(text)) ? inMs(Number(text) * 1000) : dated(text)),
  milliseconds: (text) => inMs(Number(text)),
  moment: (text) => {
    const value = Number(text);
    if (!Number.isFinite(value)) return dated(text);
    if (value < EPOCH_SECONDS) return inMs(value * 1000);
    return { at: new Date(value < EPOCH_MS ? value * 1000 : value) };
  },
  duration: (text) => {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)];
    return inMs(parts.reduce((sum, [, count, unit]) => sum + Number(count) * MS_OF[unit as keyof typeof MS_OF], 0));
  },
};
