// Room: execute. The executions this server holds a lease for: who runs them, since when, and whether they have recorded anything.
// The worker renews their leases; connect and push end them; a change of the run from elsewhere (cancel, superseded) drops them.
import type { AppRow, RunRow } from "../store/store.ts";

export interface LiveExecution {
  readonly token: string;
  /** As it was after the claim. */
  readonly run: RunRow;
  readonly app: AppRow;
  /** Set once a step was finished: losing this execution then is not a sign of poison. */
  progressed: boolean;
  /** When its app was first heard of since, in epoch milliseconds: whatever came before (a cold start) was not the execution's own time. */
  heardAt?: number;
  /** When the tasks it reported as waiting are due, by key. */
  readonly waits: Map<string, number>;
  /** Tells the app that nothing of this execution counts any more. */
  stop: (reason: "superseded" | "canceled") => void;
}

export class LiveExecutions {
  readonly #byToken = new Map<string, LiveExecution>();
  readonly #byRun = new Map<string, LiveExecution>();
  readonly #perApp = new Map<string, number>();
  #whenIdle: (() => void)[] = [];

  add(execution: LiveExecution): void {
    this.#byToken.set(execution.token, execution);
    this.#byRun.set(execution.run.id, execution);
    this.#perApp.set(execution.app.id, this.countOf(execution.app.id) + 1);
  }

  /** As `add`, in place of the entry there may be. */
  replace(execution: LiveExecution): void {
    if (!this.#byToken.has(execution.token)) this.add(execution);
    this.#byToken.set(execution.token, execution);
    this.#byRun.set(execution.run.id, execution);
  }

  get(token: string): LiveExecution | undefined {
    return this.#byToken.get(token);
  }

  ofRun(runId: string): LiveExecution | undefined {
    return this.#byRun.get(runId);
  }

  /** Forgets it; false if it was not there (any more), so that exactly one caller ends an execution. */
  remove(token: string): boolean {
    const execution = this.#byToken.get(token);
    if (!execution) return false;
    this.#byToken.delete(token);
    if (this.#byRun.get(execution.run.id) === execution) this.#byRun.delete(execution.run.id);
    this.#perApp.set(execution.app.id, this.countOf(execution.app.id) - 1);
    if (this.#byToken.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    return true;
  }

  /** Forgets an execution whose run was taken away, and tells its app. */
  drop(token: string, reason: "superseded" | "canceled"): void {
    const execution = this.#byToken.get(token);
    if (execution && this.remove(token)) execution.stop(reason);
  }

  countOf(appId: string): number {
    return this.#perApp.get(appId) ?? 0;
  }

  all(): LiveExecution[] {
    return [...this.#byToken.values()];
  }

  get size(): number {
    return this.#byToken.size;
  }

  /** Resolves when none is left. */
  idle(): Promise<void> {
    if (this.#byToken.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}
