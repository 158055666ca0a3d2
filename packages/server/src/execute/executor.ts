// Room: execute. Takes a claimed run to its app and brings what comes of it back to runs/change.ts as an input. One instance a server.
// Called by the worker (execute) and by the connect hub (frames). Promises: every execution that was started ends in exactly one input, or its lease expires.
import type { RunInput } from "@holdfast/engine";
import type { AppFrame, TaskReport } from "@holdfast/protocol";
import type { Connections, Given } from "../connections/connections.ts";
import type { RecentEvents } from "../dispatch/recent-events.ts";
import type { Registry } from "../dispatch/registry.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { Runs, Telling } from "../runs/change.ts";
import type { AppRow, RunRow, Store } from "../store/store.ts";
import { type Reports, runIdOfToken, writeOf } from "../tasks/report.ts";
import { ConnectHub, type ConnectListener } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { ADOPT_MS } from "./lease.ts";
import { LiveExecutions } from "./live.ts";
import { inputOf, reading } from "./outcome.ts";
import { Push } from "./push.ts";
import { PushedExecutions } from "./pushed.ts";
import { Resumption } from "./resume.ts";
import { executionStart, type Prepared, recordedTasks } from "./start.ts";

const NOTHING_NEEDED: Given = { type: "given", auth: {} };
/** Executions in flight at once for an app reached by push. */
const PUSH_CONCURRENCY = 100;

export interface ExecutorNeeds {
  world: World;
  registry: Registry;
  store: Store;
  runs: Runs;
  reports: Reports;
  vault: Vault;
  recent: RecentEvents;
  /** Asked for when needed: they send events, and events start executions. */
  connections: () => Pick<Connections, "of" | "lacking">;
  /** Names this server in leases. */
  owner: string;
  /** The app has room for more work. */
  wake: (queues: string[]) => void;
  /** A task of this run was recorded; for dashboards. */
  seen: (run: RunRow) => void;
  /** The app wants to hear how this run ends. */
  whenEnded: (run: RunRow, listens: { success?: boolean | undefined; failure?: boolean | undefined }) => Promise<void>;
}

export class Executor implements ConnectListener {
  readonly live = new LiveExecutions();
  readonly hub: ConnectHub;
  readonly push: Push;
  readonly #pushed: PushedExecutions;
  /** Executions about to start, by app. */
  readonly #starting = new Map<string, number>();
  #whenReleased: (() => void)[] = [];
  #draining = false;
  /** Runs whose executions are about to be live. */
  readonly #entering = new Set<string>();
  /** Ends of executions on their way to the store, by token; true once one is on disk. */
  readonly #ending = new Map<string, Promise<boolean>>();
  readonly #resumption: Resumption;

  constructor(private readonly needs: ExecutorNeeds) {
    const { world, registry, store, runs, vault, owner } = needs;
    const { live } = this;
    this.hub = new ConnectHub(world, registry, this);
    this.#resumption = new Resumption({ world, store, live, owner, lose: ({ token }) => this.lost([token]) });
    this.push = new Push(world, (environmentId) => {
      const environment = registry.requireEnvironment(environmentId);
      return vault.open(environment.secretKeySealed, `environment:${environment.id}`);
    });
    this.#pushed = new PushedExecutions({ world, store, registry, push: this.push, live, whenEnded: needs.whenEnded });
    runs.onChange((run) => this.#changed(run));
  }

  /** A run that left its execution by another hand (cancel, taken over) takes the execution with it. */
  #changed(run: RunRow): void {
    const execution = this.live.ofRun(run.id);
    const { state } = run;
    if (!execution || (state.kind === "executing" && state.token === execution.token)) return;
    this.live.drop(execution.token, state.kind === "finished" && state.outcome.status === "CANCELED" ? "canceled" : "superseded");
  }

  /** Executions of the app this server may start now, those counted that are about to start. */
  room(app: AppRow): number {
    if (this.#draining) return 0;
    const starting = this.#starting.get(app.id) ?? 0;
    if (app.transport === "connect") return Math.max(0, this.hub.room(app.id) - starting);
    return app.url ? Math.max(0, PUSH_CONCURRENCY - this.live.countOf(app.id) - starting) : 0;
  }

  /** Keeps room for executions that are about to be claimed. */
  reserve(appId: string, executions: number): void {
    this.#starting.set(appId, (this.#starting.get(appId) ?? 0) + executions);
  }

  release(appId: string, executions: number): void {
    this.reserve(appId, -executions);
    for (const resolve of this.#whenReleased.splice(0)) resolve();
  }

  /** Resolves when nothing executes and nothing is about to: runs that are being stored claimed begin once they are on disk. */
  async idle(): Promise<void> {
    for (;;) {
      if ([...this.#starting.values()].some((executions) => executions > 0)) {
        await new Promise<void>((resolve) => this.#whenReleased.push(resolve));
      } else if (this.live.size > 0) await this.live.idle();
      else return;
    }
  }

  /** Starts no executions any more. */
  drain(): void {
    this.#draining = true;
    this.hub.drain();
  }

  /** Whether this server executes the run, or is about to. */
  executes(runId: string): boolean {
    return this.#entering.has(runId) || this.live.ofRun(runId) !== undefined;
  }

  /** Starts a claimed run's execution. */
  begin(run: RunRow, token: string): void {
    this.execute(run, token).catch((error: unknown) => {
      const { log } = this.needs.world;
      log.error("an execution could not be started; its lease will expire and it is tried again", { run: run.id, error });
      this.live.drop(token, "superseded");
    });
  }

  /** As `begin`; resolves once it is under way (connect) or over (push). */
  async execute(run: RunRow, token: string): Promise<void> {
    const prepared = await this.#enter(run, token);
    if (!prepared) return;
    const { app } = prepared;
    if (app.transport === "connect") return this.#connect(prepared);
    await this.#overRead(token, await this.#pushed.perform(prepared));
  }

  /** From here on it is live; until then room is kept for it. */
  async #enter(run: RunRow, token: string): Promise<Prepared | null> {
    this.reserve(run.appId, 1);
    this.#entering.add(run.id);
    try {
      const prepared = await this.#prepare(run, token);
      if (prepared) this.live.add({ token, run, app: prepared.app, progressed: false, waits: new Map(), stop: () => {} });
      return prepared;
    } finally {
      this.#entering.delete(run.id);
      this.release(run.appId, 1);
    }
  }

  /** Finds what an execution needs; without it the run is told so, and null is answered. */
  async #prepare(run: RunRow, token: string): Promise<Prepared | null> {
    const { registry, store } = this.needs;
    const app = registry.app(run.appId);
    const environment = registry.environment(run.environmentId);
    const job = registry.job(run.environmentId, run.jobId);
    const instead = async (input: RunInput): Promise<null> => {
      await this.#apply(run, async () => ({ input, tasks: [] }));
      return null;
    };
    if (!app || !environment) {
      return instead({ type: "unreachable", token, error: { message: "The app of this run is not known." } });
    }
    if (job && !job.metadata.enabled) {
      return instead({ type: "aborted", error: { message: `Job version ${run.jobVersion} is disabled, aborting run.` } });
    }
    if (job?.metadata.notify && run.executions === 1) await this.needs.whenEnded(run, job.metadata.notify);
    const event = this.needs.recent.get(run.eventRowId) ?? (await store.event(null, { rowId: run.eventRowId }));
    if (!event) return instead({ type: "failed", token, error: { message: "The event of this run is no longer kept." } });
    const connections = this.needs.connections();
    const look = async () => (job ? connections.of(environment.id, job.metadata, event.accountId) : NOTHING_NEEDED);
    const given = await look();
    if (given.type === "given") return { run, token, app, environment, event, connections: given.auth };
    await this.#apply(run, async () => ({ input: await connections.lacking(run, token, look), tasks: [] }));
    return null;
  }

  async #connect(prepared: Prepared): Promise<void> {
    const { run, token, app } = prepared;
    const pages = recordedTasks(this.needs, run);
    const first = await pages.next();
    const second = await pages.next();
    const more = second.done ? null : chain(second.value, pages);
    const start = executionStart(this.needs.world, { ...prepared, tasks: first.value ?? [] });
    const execution = this.live.get(token);
    if (!execution) return;
    const isDefined = this.needs.registry.job(run.environmentId, run.jobId)?.app.id === app.id;
    const connection = await this.hub.execute(app.id, start, more, isDefined);
    if (connection === "gone") {
      await this.#over(token, { type: "unreachable", token, error: { message: "The app is not connected." } });
    } else if (connection === "elsewhere") {
      // Given back it would be claimed again at once, as long as processes without the job have room.
      const message = `No process of the app that has the job "${run.jobId}" has room.`;
      await this.#over(token, { type: "unreachable", token, error: { message } });
    } else if (connection === "full") await this.#over(token, { type: "released", token });
    else execution.stop = (reason) => connection.stop(token, reason);
  }

  /** Ends a live execution with an input, once. */
  #over(token: string, input: RunInput): Promise<void> {
    return this.#overRead(token, async () => ({ input, tasks: [] }));
  }

  async #overRead(token: string, read: () => Promise<Telling>): Promise<void> {
    const execution = this.live.get(token);
    if (!execution || !this.live.remove(token)) return;
    const { app } = execution;
    if (app.transport === "push" && this.room(app) === 1) this.ready(app);
    const written = this.#apply(execution.run, read);
    this.#ending.set(token, written);
    await written;
    this.#ending.delete(token);
  }

  /**
   * The end of a drain. Connected apps keep what still runs, and resume it on another server or after the next start: until then it is nobody's. What was
   * pushed is given back, so that it goes on elsewhere at once and not when its lease expires. It is no fault of the app's. Resolves when that is on disk.
   */
  async giveBack(): Promise<void> {
    const { log, now } = this.needs.world;
    const kept: string[] = [];
    for (const { token, app } of this.live.all()) {
      if (app.transport === "push") void this.#over(token, { type: "lost", token, progressed: true });
      else if (this.live.remove(token)) kept.push(token);
    }
    await this.needs.store.renew(kept, now() + ADOPT_MS, this.needs.owner).catch((error: unknown) => {
      log.warn("executions could not be let go; their leases will expire", { error });
    });
    await Promise.all(this.#ending.values());
  }

  /** Whether it is on disk. */
  async #apply(run: RunRow, read: () => Promise<Telling>): Promise<boolean> {
    try {
      await this.needs.runs.applyRead(run, read);
      return true;
    } catch (error) {
      this.needs.world.log.error("an execution's end could not be written; its lease will expire and it runs again", {
        run: run.id,
        error,
      });
      return false;
    }
  }

  report(frame: AppFrame & { t: "report" }, connection: Connection): void {
    this.record(frame.x, frame.items).then(
      (verdict) => {
        if (verdict === "stale") return connection.send({ t: "stale", x: frame.x, reason: "superseded" });
        connection.send({ t: "ack", x: frame.x, n: frame.n });
      },
      (error: unknown) => {
        this.needs.world.log.error("a report could not be written; the execution is given up and will run again", { error });
        this.live.drop(frame.x, "superseded");
      },
    );
  }

  /** Reports that came in by HTTP, from push apps. */
  async record(token: string, items: readonly TaskReport[]): Promise<"recorded" | "stale"> {
    const now = this.needs.world.now();
    const waits = this.live.get(token)?.waits;
    for (const { key, delayMs } of items) if (delayMs !== undefined) waits?.set(key, now + delayMs);
    const verdict = await this.needs.reports.record(token, items, now);
    if (verdict === "recorded") this.#seen(runIdOfToken(token), items.some(isProgress));
    return verdict;
  }

  /** A task of this run was recorded: a step that will not be done again. */
  progressed(runId: string): void {
    this.#seen(runId, true);
  }

  #seen(runId: string, progressed: boolean): void {
    const execution = this.live.ofRun(runId);
    if (!execution) return;
    execution.progressed ||= progressed;
    execution.heardAt ??= this.needs.world.now();
    this.needs.seen(execution.run);
  }

  ended(frame: AppFrame & { t: "end" }, connection: Connection): void {
    const now = this.needs.world.now();
    const writes = frame.items.map((item) => writeOf(frame.x, item, now));
    const waits = this.live.get(frame.x)?.waits ?? new Map<string, number>();
    const ended = inputOf(frame.x, frame.outcome, now, waits);
    void this.#overRead(frame.x, reading(this.needs, runIdOfToken(frame.x), ended, writes));
    const written = this.#ending.get(frame.x) ?? Promise.resolve(false);
    void written.then((isWritten) =>
      connection.send(isWritten ? { t: "ended", x: frame.x } : { t: "stale", x: frame.x, reason: "superseded" }),
    );
  }

  returning(tokens: readonly string[], slug: string, connection: Connection): string[] {
    return this.#resumption.returning(tokens, slug, connection);
  }

  /** Ends under way come first: an execution that is over is nobody's to resume. */
  async resume(tokens: readonly string[], connection: Connection): Promise<string[]> {
    await Promise.all(tokens.map((token) => this.#ending.get(token)));
    return this.#resumption.resume(tokens, connection);
  }

  broken(tokens: readonly string[]): void {
    this.#resumption.broken(tokens);
  }

  /** Their app goes on with them elsewhere, or they are over: the lease is no longer ours. */
  moved(tokens: readonly string[]): void {
    for (const token of tokens) this.live.remove(token);
  }

  lost(tokens: readonly string[]): void {
    for (const token of tokens) {
      const progressed = this.live.get(token)?.progressed ?? false;
      void this.#over(token, { type: "lost", token, progressed });
    }
  }

  ready(app: AppRow): void {
    this.needs.wake([app.id]);
  }
}

/** A run that starts a step or logs a line and then kills its app, again and again, gets nowhere. */
function isProgress({ status, noop }: TaskReport): boolean {
  return status !== "RUNNING" && noop !== true;
}

async function* chain<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
