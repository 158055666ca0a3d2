// Room: store. What the batch kinds of a run's reports and changes have in common: they go by the week of the run, and a week without tables has no runs.
// Called by record-task.ts, open-task.ts and change-run.ts.
import { weekOf } from "./weeks.ts";

/** A batch of a few hundred rows is where one statement stops getting cheaper per row. */
export const BATCH = { maxItems: 250, maxBytes: 8 * 1024 * 1024 } as const;

/** No id of a run: its reports can only be answered "no such run". */
export const NO_WEEK = -1;

export function weekOfRun(runId: string): number {
  return weekOf("runs", runId) ?? NO_WEEK;
}

/** Order of locks: by id, everywhere, so that two batches never wait for each other. */
export function byId<T>(idOf: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0);
}

/** For joining a run and a key into one map key: neither can hold it. */
export function taskKey(runId: string, key: string): string {
  return `${runId}\0${key}`;
}
