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
  /** Of attempts that are tried again. */
  failures: ErrorShape[];
  began: number;
  /** Of a waiting task; Infinity: only something outside ends it. */
  due: number;
  ended: number;
  /** Which end it was: time stands still in an execution, and races must replay as they went. */
  order: number;
  /** Whoever calls it completes the task. */
  callbackUrl?: string | undefined;
  handedOut?: boolean | undefined;
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
    const retries = item.status === "WAITING" && item.error !== undefined;
    const details = outsideDetails(item);
    const row: LedgerRow = {
      report: known ? { ...item, details: item.details ?? known.report.details } : item,
      failures: [...(known?.failures ?? []), ...(retries ? [item.error as ErrorShape] : [])],
      began: known?.began ?? now - item.startedAgo,
      due: item.status === "WAITING" && known?.report.status === "WAITING" && !retries ? known.due : now + (item.delayMs ?? 0),
      ended: now - (item.endedAgo ?? 0),
      order: ++this.#ends,
      callbackUrl: details?.callbackUrl ?? known?.callbackUrl,
      handedOut: details?.handedOut ?? known?.handedOut,
    };
    return this.#keep(row);
  }

  /** A task that something outside completes is made known, or is known already. */
  open(report: TaskReport, { now, due, callbackUrl }: { now: number; due: number; callbackUrl: string }): LedgerRow {
    const known = this.rows.get(report.key);
    if (known) return known;
    const row: LedgerRow = { report, failures: [], began: now, due, ended: now, order: 0, callbackUrl };
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
    else if (row.callbackUrl && !row.report.error) this.settle(row, { error: NOBODY_CALLED }, now);
    else row.report = { ...row.report, status: "RUNNING" };
  }
}

function isNews({ report }: LedgerRow, item: TaskReport): boolean {
  if (isFinal(report.status)) return false;
  if (item.status === "RUNNING") return report.status === "WAITING" && report.attempt < item.attempt;
  if (item.status !== "WAITING") return true;
  const repeated = item.error !== undefined && report.status === "WAITING" && report.error !== undefined;
  return repeated ? report.attempt < item.attempt : report.attempt <= item.attempt;
}

function outsideDetails({ details }: TaskReport): TaskDetails | undefined {
  return details?.startsWith('{"callbackUrl":') ? (JSON.parse(details) as TaskDetails) : undefined;
}

function recorded({ report, failures, due, order, callbackUrl, handedOut }: LedgerRow, now: number): RecordedTask {
  const final = isFinal(report.status);
  return {
    id: report.id,
    key: report.key,
    status: report.status,
    attempts: failures.length,
    ...(final ? { endedAt: order } : {}),
    ...(report.output === undefined ? {} : { output: report.output }),
    ...(report.error && report.status === "ERRORED" ? { error: report.error as { message: string } } : {}),
    ...(report.status === "WAITING" && Number.isFinite(due) ? { wakeMs: Math.max(0, due - now) } : {}),
    ...(callbackUrl && !final ? { callbackUrl } : {}),
    ...(handedOut && !final ? { handedOut } : {}),
  };
}
