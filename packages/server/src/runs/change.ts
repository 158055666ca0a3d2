// Room: runs. The only writer of run state: every change is an input given to the engine's pure `advance`, and what it answers is written, together with
// its effects, in one conditional write. Called by worker, execute, tasks and http; nothing else may change a run.
import { advance, type Moved, type Run, type RunInput } from "@holdfast/engine";
import type { World } from "../platform/world.ts";
import type { RunChange, RunRow, Store, TaskWrite } from "../store/store.ts";

export type Applied = { type: "moved"; run: RunRow } | { type: "ignored"; why: string; run: RunRow | null };

/** What a change tells the rest of this server, after it is on disk. `due`: queues in which what awaited the run's end became due. */
export type ChangeListener = (run: RunRow, change: RunChange, due: string[]) => void;

/** An input, and the reports that belong to it: written with it, or not at all. */
export interface Telling {
  input: RunInput;
  tasks: TaskWrite[];
}

const CANCELED_AT_ONCE = 100;

export class Runs {
  readonly #listeners: ChangeListener[] = [];

  constructor(
    private readonly world: World,
    private readonly store: Store,
  ) {}

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  /** Applies an input to a run. `before` may be an old copy: if the run has changed since, it is read again and the input decided anew. */
  apply(before: RunRow, input: RunInput, tasks: TaskWrite[] = []): Promise<Applied> {
    return this.applyRead(before, async () => ({ input, tasks }));
  }

  /** As `apply` with an input that depends on what is recorded: it is read anew, too, if the run has changed since. */
  async applyRead(before: RunRow, read: () => Promise<Telling>): Promise<Applied> {
    let run: RunRow | null = before;
    while (run) {
      const { input, tasks } = await read();
      const moved = this.decide(run, input);
      if (moved.type === "ignored") return { type: "ignored", why: moved.why, run };
      const change = changeOf(run, moved, this.world.now(), tasks);
      const changed = await this.store.changeRun(change);
      if (changed) return { type: "moved", run: this.#tell(change, changed.due) };
      run = await this.store.run(null, run.id);
    }
    return { type: "ignored", why: "missing", run: null };
  }

  decide(run: RunRow, input: RunInput): ReturnType<typeof advance> {
    const jitter = (this.world.random(1)[0] ?? 0) / 256;
    return advance(run, input, { now: this.world.now(), jitter });
  }

  /** The change a claim makes to a run, for the store to write in the claim's own transaction. Null: nothing to do. */
  claimed(run: RunRow, lease: { token: string; owner: string; until: number }, input: RunInput): RunChange | null {
    const moved = this.decide(run, input);
    if (moved.type === "ignored") return null;
    const change = changeOf(run, moved, this.world.now(), []);
    return moved.run.state.kind === "executing" ? { ...change, work: lease } : change;
  }

  /** A run that is not stored yet, as it is when it is stored claimed; null when it cannot begin. */
  bornClaimed(run: RunRow, token: string): RunRow | null {
    const moved = this.decide(run, { type: "claimed", token });
    if (moved.type === "ignored" || moved.run.state.kind !== "executing") return null;
    return { ...run, ...runOf(moved.run) };
  }

  /** Says that a change written by a claim is on disk. */
  told(change: RunChange): void {
    this.#tell(change, []);
  }

  /** Cancels an unfinished run; its open tasks with it. */
  async cancel(environmentId: string, runId: string): Promise<"canceled" | "finished" | "missing"> {
    return this.#byHand(environmentId, runId, { type: "canceled" }, "canceled");
  }

  /** Cancels several; tells which it did, and which had ended by themselves meanwhile. */
  async cancelAll(environmentId: string, runIds: readonly string[]): Promise<{ canceled: string[]; finished: string[] }> {
    const told = { canceled: [] as string[], finished: [] as string[] };
    // Together, for they share commits; in parts, so that nobody else waits long.
    for (let from = 0; from < runIds.length; from += CANCELED_AT_ONCE) {
      const part = runIds.slice(from, from + CANCELED_AT_ONCE);
      const outcomes = await Promise.all(part.map((id) => this.cancel(environmentId, id)));
      for (const [i, id] of part.entries()) told[outcomes[i] === "canceled" ? "canceled" : "finished"].push(id);
    }
    return told;
  }

  /** Takes up a run that ended badly where it stopped: finished tasks keep their outputs. */
  async continueRun(environmentId: string, runId: string): Promise<"continued" | "finished" | "missing"> {
    return this.#byHand(environmentId, runId, { type: "continued" }, "continued");
  }

  async #byHand<T extends string>(
    environmentId: string,
    runId: string,
    input: RunInput,
    done: T,
  ): Promise<T | "finished" | "missing"> {
    const run = await this.store.run(environmentId, runId);
    if (!run) return "missing";
    const applied = await this.apply(run, input);
    if (applied.type === "moved") return done;
    return applied.run ? "finished" : "missing";
  }

  #tell(change: RunChange, due: string[]): RunRow {
    const run: RunRow = { ...change.before, ...change.after, updatedAt: change.at, revision: change.before.revision + 1 };
    for (const listener of this.#listeners) listener(run, change, due);
    return run;
  }
}

function changeOf(before: RunRow, moved: Moved, at: number, tasks: TaskWrite[]): RunChange {
  const change: RunChange = {
    before,
    after: runOf(moved.run),
    at,
    work: null,
    tasks,
    settleTasksAt: null,
    cancelTasksAt: null,
    reopenTasks: false,
  };
  for (const effect of moved.effects) {
    if (effect.type === "execute") change.work = { dueAt: effect.dueAt };
    else if (effect.type === "hold") change.work = { held: true };
    else if (effect.type === "settleTasks") change.settleTasksAt = effect.at;
    else if (effect.type === "cancelTasks") change.cancelTasksAt = effect.at;
    else if (effect.type === "reopenTasks") change.reopenTasks = true;
  }
  return change;
}

function runOf({ id, state, startedAt, executions, executionMs, failures, losses, yields }: Run): Run {
  return { id, state, startedAt, executions, executionMs, failures, losses, yields };
}
