// Flow control before runs exist: whether an event starts a run of a job, and when, where the job has a rate limit or is debounced. Called by server dispatch (which
// door) and by both stores (who comes in). Promises: pure; no period has more starts than its limit, by the times of the runs; a debounced run is put off no
// longer than its timeout.
import type { JobMetadata } from "@holdfast/protocol";
import { keyOf, valueAt } from "./flow.ts";

/** Where an event asks before it starts a run: one for each job, or for each value of its key. Times in milliseconds. */
export type Door =
  | { readonly kind: "rate"; readonly id: string; readonly limit: number; readonly period: number }
  /** `timeout`: how long after the first event a run is put off at most. */
  | { readonly kind: "debounce"; readonly id: string; readonly period: number; readonly timeout: number | null };

/** An event that would start a run. */
export interface Knock {
  readonly run: string;
  readonly event: string;
  /** When the run was made, epoch milliseconds. */
  readonly at: number;
  readonly door: Door;
}

/** A run that waits for its period to be over. `event`: the last one, which it is of; `since`: when the first one came. */
export interface PutOff {
  readonly run: string;
  readonly event: string;
  readonly since: number;
  readonly dueAt: number;
}

/** `starts`: how many were let in; `times`: when, by number, at least the last ones, as many as the limit; they never fall. */
export interface DoorState {
  readonly starts: number;
  readonly times: ReadonlyMap<number, number>;
  readonly putOff: PutOff | null;
}

export type Answer =
  | { readonly type: "enters"; readonly dueAt: number }
  /** `until`: when an event would have come in. */
  | { readonly type: "refused"; readonly until: number }
  /** The run that is put off is this event's from now on, and no longer that of `former`. */
  | { readonly type: "replaces"; readonly run: string; readonly former: string; readonly dueAt: number };

/**
 * The door an event of this job asks at, or null when the job has none.
 *
 * @param payload what a `key` reads; called only then
 * @example
 * doorOf("env_1", { ...job, id: "sync", rateLimit: { limit: 5, period: 60 } }, () => ({})); // { kind: "rate", id: '["env_1","rate","sync"]', limit: 5, period: 60000 }
 */
export function doorOf(environmentId: string, { id, rateLimit, debounce }: JobMetadata, payload: () => unknown): Door | null {
  const given = rateLimit ?? debounce;
  if (given === undefined) return null;
  const name = [environmentId, rateLimit ? "rate" : "debounce", id];
  const named = JSON.stringify(given.key === undefined ? name : [...name, keyOf(valueAt(given.key, payload()))]);
  if (rateLimit) return { kind: "rate", id: named, limit: rateLimit.limit, period: milliseconds(rateLimit.period) };
  const timeout = debounce?.timeout === undefined ? null : milliseconds(debounce.timeout);
  return { kind: "debounce", id: named, period: milliseconds(given.period), timeout };
}

function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

/** Why a job's rate limit or debounce cannot be used, or null. */
export function doorProblem({ rateLimit, debounce, trigger }: JobMetadata): string | null {
  if (rateLimit && debounce) return "rateLimit and debounce do not go together: a debounced job starts once a period anyhow.";
  if (debounce?.timeout !== undefined && debounce.timeout < debounce.period)
    return "the timeout of debounce is shorter than its period.";
  const option = rateLimit ? "rateLimit" : debounce ? "debounce" : null;
  if (option && trigger.type === "invoke")
    return `${option} is about events, and nothing but a call by its name starts this job.`;
  return null;
}

/**
 * What comes of one who asks, and how the door stands then.
 *
 * @example
 * const { answer } = knockAt({ starts: 0, times: new Map(), putOff: null }, { run, event, at: 1_000, door }); // { type: "enters", dueAt: 1_000 }
 */
export function knockAt(state: DoorState, knock: Knock): { answer: Answer; state: DoorState } {
  return knock.door.kind === "rate" ? askRate(state, knock, knock.door) : askDebounce(state, knock, knock.door);
}

type Rate = Extract<Door, { kind: "rate" }>;
type Debounce = Extract<Door, { kind: "debounce" }>;

/** A start is noted no sooner than the one before it, whatever the clocks of servers say: so it is enough to look at the one that was `limit` starts ago. */
function askRate(state: DoorState, { at }: Knock, { limit, period }: Rate): { answer: Answer; state: DoorState } {
  const { starts, times } = state;
  const former = times.get(starts - limit);
  if (former !== undefined && at - former < period) return { answer: { type: "refused", until: former + period }, state };
  const noted = Math.max(at, times.get(starts - 1) ?? at);
  return {
    answer: { type: "enters", dueAt: at },
    state: { ...state, starts: starts + 1, times: new Map([...times, [starts, noted]]) },
  };
}

/** Once its time has come, a run is one of those that wait for their app, and the next event is put off by itself. */
function askDebounce(
  state: DoorState,
  { run, event, at }: Knock,
  { period, timeout }: Debounce,
): { answer: Answer; state: DoorState } {
  const { putOff } = state;
  if (!putOff || putOff.dueAt <= at) {
    const dueAt = at + period;
    return { answer: { type: "enters", dueAt }, state: { ...state, putOff: { run, event, since: at, dueAt } } };
  }
  const latest = timeout === null ? Number.POSITIVE_INFINITY : putOff.since + timeout;
  const dueAt = Math.max(putOff.dueAt, Math.min(at + period, latest));
  return {
    answer: { type: "replaces", run: putOff.run, former: putOff.event, dueAt },
    state: { ...state, putOff: { ...putOff, event, dueAt } },
  };
}
