// Room: store. The first page of a run's tasks, which every execution but the first begins with: pages asked for in one turn of the event loop are read by
// one statement, as when thousands of runs wake at once. Called by reads.ts.
import type { TaskRow } from "../store.ts";
import { type DbRow, taskOf } from "./rows.ts";

/** Runs whose pages one statement reads: bounds what is in memory at once. */
const RUNS_AT_ONCE = 50;

/** Of each run's page. */
interface Bounds {
  limit: number;
  outputBytes: number;
}

interface Asked {
  runId: string;
  resolve(page: TaskRow[]): void;
  reject(error: unknown): void;
}

export class FirstPages {
  #waiting = new Map<string, { week: number; bounds: Bounds; asked: Asked[] }>();

  /** @param read the rows of these runs, all of one week, within the bounds for each, in order of position and key */
  constructor(private readonly read: (week: number, runIds: string[], bounds: Bounds) => Promise<DbRow[]>) {}

  page(week: number, runId: string, bounds: Bounds): Promise<TaskRow[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) setImmediate(() => this.#readAll());
      const key = `${week} ${bounds.limit} ${bounds.outputBytes}`;
      const group = this.#waiting.get(key) ?? { week, bounds, asked: [] };
      group.asked.push({ runId, resolve, reject });
      this.#waiting.set(key, group);
    });
  }

  #readAll(): void {
    const groups = [...this.#waiting.values()];
    this.#waiting = new Map();
    for (const { week, bounds, asked } of groups) {
      for (let i = 0; i < asked.length; i += RUNS_AT_ONCE) void this.#readSome(week, bounds, asked.slice(i, i + RUNS_AT_ONCE));
    }
  }

  async #readSome(week: number, bounds: Bounds, asked: Asked[]): Promise<void> {
    try {
      const pages = new Map<string, TaskRow[]>(asked.map(({ runId }) => [runId, []]));
      for (const row of await this.read(week, [...pages.keys()], bounds)) pages.get(row.run_id as string)?.push(taskOf(row));
      for (const { runId, resolve } of asked) resolve(pages.get(runId) ?? []);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
