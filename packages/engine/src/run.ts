// The run machine's words: its four states, what can happen to a run, and what must follow. Pure data; `advance` decides.
import type { ErrorShape } from "@holdfast/protocol";

/** How a run ended. `output` is JSON text, exactly as the app sent it. */
export type Outcome =
  | { readonly status: "SUCCESS"; readonly output: string | null }
  | { readonly status: "FAILURE" | "TIMED_OUT" | "ABORTED"; readonly error: ErrorShape }
  | { readonly status: "CANCELED" }
  | { readonly status: "UNRESOLVED_AUTH"; readonly issues: Readonly<Record<string, { id: string; error: string }>> }
  | { readonly status: "INVALID_PAYLOAD"; readonly errors: readonly { path: (string | number)[]; message: string }[] };

/** All times are epoch milliseconds. */
export type RunState =
  | { readonly kind: "queued"; readonly cause: "created" | "resumed" | "retry" | "yielded"; readonly dueAt: number }
  | { readonly kind: "executing"; readonly token: string; readonly since: number }
  /** `dueAt` null: only something from outside (a callback, an event) wakes it. `on`: credentials the server is to keep, before it can execute. */
  | { readonly kind: "waiting"; readonly dueAt: number | null; readonly on?: "connections" }
  | { readonly kind: "finished"; readonly at: number; readonly outcome: Outcome };

export interface Run {
  readonly id: string;
  readonly state: RunState;
  /** When the first execution started. */
  readonly startedAt: number | null;
  /** Calls of the job's `run()`, including the current one. */
  readonly executions: number;
  /** Milliseconds spent inside ended executions. */
  readonly executionMs: number;
  /** Calls that failed in a row without recording a task. */
  readonly failures: number;
  /** Executions lost in a row (app gone, lease expired) without recording a task or reaching an outcome. */
  readonly losses: number;
  /** Keys of `io.yield` passed so far. */
  readonly yields: readonly string[];
}

/** What can happen to a run. A `token` names the execution it speaks for; a wrong one is ignored as stale. */
export type RunInput =
  /**
   * A server claimed the run's work; on an executing run this means the former lease expired. `progressed`: that lost execution recorded a task,
   * so it does not count towards {@link RUN_LIMITS}.losses in a row (absent: no).
   */
  | { readonly type: "claimed"; readonly token: string; readonly progressed?: boolean }
  | { readonly type: "succeeded"; readonly token: string; readonly output: string | null }
  /** The job threw, or the app answered with something final (4xx). */
  | { readonly type: "failed"; readonly token: string; readonly error: ErrorShape }
  | { readonly type: "suspended"; readonly token: string; readonly dueAt: number | null }
  /** `key`: an `io.yield`; without it an automatic yield. `dueAt`: not before (rate limit). */
  | { readonly type: "yielded"; readonly token: string; readonly key: string | null; readonly dueAt: number | null }
  | {
      readonly type: "invalidPayload";
      readonly token: string;
      readonly errors: readonly { path: (string | number)[]; message: string }[];
    }
  | {
      readonly type: "unresolvedAuth";
      readonly token: string;
      readonly issues: Readonly<Record<string, { id: string; error: string }>>;
    }
  /** The app was reached and answered badly (5xx, no JSON, timeout). */
  | { readonly type: "callFailed"; readonly token: string; readonly error: ErrorShape; readonly progressed: boolean }
  /** The platform that serves the app ended the call: a function's time limit. The tasks recorded until then are kept. */
  | { readonly type: "cutOff"; readonly token: string; readonly error: ErrorShape; readonly progressed: boolean }
  /** The app went away while executing (connection broke). */
  | { readonly type: "lost"; readonly token: string; readonly progressed: boolean }
  /** The app could not be reached at all: nothing ran. */
  | { readonly type: "unreachable"; readonly token: string; readonly error: ErrorShape }
  /** Given back before anything ran (drain). */
  | { readonly type: "released"; readonly token: string }
  /** Nothing ran: its job needs connections that are not there. It is woken once they are. */
  | { readonly type: "unconnected"; readonly token: string }
  /** Something a waiting run waits for has happened. */
  | { readonly type: "woken" }
  | { readonly type: "canceled" }
  /** The job version is disabled or gone. */
  | { readonly type: "aborted"; readonly error: ErrorShape }
  /** A person continues a run that ended badly. */
  | { readonly type: "continued" };

/** What must follow a move, in the same transaction. */
export type RunEffect =
  /** The run's work row: due at `dueAt`. */
  | { readonly type: "execute"; readonly dueAt: number }
  /** The run's work row goes. */
  | { readonly type: "rest" }
  /** The run's work row stays as it is: somebody holds it. */
  | { readonly type: "hold" }
  /** Waiting tasks due by `at` become ready: noop ones COMPLETED, others RUNNING. */
  | { readonly type: "settleTasks"; readonly at: number }
  /** Open tasks become CANCELED. */
  | { readonly type: "cancelTasks"; readonly at: number }
  /** ERRORED tasks become RUNNING with their next attempt, CANCELED ones PENDING (continue). */
  | { readonly type: "reopenTasks" }
  /** The run ended: tell whoever asked. */
  | { readonly type: "notify"; readonly outcome: Outcome };

export interface Moved {
  readonly type: "moved";
  readonly run: Run;
  readonly effects: readonly RunEffect[];
}
export interface Ignored {
  readonly type: "ignored";
  readonly why: "stale" | "finished" | "impossible" | "nothing-to-do";
}

/** `jitter` in [0, 1): chance for backoff, passed in so that a decision is a pure function. */
export interface Moment {
  readonly now: number;
  readonly jitter: number;
}

/** Bounds that stop a run from going on for ever. */
export const RUN_LIMITS = {
  executions: 10_000,
  yields: 100,
  /** Failed calls in a row without progress. */
  failures: 10,
  /** Failed calls in a row without progress, the last of them cut off by a time limit. */
  cutOffs: 3,
  /** Lost executions in a row without progress. */
  losses: 20,
} as const;
