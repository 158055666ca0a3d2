// Room: testing. What a ledger holds, as tests read it: tasks, log lines, what is waited for. Read by TestRun.
import type { DisplayProperty, ErrorShape, TaskDetails, TaskReport, TaskStatus } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { LogLevel } from "../runtime/runtime.ts";
import { awaitsOutside, type Ledger, type LedgerRow } from "./ledger.ts";

/** A task of a run under test. */
export interface TestTask {
  /** Its cacheKey; parts of a list joined by "-". */
  key: string;
  /** The keys of the tasks it stands in and its own, joined by "/". */
  path: string;
  name: string;
  status: TaskStatus;
  /** Number of the current or last attempt. */
  attempts: number;
  /** Errors of attempts that were tried again. */
  failures: ErrorShape[];
  params?: Anything;
  properties?: DisplayProperty[];
  output?: Anything;
  error?: ErrorShape;
  startedAt: Date;
  completedAt?: Date;
  /** Of a waiting task: when it goes on by itself. */
  until?: Date;
}

/** A line of `io.logger`. */
export interface TestLog {
  level: LogLevel;
  message: string;
  data?: Anything;
}

const detailsOf = ({ details }: TaskReport): TaskDetails => (details === undefined ? {} : JSON.parse(details));
const isFinal = (status: TaskReport["status"]): boolean => status === "COMPLETED" || status === "ERRORED";

/** True for what `io.logger` records. */
function isLogLine(report: TaskReport): boolean {
  return report.name === "log" && report.displayKey === undefined;
}

/** The keys of the tasks it stands in and its own. */
export function pathOf(ledger: Ledger, { parentId, displayKey = "" }: TaskReport): string {
  const parent = parentId === undefined ? undefined : ledger.task(parentId);
  return parent ? `${pathOf(ledger, parent.report)}/${displayKey}` : displayKey;
}

/** @param when reads an instant of the clock @param over the run has ended, so what is open is canceled */
export function tasksOf(ledger: Ledger, { when, over }: { when: (at: number) => Date; over: boolean }): TestTask[] {
  const rows = [...ledger.rows.values()].filter(({ report }) => !isLogLine(report));
  return rows.map((row): TestTask => {
    const { report, failures, began, ended, due } = row;
    const { params, properties } = detailsOf(report);
    const final = isFinal(report.status);
    return {
      key: report.displayKey ?? "",
      path: pathOf(ledger, report),
      name: report.name,
      status: over && !final ? "CANCELED" : report.status,
      attempts: report.attempt,
      failures: failures.map(({ error }) => error),
      ...(params === undefined ? {} : { params }),
      ...(properties ? { properties } : {}),
      ...(report.output === undefined ? {} : { output: JSON.parse(report.output) }),
      ...(report.status === "ERRORED" && report.error ? { error: report.error } : {}),
      startedAt: when(began),
      ...(final ? { completedAt: when(ended) } : {}),
      ...(!final && !over && report.status === "WAITING" && Number.isFinite(due) ? { until: when(due) } : {}),
    };
  });
}

export function logsOf(ledger: Ledger): TestLog[] {
  const lines = [...ledger.rows.values()].filter(({ report }) => isLogLine(report));
  return lines.map(({ report }) => {
    const { description = "", params, style } = detailsOf(report);
    const level = (style?.variant ?? "log") as LogLevel;
    return { level, message: description, ...(params === undefined ? {} : { data: params }) };
  });
}

/** Tasks that wait: for a time, for their next try, or for something outside. */
export function waitingRows(ledger: Ledger): LedgerRow[] {
  return [...ledger.rows.values()].filter((row) => {
    return row.report.status === "WAITING" || (row.report.status === "RUNNING" && awaitsOutside(row));
  });
}
