// The steps the run machine's handlers are made of: start, finish, ask for another execution, back off. Called by advance.ts only. Promises: pure; no due
// time lies in the past, in a fraction of a millisecond, or beyond what a date can hold; executionMs never shrinks.
import type { Moment, Moved, Outcome, Run, RunEffect, RunState } from "./run.ts";
import { RUN_LIMITS } from "./run.ts";

type Queued = Extract<RunState, { kind: "queued" }>;

/** The last millisecond a Date can name. */
const LAST_MOMENT = 8.64e15;
/** Chance stretches a backoff by up to this share, so that runs that failed together do not return together. */
const SPREAD = 0.2;

export function moved(run: Run, effects: readonly RunEffect[]): Moved {
  return { type: "moved", run, effects };
}

/** `at` as a due time: whole milliseconds, rounded up so that nothing is early, and never before now. Nonsense (NaN) means now. */
export function dueTime(at: number, now: number): number {
  return at > now ? Math.min(Math.ceil(at), LAST_MOMENT) : now;
}

/** Ends the current execution's clock: its time joins `executionMs`. A clock that stepped back adds nothing. */
export function clocked(run: Run, now: number): Run {
  if (run.state.kind !== "executing") return run;
  return { ...run, executionMs: run.executionMs + Math.max(0, now - run.state.since) };
}

/** The end. Open tasks of a finished run must not stay open, and whoever asked is told, in the same transaction. */
export function finish(run: Run, outcome: Outcome, now: number): Moved {
  return moved({ ...run, state: { kind: "finished", at: now, outcome } }, [
    { type: "rest" },
    { type: "cancelTasks", at: now },
    { type: "notify", outcome },
  ]);
}

/** Failures and losses count in a row: progress clears both. */
export function forgiven(run: Run, progressed: boolean): Run {
  return progressed ? { ...run, failures: 0, losses: 0 } : run;
}

export function queue(run: Run, cause: Queued["cause"], dueAt: number): Moved {
  return moved({ ...run, state: { kind: "queued", cause, dueAt } }, [{ type: "execute", dueAt }]);
}

/** Begins an execution under a token, unless the run has had as many as it may. */
export function start(run: Run, token: string, now: number): Moved {
  if (run.executions >= RUN_LIMITS.executions)
    return finish(run, { status: "TIMED_OUT", error: { message: tooManyExecutions } }, now);
  const state: RunState = { kind: "executing", token, since: now };
  return moved({ ...run, state, executions: run.executions + 1, startedAt: run.startedAt ?? now }, [
    { type: "settleTasks", at: now },
  ]);
}

/** Takes back an execution in which nothing ran: it leaves no trace in the counts. */
export function unstarted(run: Run): Run {
  const executions = Math.max(0, run.executions - 1);
  return { ...run, executions, startedAt: executions === 0 ? null : run.startedAt };
}

/** `first · factor^count`, stretched by chance, at most `most` ms (chance included). */
export function backoff(growth: { first: number; factor: number; most: number }, count: number, moment: Moment): number {
  const wait = Math.min(growth.first * growth.factor ** count, growth.most / (1 + SPREAD));
  return dueTime(moment.now + wait * (1 + SPREAD * moment.jitter), moment.now);
}

const tooManyExecutions =
  `The run was executed ${RUN_LIMITS.executions} times, which is the most one run may have. ` +
  "It probably waits or yields in an endless loop; split the work into several runs.";

export const tooManyLosses =
  `The app went away ${RUN_LIMITS.losses} times in a row while it executed this run, and no step was finished in between. ` +
  "It probably crashes or is killed (out of memory, a function's time limit) by this job: look into the app's own log, then continue the run.";

export const tooManyYields = `Run has yielded too many times, the maximum is ${RUN_LIMITS.yields}`;
