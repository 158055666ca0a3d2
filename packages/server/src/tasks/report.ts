// Room: tasks. Reports of our own SDK become writes: relative times become absolute, texts are bounded, positions made unique. The hot path of a step.
// Called by execute for frames of the connect transport and by http for POST /api/v1/executions/:token/reports.
import type { TaskReport } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import type { Store, TaskRow, TaskWrite } from "../store/store.ts";
import type { Meter } from "../views/meter.ts";

/** A token is `exe_…` + "." + the run's id: whoever holds it can say which run it speaks for. */
export function makeToken(world: World, runId: string): string {
  return `${world.newId("execution")}.${runId}`;
}
export function runIdOfToken(token: string): string {
  return token.slice(token.indexOf(".") + 1);
}

let lastPosition = 0;
/** Microseconds since the epoch of the start, moved on by one where two would be equal: the order of tasks inside a run. */
export function positionAt(startedAt: number): number {
  lastPosition = Math.max(Math.floor(startedAt * 1000), lastPosition + 1);
  return lastPosition;
}

/**
 * Turns a report into a write.
 *
 * @param now epoch milliseconds the frame arrived at; "ago" and "delay" count from it, so that a wait never ends early
 */
export function writeOf(token: string, report: TaskReport, now: number): TaskWrite {
  const startedAt = now - report.startedAgo;
  const final = report.status === "COMPLETED" || report.status === "ERRORED";
  const endedAt = now - (report.endedAgo ?? 0);
  const errorText = report.error ? JSON.stringify(report.error) : null;
  const task: TaskRow = {
    runId: runIdOfToken(token),
    key: report.key,
    id: report.id,
    parentId: report.parentId ?? null,
    name: report.name,
    displayKey: report.displayKey ?? null,
    noop: report.noop ?? false,
    status: report.status,
    attempts: report.attempt,
    startedAt,
    completedAt: final ? endedAt : null,
    delayUntil: report.status === "WAITING" ? now + (report.delayMs ?? 0) : null,
    outputText: report.output ?? null,
    errorText: report.status === "ERRORED" ? errorText : null,
    detailsText: report.details ?? null,
    failuresText: null,
    position: positionAt(startedAt),
  };
  const failed = report.status === "WAITING" && report.error;
  const failureText = failed
    ? JSON.stringify({ attempt: report.attempt, at: new Date(endedAt).toISOString(), error: report.error })
    : null;
  return { task, token, failureText };
}

export class Reports {
  constructor(
    private readonly store: Store,
    private readonly meter: Meter,
  ) {}

  /**
   * Records reports of one execution; resolves once all of them are on disk. "stale": the execution is over, nothing of it counts any more.
   *
   * @param now epoch milliseconds the reports arrived at
   */
  async record(token: string, items: readonly TaskReport[], now: number): Promise<"recorded" | "stale"> {
    this.meter.count("holdfast_tasks_recorded_total", {}, items.length);
    const [only] = items;
    if (items.length === 1 && only) return verdictOf(await this.store.recordTask(writeOf(token, only, now)));
    const verdicts = await Promise.all(items.map((item) => this.store.recordTask(writeOf(token, item, now))));
    return verdicts.includes("stale") ? "stale" : "recorded";
  }
}

function verdictOf(verdict: "recorded" | "kept" | "stale"): "recorded" | "stale" {
  return verdict === "stale" ? "stale" : "recorded";
}
