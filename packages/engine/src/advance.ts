// The run machine: what an input does to a run. Called by server `runs/change.ts`, the only writer of run state, and by the store's claim.
// Promises: total (every state has an answer to every input; a new state or input does not compile until it has one), pure, synchronous. A finished run
// moves only by `continued`; an input that names an execution moves nothing unless that execution is the current one. Table: docs/state-machine.md.
import {
  backoff,
  clocked,
  dueTime,
  finish,
  forgiven,
  moved,
  queue,
  start,
  tooManyLosses,
  tooManyYields,
  unstarted,
} from "./moves.ts";
import type { Ignored, Moment, Moved, Outcome, Run, RunInput, RunState } from "./run.ts";
import { RUN_LIMITS } from "./run.ts";

export type Decision = Moved | Ignored;

type Kind = RunState["kind"];
type InputType = RunInput["type"];
type RunIn<K extends Kind> = Run & { readonly state: Extract<RunState, { kind: K }> };
type InputOf<T extends InputType> = Extract<RunInput, { type: T }>;
type Handler<K extends Kind, T extends InputType> = (run: RunIn<K>, input: InputOf<T>, moment: Moment) => Decision;
type Handlers<K extends Kind> = { readonly [T in InputType]: Handler<K, T> };

const ignore = (why: Ignored["why"]) => (): Ignored => ({ type: "ignored", why });
const stale = ignore("stale");
const finished = ignore("finished");
const impossible = ignore("impossible");
const nothingToDo = ignore("nothing-to-do");

/** A failed call of a reachable app waits 0.75 s, 1.1 s, …; a lost one 0.2 s, 0.4 s, …; an unreachable app is asked again after 1 s, 2 s, … */
const GROWTH = {
  callFailed: { first: 500, factor: 1.5, most: 60_000 },
  lost: { first: 100, factor: 2, most: 30_000 },
  unreachable: { first: 500, factor: 2, most: 30_000 },
} as const;

/** An unreachable app slows the run down but uses up at most half of the failures it may have: after the outage it gets real tries again. */
const UNREACHABLE_FAILURES = RUN_LIMITS.failures / 2;

/** Lets only the holder of the current token through. */
function held<T extends InputOf<InputType> & { readonly token: string }>(
  handle: (run: RunIn<"executing">, input: T, moment: Moment) => Decision,
): (run: RunIn<"executing">, input: T, moment: Moment) => Decision {
  return (run, input, moment) => (input.token === run.state.token ? handle(run, input, moment) : stale());
}

/** Ends the current execution, and with it the run. */
const end = <T>(outcome: (input: T) => Outcome) => {
  return (run: Run, input: T, { now }: Moment): Moved => finish(clocked(run, now), outcome(input), now);
};
const cancel = end<InputOf<"canceled">>(() => ({ status: "CANCELED" }));
const abort = end<InputOf<"aborted">>(({ error }) => ({ status: "ABORTED", error }));

function begin(run: Run, input: InputOf<"claimed">, { now }: Moment): Moved {
  return start(run, input.token, now);
}

/** The former holder's lease expired. Its time is unknown, so none is counted; hearing of the same claim twice changes nothing. */
function reclaim(run: RunIn<"executing">, input: InputOf<"claimed">, { now }: Moment): Decision {
  if (input.token === run.state.token) return nothingToDo();
  const known = forgiven(run, input.progressed === true);
  const next = { ...known, losses: known.losses + 1 };
  if (next.losses >= RUN_LIMITS.losses) return finish(next, { status: "FAILURE", error: { message: tooManyLosses } }, now);
  return start(next, input.token, now);
}

function resume(run: RunIn<"waiting">, input: InputOf<"claimed">, moment: Moment): Decision {
  const { dueAt } = run.state;
  return dueAt !== null && dueAt <= moment.now ? begin(run, input, moment) : nothingToDo();
}

function suspend(run: Run, input: InputOf<"suspended">, { now }: Moment): Moved {
  const dueAt = input.dueAt === null ? null : dueTime(input.dueAt, now);
  const next: Run = { ...forgiven(clocked(run, now), true), state: { kind: "waiting", dueAt } };
  return moved(next, [dueAt === null ? { type: "rest" } : { type: "execute", dueAt }]);
}

/** Progress is a key not passed before, or an automatic yield that wants to go on at once; waiting for a rate limit is none. */
function yieldRun(run: Run, input: InputOf<"yielded">, { now }: Moment): Moved {
  const { key } = input;
  const fresh = key !== null && !run.yields.includes(key);
  const ended = clocked(run, now);
  if (fresh && run.yields.length >= RUN_LIMITS.yields)
    return finish(ended, { status: "FAILURE", error: { message: tooManyYields } }, now);
  const progressed = fresh || (key === null && input.dueAt === null);
  const next = fresh ? { ...ended, yields: [...run.yields, key] } : ended;
  return queue(forgiven(next, progressed), "yielded", dueTime(input.dueAt ?? now, now));
}

function retryCall(run: Run, input: InputOf<"callFailed">, moment: Moment): Moved {
  const known = forgiven(clocked(run, moment.now), input.progressed);
  const failures = known.failures + 1;
  const next = { ...known, failures };
  if (failures >= RUN_LIMITS.failures) return finish(next, { status: "FAILURE", error: input.error }, moment.now);
  return queue(next, "retry", backoff(GROWTH.callFailed, failures, moment));
}

/** With progress the run goes on at once, where it was cut off. Without any, every further call would end the same way, so few are tried. */
function retryCutOff(run: Run, input: InputOf<"cutOff">, moment: Moment): Moved {
  const known = forgiven(clocked(run, moment.now), input.progressed);
  if (input.progressed) return queue(known, "resumed", moment.now);
  const failures = known.failures + 1;
  const next = { ...known, failures };
  if (failures >= RUN_LIMITS.cutOffs) return finish(next, { status: "TIMED_OUT", error: input.error }, moment.now);
  return queue(next, "retry", backoff(GROWTH.callFailed, failures, moment));
}

function retryLost(run: Run, input: InputOf<"lost">, moment: Moment): Moved {
  const known = forgiven(clocked(run, moment.now), input.progressed);
  const losses = known.losses + 1;
  const next = { ...known, losses };
  if (losses >= RUN_LIMITS.losses) return finish(next, { status: "FAILURE", error: { message: tooManyLosses } }, moment.now);
  return queue(next, "retry", backoff(GROWTH.lost, losses, moment));
}

/** Nothing ran, so the execution does not count, and the run never fails by it. */
function retryUnreachable(run: Run, _input: InputOf<"unreachable">, moment: Moment): Moved {
  const failures = Math.max(run.failures, Math.min(run.failures + 1, UNREACHABLE_FAILURES));
  return queue({ ...unstarted(run), failures }, "retry", backoff(GROWTH.unreachable, run.failures + 1, moment));
}

function release(run: Run, _input: InputOf<"released">, { now }: Moment): Moved {
  const next = unstarted(run);
  return queue(next, next.executions === 0 ? "created" : "resumed", now);
}

function awaitConnections(run: Run): Moved {
  return moved({ ...unstarted(run), state: { kind: "waiting", dueAt: null, on: "connections" } }, [{ type: "rest" }]);
}

/** A run that never executed stands in line as if it were new. */
function wake(run: Run, _input: InputOf<"woken">, { now }: Moment): Moved {
  return queue(run, run.executions === 0 ? "created" : "resumed", now);
}

/** What it may wait for has happened while it executes: an end that was decided without knowing so does not fit the run any more and is decided anew. */
function touch(run: RunIn<"executing">): Moved {
  return moved(run, [{ type: "hold" }]);
}

/** Yields stay passed and executions stay counted; a run that used all its executions up would only time out again. */
function continueRun(run: RunIn<"finished">, _input: InputOf<"continued">, { now }: Moment): Decision {
  if (run.state.outcome.status === "SUCCESS" || run.executions >= RUN_LIMITS.executions) return impossible();
  const { run: next, effects } = queue(forgiven(run, true), "resumed", now);
  return moved(next, [{ type: "reopenTasks" }, ...effects]);
}

/** No execution is current, so whatever speaks for one is late. */
const noExecution = {
  succeeded: stale,
  failed: stale,
  suspended: stale,
  yielded: stale,
  invalidPayload: stale,
  unresolvedAuth: stale,
  callFailed: stale,
  cutOff: stale,
  lost: stale,
  unreachable: stale,
  released: stale,
  unconnected: stale,
} as const;

const queued: Handlers<"queued"> = {
  ...noExecution,
  claimed: begin,
  woken: nothingToDo,
  canceled: cancel,
  aborted: abort,
  continued: impossible,
};

const executing: Handlers<"executing"> = {
  claimed: reclaim,
  succeeded: held(end(({ output }) => ({ status: "SUCCESS", output }))),
  failed: held(end(({ error }) => ({ status: "FAILURE", error }))),
  suspended: held(suspend),
  yielded: held(yieldRun),
  invalidPayload: held(end(({ errors }) => ({ status: "INVALID_PAYLOAD", errors }))),
  unresolvedAuth: held(end(({ issues }) => ({ status: "UNRESOLVED_AUTH", issues }))),
  callFailed: held(retryCall),
  cutOff: held(retryCutOff),
  lost: held(retryLost),
  unreachable: held(retryUnreachable),
  released: held(release),
  unconnected: held(awaitConnections),
  woken: touch,
  canceled: cancel,
  aborted: abort,
  continued: impossible,
};

const waiting: Handlers<"waiting"> = {
  ...noExecution,
  claimed: resume,
  woken: wake,
  canceled: cancel,
  aborted: abort,
  continued: impossible,
};

const ended: Handlers<"finished"> = {
  claimed: finished,
  succeeded: finished,
  failed: finished,
  suspended: finished,
  yielded: finished,
  invalidPayload: finished,
  unresolvedAuth: finished,
  callFailed: finished,
  cutOff: finished,
  lost: finished,
  unreachable: finished,
  released: finished,
  unconnected: finished,
  woken: finished,
  canceled: finished,
  aborted: finished,
  continued: continueRun,
};

const machine: { readonly [K in Kind]: Handlers<K> } = { queued, executing, waiting, finished: ended };

/**
 * Decides what an input does to a run.
 *
 * @param run the run as it is
 * @param input what happened
 * @param moment epoch milliseconds, and chance in [0, 1) for backoff
 * @returns the run after the move with the effects that must be stored in the same transaction, or why nothing moves
 * @example
 * const claimed = advance(newRun("run_1", 1_000), { type: "claimed", token: "exe_1" }, { now: 2_000, jitter: 0 });
 * // { type: "moved", run: { state: { kind: "executing", token: "exe_1", since: 2000 }, executions: 1, … }, effects: [{ type: "settleTasks", at: 2000 }] }
 */
export function advance(run: Run, input: RunInput, moment: Moment): Decision {
  // The table is keyed by the run's own kind and the input's own type, which TypeScript cannot follow through two look-ups.
  const handle = machine[run.state.kind][input.type] as (run: Run, input: RunInput, moment: Moment) => Decision;
  return handle(run, input, moment);
}

/**
 * A run that has just been created, due at once.
 *
 * @param now epoch milliseconds
 * @example newRun("run_1", 1_000).state // { kind: "queued", cause: "created", dueAt: 1000 }
 */
export function newRun(id: string, now: number): Run {
  const state: RunState = { kind: "queued", cause: "created", dueAt: now };
  return { id, state, startedAt: null, executions: 0, executionMs: 0, failures: 0, losses: 0, yields: [] };
}
