// Room: store. What a value becomes when it is stored, the same in PostgreSQL and in memory: texts the database can hold, whole milliseconds, tasks as
// they travel with a change. Called by both stores; the conformance suite compares what comes out.
import { isFinalTask, type RunState } from "@holdfast/engine";
import type { StatusChange } from "./kept-rows.ts";
import type { RunChange, TaskRow, TaskWrite } from "./store.ts";

/** In every Node we run on; in TypeScript's library of a later year than ours. */
type WellFormed = { isWellFormed(): boolean };

const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/** PostgreSQL's text has no NUL, and UTF-8 no lone surrogate: each becomes U+FFFD. JSON text escapes both, so it is never changed by this. */
export function storableText(text: string): string {
  // Of large texts almost all are storable, and these two see that many times faster than the pattern does.
  const storable = (text as string & WellFormed).isWellFormed() && !text.includes("\0");
  return storable ? text : text.replace(UNSTORABLE, "\ufffd");
}

/** A copy of the row with every text storable. */
export function storableRow<T extends object>(row: T): T {
  const copy = { ...row } as Record<string, unknown>;
  for (const key in copy) {
    const value = copy[key];
    if (typeof value === "string") copy[key] = storableText(value);
  }
  return copy as T;
}

/** A change of a status: absent fields become null, which is as it was. */
export function storableStatus({
  key,
  label,
  state,
  dataText,
}: StatusChange): Required<{ [K in keyof StatusChange]: string | null }> & { key: string } {
  return storableRow({ key, label: label ?? null, state: state ?? null, dataText: dataText ?? null });
}

/** Order of a run's tasks: by start; by key where two started in the same microsecond. */
export function inOrder(a: Pick<TaskRow, "position" | "key">, b: Pick<TaskRow, "position" | "key">): number {
  return a.position - b.position || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** The row of a report: whole milliseconds (a due time is rounded up, so that no wait ends early), failures only from `failureText`. */
export function storableTask({ task, failureText }: Pick<TaskWrite, "task" | "failureText">): TaskRow {
  return storableRow({
    ...task,
    startedAt: Math.round(task.startedAt),
    completedAt: task.completedAt === null ? null : Math.round(task.completedAt),
    delayUntil: task.delayUntil === null ? null : Math.ceil(task.delayUntil),
    position: Math.floor(task.position),
    failuresText: failureText === null ? null : `[${failureText}]`,
  });
}

/**
 * The reports of a change as they are recorded: of two reports of one task the later speaks, and when the change cancels open tasks, one that is still
 * open arrives CANCELED.
 */
export function travellingTasks(change: RunChange): TaskRow[] {
  const at = change.cancelTasksAt;
  const latest = new Map(change.tasks.map((write) => [write.task.key, storableTask(write)]));
  return [...latest.values()].map((task): TaskRow => {
    return at === null || isFinalTask(task.status) ? task : { ...task, status: "CANCELED", completedAt: at };
  });
}

/** A run's state as it is stored: due times are whole milliseconds, rounded up, and the output is storable. */
export function storableState(state: RunState): RunState {
  if (state.kind === "queued") return { ...state, dueAt: Math.ceil(state.dueAt) };
  if (state.kind === "waiting") return { ...state, dueAt: state.dueAt === null ? null : Math.ceil(state.dueAt) };
  if (state.kind === "executing" || state.outcome.status !== "SUCCESS" || state.outcome.output === null) return state;
  return { ...state, outcome: { status: "SUCCESS", output: storableText(state.outcome.output) } };
}

/** Why a delivery is a duplicate, as stored with it. intake.sql says the same words. */
export function duplicateReason(eventRowId: string): string {
  return `An event with this id was stored before: ${eventRowId}`;
}

/** True when two runs are in the same state, field by field. */
export function sameState(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
