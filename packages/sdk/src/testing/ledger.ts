// Room: testing. What a server keeps of one run's tasks, in memory: takes reports by the rules of the wire and hands out what the next execution starts
// from. Called by TestRun and MemoryServer. Promises: a final task never changes; a task that is due when an execution starts is settled as the server does.
import type { ErrorShape, RecordedTask, TaskDetails, TaskReport } from "@holdfast/protocol";

/** The error of a task whose callback was not called in time, in the server's words. */
const NOBODY_CALLED = { message: "Remote callback timeout - no requests received" };
const isFinal = (status: TaskReport["status"]): boolean => status === "COMPLETED" || status === "ERRORED";

/** A task as recorded. Times are instants of the test's clock. */
export interface LedgerRow {
  /** What was said of it last. */
  report: TaskReport;
  /** Attempts that are tried again. */
  failures: { attempt: number; error: ErrorShape }[];
  began: number;
  /** Of a waiting task; Infinity: only something outside ends it. */
  due: number;
  ended: number;
  /** Which end it was: time stands still in an execution, and races must replay as they went. */
  order: number;
}

/** `output` is JSON text. */
export type OutsideEnd = { output: string | undefined } | { error: ErrorShape };

export class Ledger {
  /** By idempotency key, in the order in which they were heard of. */
  readonly rows = new Map<string, LedgerRow>();
  /** By task id. */
  readonly #ids = new Map<string, LedgerRow>();
  #ends = 0;

  /** The task of an id. */
  task(id: string): LedgerRow | undefined {
    return this.#ids.get(id);
  }

  /** Takes a report. @returns the row if the report changed it */
  record(item: TaskReport, now: number): LedgerRow | undefined {
    const known = this.rows.get(item.key);
    if (known && !isNews(known, item)) return undefined;
    const failed = item.status === "WAITING" && item.error ? [{ attempt: item.attempt, error: item.error }] : [];
    const waitsOn = item.status === "WAITING" && known?.report.status === "WAITING" && failed.length === 0;
    const row: LedgerRow = {
      report: known ? later(known.report, item) : item,
      failures: [...(known?.failures ?? []), ...failed],
      began: known?.began ?? now - item.startedAgo,
      due: waitsOn ? known.due : now + (item.delayMs ?? 0),
      ended: now - (item.endedAgo ?? 0),
      order: ++this.#ends,
    };
    return this.#keep(row);
  }

  /** A task that something outside completes is made known, or is known already. */
  open(report: TaskReport, { now, due }: { now: number; due: number }): LedgerRow {
    const known = this.rows.get(report.key);
    if (known) return known;
    const row: LedgerRow = { report, failures: [], began: now, due, ended: now, order: 0 };
    return this.#keep(row);
  }

  #keep(row: LedgerRow): LedgerRow {
    this.rows.set(row.report.key, row);
    this.#ids.set(row.report.id, row);
    return row;
  }

  /** Ends a task from outside. @returns false when it has ended already */
  settle(row: LedgerRow, end: OutsideEnd, now: number): boolean {
    if (isFinal(row.report.status)) return false;
    const { output: _output, error: _error, ...report } = row.report;
    if ("error" in end) row.report = { ...report, status: "ERRORED", error: end.error };
    else row.report = { ...report, status: "COMPLETED", ...(end.output === undefined ? {} : { output: end.output }) };
    row.ended = now;
    row.order = ++this.#ends;
    return true;
  }

  /** What an execution that starts now is told. */
  start(now: number): RecordedTask[] {
    const rows = [...this.rows.values()];
    const together = ++this.#ends;
    for (const row of rows) {
      if (row.report.status !== "WAITING" || row.due > now) continue;
      this.#settleDue(row, now);
      row.order = together;
    }
    return rows.map((row) => recorded(row, now));
  }

  #settleDue(row: LedgerRow, now: number): void {
    if (row.report.noop) this.settle(row, { output: undefined }, now);
    else if (awaitsOutside(row)) this.settle(row, { error: NOBODY_CALLED }, now);
    else row.report = { ...row.report, status: "RUNNING", attempt: row.report.attempt + (row.failures.length > 0 ? 1 : 0) };
  }
}

function isNews({ report, failures }: LedgerRow, item: TaskReport): boolean {
  if (isFinal(report.status)) return false;
  if (item.status === "RUNNING") return report.status === "WAITING" && report.attempt < item.attempt;
  if (item.status !== "WAITING") return true;
  const repeated = item.error !== undefined && report.status === "WAITING" && failures.length > 0;
  return repeated ? report.attempt < item.attempt : report.attempt <= item.attempt;
}

/** What was said first stays: what the task is. What it has come to is news. */
function later({ name, noop, parentId, displayKey, attempt, details }: TaskReport, item: TaskReport): TaskReport {
  const { noop: _noop, parentId: _parentId, displayKey: _displayKey, ...news } = item;
  const said = { noop, parentId, displayKey, details: item.details ?? details };
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return { ...news, ...known, name, attempt: Math.max(attempt, item.attempt) };
}

/** Of a task that something outside completes: where, and whether that was handed out. */
function outsideOf({ report: { details } }: LedgerRow): Pick<TaskDetails, "callbackUrl" | "handedOut"> | undefined {
  return details?.startsWith('{"callbackUrl":') ? (JSON.parse(details) as TaskDetails) : undefined;
}

/** Something outside ends it, now: it does not wait for its next try. */
export function awaitsOutside(row: LedgerRow): boolean {
  return outsideOf(row) !== undefined && (row.failures.at(-1)?.attempt ?? 0) < row.report.attempt;
}

function recorded(row: LedgerRow, now: number): RecordedTask {
  const { report, failures, due, order } = row;
  const final = isFinal(report.status);
  const { callbackUrl, handedOut } = (!final && outsideOf(row)) || {};
  return {
    id: report.id,
    key: report.key,
    status: report.status,
    attempts: failures.length,
    ...(final ? { endedAt: order } : {}),
    ...(report.output === undefined ? {} : { output: report.output }),
    ...(report.error && report.status === "ERRORED" ? { error: report.error as { message: string } } : {}),
    ...(report.status === "WAITING" && Number.isFinite(due) ? { wakeMs: Math.max(0, due - now) } : {}),
    ...(callbackUrl ? { callbackUrl } : {}),
    ...(handedOut ? { handedOut } : {}),
  };
}
