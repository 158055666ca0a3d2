// Room: replay. Reports on their way to the server: collected, sent together, counted until they are on disk. Owned by one Execution.
// Promises: what is added in one turn travels in one report; `flush` resolves only once it is recorded, and never once the execution is over.
import type { TaskReport } from "@holdfast/protocol";
import type { Runtime } from "../runtime/runtime.ts";

/** Where reports go. "stale": the run is no longer this execution's. A rejection means the server cannot be reached any more. */
export interface Reporter {
  report(items: TaskReport[]): Promise<"recorded" | "stale">;
}

/** Why an execution ends without an outcome. */
export type Lost = { kind: "stale" } | { kind: "abandoned"; reason: string };

/** Most items of one frame (the wire allows 1000), and about the most text. */
const BATCH_ITEMS = 500;
const BATCH_TEXT = 1024 * 1024;

/** A promise nobody settles: where code ends up that must not go on. A new one each time, so that nothing accumulates on it. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

/** The longest delay the wire carries, 317 years: a wait "for ever" is that long. */
const LONGEST_DELAY_MS = 1e13;

/** Milliseconds from `now` until `due`, both on the monotonic clock, as the wire takes them. */
export function delayUntil(due: number, now: number): number {
  return Math.min(LONGEST_DELAY_MS, Math.max(0, due - now));
}

/** Turns instants into "ago" and "from now", at the moment of sending. */
function stamp(item: TaskReport, now: number): TaskReport {
  item.startedAgo = Math.max(0, now - item.startedAgo);
  if (item.endedAgo !== undefined) item.endedAgo = Math.max(0, now - item.endedAgo);
  if (item.delayMs !== undefined) item.delayMs = delayUntil(item.delayMs, now);
  return item;
}

/** About the characters of a report. */
export function weight({ output, details, error }: TaskReport): number {
  return 200 + (output?.length ?? 0) + (details?.length ?? 0) + (error ? error.message.length + (error.stack?.length ?? 0) : 0);
}

export class Outbox {
  readonly #reporter: Reporter;
  readonly #runtime: Runtime;
  readonly #lost: (end: Lost) => void;
  #items: TaskReport[] = [];
  #weight = 0;
  #next: Promise<void> | undefined;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(reporter: Reporter, runtime: Runtime, lost: (end: Lost) => void) {
    this.#reporter = reporter;
    this.#runtime = runtime;
    this.#lost = lost;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Puts a report by, to travel with the next one. Its times are instants of the monotonic clock. */
  add(item: TaskReport): void {
    this.#items.push(item);
    this.#weight += weight(item);
    if (this.#items.length >= BATCH_ITEMS || this.#weight >= BATCH_TEXT) void this.flush();
  }

  /** Sends all that was added in this turn; resolves when it is recorded. */
  flush(): Promise<void> {
    this.#next ??= Promise.resolve().then(() => this.#send());
    return this.#next;
  }

  /** What is left for the end of the execution, after every report under way has been recorded. */
  async drain(): Promise<TaskReport[]> {
    if (this.#items.length > BATCH_ITEMS || this.#weight > BATCH_TEXT) void this.flush();
    if (this.#next) await this.#next;
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    return this.#take();
  }

  #take(): TaskReport[] {
    const now = this.#runtime.elapsed();
    const items = this.#items;
    this.#items = [];
    this.#weight = 0;
    for (const item of items) stamp(item, now);
    return items;
  }

  async #send(): Promise<void> {
    this.#next = undefined;
    if (this.#items.length === 0) return;
    this.#inFlight += 1;
    const items = this.#take();
    if (items.length === 1) await this.#report(items);
    else await Promise.all(batches(items).map((batch) => this.#report(batch)));
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#idle?.();
  }

  async #report(items: TaskReport[]): Promise<void> {
    try {
      if ((await this.#reporter.report(items)) === "recorded") return;
      this.#lost({ kind: "stale" });
    } catch (error) {
      this.#lost({ kind: "abandoned", reason: error instanceof Error ? error.message : String(error) });
    }
    return never();
  }
}

function batches(items: TaskReport[]): TaskReport[][] {
  const all: TaskReport[][] = [];
  let batch: TaskReport[] = [];
  let text = 0;
  for (const item of items) {
    if (batch.length >= BATCH_ITEMS || (batch.length > 0 && text + weight(item) > BATCH_TEXT * 4)) {
      all.push(batch);
      batch = [];
      text = 0;
    }
    batch.push(item);
    text += weight(item);
  }
  all.push(batch);
  return all;
}
