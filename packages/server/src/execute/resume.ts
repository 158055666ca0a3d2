// Room: execute. Executions outlive the connection they began on. An app that comes back gets those it still holds, also from another server, dead or alive;
// one that does not come back in time loses them. Called by the executor for the connect hub.
// Promises: an execution is adopted only while its token holds its run's work, and with a fresh lease; one that another server adopted is not given up here.
import type { World } from "../platform/world.ts";
import type { AppRow, RunRow, Store } from "../store/store.ts";
import { runIdOfToken } from "../tasks/report.ts";
import type { Connection } from "./connection.ts";
import { LEASE_MS, RESUME_MS } from "./lease.ts";
import type { LiveExecution, LiveExecutions } from "./live.ts";

export interface ResumeNeeds {
  world: World;
  store: Store;
  live: LiveExecutions;
  /** Names this server in leases. */
  owner: string;
  /** The app is gone for good. */
  lose: (execution: LiveExecution) => void;
}

export class Resumption {
  constructor(private readonly needs: ResumeNeeds) {}

  /**
   * An app says that it is back with executions of this server. What is known here is not lost from now on, though it takes a while to adopt them.
   *
   * @returns those that are live here
   */
  returning(tokens: readonly string[], slug: string, connection: Connection): string[] {
    const { live } = this.needs;
    return tokens.filter((token) => {
      const execution = live.get(token);
      const own = execution?.app.slug === slug && execution.app.environmentId === connection.environment.id;
      if (execution && own) this.#carry(execution, connection);
      return own;
    });
  }

  /**
   * The app of this connection says that it holds these executions.
   *
   * @returns those that are still theirs: they are live on this server now, and go on over this connection
   */
  async resume(tokens: readonly string[], connection: Connection): Promise<string[]> {
    const { store, world, owner } = this.needs;
    const { app } = connection;
    if (!app) return [];
    const runs = await Promise.all(tokens.map((token) => this.#runOf(token, app)));
    const current = runs.filter((run) => run !== null);
    if (current.length === 0) return [];
    const held = await store.adopt(current.map(tokenOf), world.now() + LEASE_MS, owner);
    const adopted = current.filter((run) => held.has(tokenOf(run)));
    const waits = await Promise.all(adopted.map((run) => this.#waitsOf(run)));
    for (const [i, run] of adopted.entries()) this.#carry({ run, app, waits: waits[i] ?? new Map() }, connection);
    return adopted.map(tokenOf);
  }

  /** The run that the token's execution belongs to, if it is this app's and the token is its latest. */
  async #runOf(token: string, app: AppRow): Promise<RunRow | null> {
    const run = await this.needs.store.run(app.environmentId, runIdOfToken(token));
    return run && run.appId === app.id && tokenOf(run) === token ? run : null;
  }

  /** When the tasks that wait are due: known here if the execution is, read otherwise. */
  async #waitsOf(run: RunRow): Promise<Map<string, number>> {
    const known = this.needs.live.get(tokenOf(run));
    if (known) return known.waits;
    const rows = await this.needs.store.tasks(run.id, { statuses: ["WAITING"] });
    return new Map(rows.flatMap(({ key, delayUntil }) => (delayUntil === null ? [] : [[key, delayUntil]])));
  }

  /** A new entry also if there is one: whoever is about to give that one up sees that it is another now. */
  #carry({ run, app, waits }: Pick<LiveExecution, "run" | "app" | "waits">, connection: Connection): void {
    const { live } = this.needs;
    const token = tokenOf(run);
    const progressed = live.get(token)?.progressed ?? false;
    live.replace({ token, run, app, waits, progressed, stop: (reason) => connection.stop(token, reason) });
    connection.executions.add(token);
  }

  /** A connection broke with these executions on it. They are lost unless their app resumes them soon. */
  broken(tokens: readonly string[]): void {
    const { live, world } = this.needs;
    const executions = tokens.map((token) => live.get(token)).filter((execution) => execution !== undefined);
    if (executions.length > 0) world.after(RESUME_MS, () => void this.#giveUp(executions));
  }

  async #giveUp(executions: readonly LiveExecution[]): Promise<void> {
    const { live, store, world, owner, lose } = this.needs;
    const present = (execution: LiveExecution) => live.get(execution.token) === execution;
    const left = executions.filter(present);
    if (left.length === 0) return;
    const tokens = left.map(({ token }) => token);
    // Without an answer they are given up all the same: the change has its own fence.
    const own = await store.renew(tokens, world.now() + LEASE_MS, owner).catch(() => new Set(tokens));
    for (const execution of left.filter(present)) {
      if (own.has(execution.token)) lose(execution);
      else live.remove(execution.token);
    }
  }
}

function tokenOf({ state }: RunRow): string {
  return state.kind === "executing" ? state.token : "";
}
