// The task machine: what a report, a due time, a cancellation or a continuation does to one recorded task. The stores do the same in SQL and in memory, and
// their conformance suite compares them with these functions. Promises: total over statuses, pure; a final task never changes by a report, and a
// report that arrives twice changes nothing the second time. Field names are those of the store's `TaskRow` and `TaskWrite`.
import type { TaskStatus } from "@holdfast/protocol";

/** The part of a task row the machine reads or writes. All times are epoch milliseconds, `*Text` fields JSON text. */
export interface TaskRecord {
  readonly noop: boolean;
  readonly status: TaskStatus;
  /** Number of the current or, when final, of the last attempt; 1-based. */
  readonly attempts: number;
  readonly startedAt: number;
  readonly completedAt: number | null;
  /** WAITING: due then; null: something from outside completes it. */
  readonly delayUntil: number | null;
  readonly outputText: string | null;
  readonly errorText: string | null;
  readonly detailsText: string | null;
  /** JSON array of the attempts that failed; not null on a WAITING task means that it waits for its next attempt. */
  readonly failuresText: string | null;
}

/** A report as the store gets it. `failureText`: {attempt, at, error} of a failed attempt. */
export interface TaskReportWrite<T extends TaskRecord> {
  readonly task: T;
  readonly failureText: string | null;
}

/** The task as it is afterwards, and whether it is new, different or untouched. */
export interface TaskMerge<T extends TaskRecord> {
  readonly type: "created" | "changed" | "kept";
  readonly task: T;
}

/** True when no report can change the task any more. */
export function isFinalTask(status: TaskStatus): boolean {
  return status === "COMPLETED" || status === "ERRORED" || status === "CANCELED";
}

/**
 * What a report does to the recorded task.
 *
 * - None recorded: created as reported. Final: kept.
 * - RUNNING or PENDING: news only to a PENDING task, or to a WAITING one with a smaller attempt number.
 * - WAITING: kept when it speaks of an earlier attempt, or repeats a failure that is recorded already. With a failure it sets `delayUntil`; without
 *   one an unsettled wait keeps its first `delayUntil`, so that a replay does not prolong it.
 * - COMPLETED, ERRORED, CANCELED: taken.
 *
 * What was said first stays: identity, name, position, `noop`, `startedAt`. `attempts` never shrinks; a failure is appended.
 *
 * @example mergeTask(running, { task: { ...running, status: "COMPLETED", outputText: "42", completedAt: 9 }, failureText: null }).type // "changed"
 */
export function mergeTask<T extends TaskRecord>(existing: T | null, write: TaskReportWrite<T>): TaskMerge<T> {
  if (existing === null) return { type: "created", task: { ...write.task, failuresText: appended(null, write.failureText) } };
  if (!isNews(existing, write)) return { type: "kept", task: existing };
  const { task, failureText } = write;
  const change: Partial<TaskRecord> = {
    status: task.status,
    attempts: Math.max(existing.attempts, task.attempts),
    completedAt: task.completedAt,
    delayUntil: delayAfter(existing, write),
    outputText: task.outputText,
    errorText: task.errorText,
    detailsText: task.detailsText ?? existing.detailsText,
    failuresText: appended(existing.failuresText, failureText),
  };
  return { type: "changed", task: { ...existing, ...change } };
}

function isNews(existing: TaskRecord, { task, failureText }: TaskReportWrite<TaskRecord>): boolean {
  if (isFinalTask(existing.status)) return false;
  switch (task.status) {
    case "PENDING":
    case "RUNNING":
      return existing.status === "PENDING" || (existing.status === "WAITING" && existing.attempts < task.attempts);
    case "WAITING": {
      const repeated = failureText !== null && existing.status === "WAITING" && existing.failuresText !== null;
      return repeated ? existing.attempts < task.attempts : existing.attempts <= task.attempts;
    }
    case "COMPLETED":
    case "ERRORED":
    case "CANCELED":
      return true;
  }
}

function delayAfter(existing: TaskRecord, { task, failureText }: TaskReportWrite<TaskRecord>): number | null {
  if (task.status !== "WAITING") return task.delayUntil ?? existing.delayUntil;
  const unsettled = existing.status === "WAITING" || existing.status === "PENDING";
  return unsettled && failureText === null ? (existing.delayUntil ?? task.delayUntil) : task.delayUntil;
}

/** JSON text concatenation, never a parse: recorded text stays byte for byte what it was. */
function appended(list: string | null, item: string | null): string | null {
  if (item === null) return list;
  return list === null ? `[${item}]` : `${list.slice(0, -1)},${item}]`;
}

/**
 * v2's create-or-return: a recorded task is returned as it is, except that one CANCELED (or made PENDING by a continuation) takes the status given,
 * and keeps its first `delayUntil`.
 *
 * @example openTask({ ...task, status: "CANCELED" }, { ...task, status: "RUNNING" }).task.status // "RUNNING"
 */
export function openTask<T extends TaskRecord>(existing: T | null, task: T): TaskMerge<T> {
  if (existing === null) return { type: "created", task };
  if (existing.status !== "CANCELED" && existing.status !== "PENDING") return { type: "kept", task: existing };
  const change: Partial<TaskRecord> = {
    status: task.status,
    completedAt: task.completedAt,
    delayUntil: existing.delayUntil ?? task.delayUntil,
    outputText: null,
    errorText: null,
  };
  return { type: "changed", task: { ...existing, ...change } };
}

/** How the details of a task begin that something outside completes: the stores look for it in the text, which they never parse. */
export const CALLBACK_DETAILS = '{"callbackUrl":';

/** The error of a task whose callback was not called in time, as JSON text. v2's words. */
export const CALLBACK_TIMEOUT = JSON.stringify({ message: "Remote callback timeout - no requests received" });

/** True for a waiting task that only a request to its callback URL completes; its `delayUntil` is when it gives up. False while it waits for a retry. */
export function awaitsCallback({ status, attempts, detailsText, failuresText }: TaskRecord): boolean {
  if (status !== "WAITING" || !detailsText?.startsWith(CALLBACK_DETAILS)) return false;
  const failures = failuresText === null ? [] : (JSON.parse(failuresText) as { attempt: number }[]);
  return (failures.at(-1)?.attempt ?? 0) < attempts;
}

/**
 * What the start of an execution does to a waiting task that is due: a noop (a wait) is COMPLETED, one whose callback was not called is ERRORED,
 * anything else becomes RUNNING, a retry with the next attempt number. Others stay as they are.
 *
 * @param at epoch milliseconds
 */
export function settleTask<T extends TaskRecord>(task: T, at: number): T {
  if (task.status !== "WAITING" || task.delayUntil === null || task.delayUntil > at) return task;
  if (task.noop) return { ...task, status: "COMPLETED", completedAt: at };
  if (awaitsCallback(task)) return { ...task, status: "ERRORED", completedAt: at, errorText: CALLBACK_TIMEOUT };
  return { ...task, status: "RUNNING", attempts: task.attempts + (task.failuresText === null ? 0 : 1) };
}

/** The run has ended: an open task is CANCELED, a final one stays. `at` in epoch milliseconds. */
export function cancelTask<T extends TaskRecord>(task: T, at: number): T {
  return isFinalTask(task.status) ? task : { ...task, status: "CANCELED", completedAt: at };
}

/**
 * The run continues after a bad end: an ERRORED task becomes RUNNING with the next attempt number; a CANCELED one PENDING, as if not yet
 * started, so that the next report decides. Others stay.
 */
export function reopenTask<T extends TaskRecord>(task: T): T {
  const emptied = { completedAt: null, outputText: null, errorText: null };
  if (task.status === "ERRORED") return { ...task, ...emptied, status: "RUNNING", attempts: task.attempts + 1 };
  if (task.status === "CANCELED") return { ...task, ...emptied, status: "PENDING" };
  return task;
}
