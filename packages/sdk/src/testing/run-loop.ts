// Room: testing. The part of a server in a run under test: starts executions, records what they report, kills the app where the test says, and stops where
// the run waits or ends. Owned by TestRun.
import { type ExecutionOutcome, type ExecutionStart, type TaskReport, UserFacingError } from "@holdfast/protocol";
import { ApiClient } from "../client/api.ts";
import { appOf } from "../client/registry.ts";
import { type AnyJob, type Performance, perform, type Surroundings } from "../jobs/perform.ts";
import type { Reporter } from "../replay/outbox.ts";
import type { Clock } from "./clock.ts";
import type { CrashPlan } from "./crash-plan.ts";
import type { Ledger } from "./ledger.ts";
import type { Mocks } from "./mocks.ts";
import { pathOf } from "./seen.ts";
import { TestedExecution } from "./tested-execution.ts";

const MOST_YIELDS = 100;
const MOST_EXECUTIONS = 10_000;

export interface LoopSetting {
  job: AnyJob;
  ledger: Ledger;
  clock: Clock;
  mocks: Mocks;
  crashes: CrashPlan;
  /** What executions start with, but for what changes from one to the next. */
  start: Omit<ExecutionStart, "token" | "tasks" | "yields">;
}

export class RunLoop implements Reporter {
  readonly #setting: LoopSetting;
  readonly #yields: string[] = [];
  #performance: Performance | undefined;
  #crashed = false;
  executions = 0;
  /** How the last execution ended; none while the first one goes on. */
  outcome: ExecutionOutcome | undefined;
  /** When it goes on, on the clock; Infinity: only something outside makes it. */
  wakesAt = 0;
  /** How the output of each task is read, by path. */
  readonly reads = new Map<string, unknown>();

  constructor(setting: LoopSetting) {
    this.#setting = setting;
  }

  get isOver(): boolean {
    return this.outcome !== undefined && this.outcome.status !== "SUSPENDED" && this.outcome.status !== "YIELDED";
  }

  /** Executes until the run waits or has ended. @throws when a crash the test asked for never happened */
  async proceed(): Promise<void> {
    do await this.#execute();
    while (this.#goesOn());
    const { missed } = this.#setting.crashes;
    if (!this.isOver || missed.length === 0) return;
    const message = `The run ended (${this.outcome?.status}) without the crash the test asked for: no task "${missed.join('", "')}" came that far.`;
    throw new UserFacingError("BAD_REQUEST", message, "crashAfter and crashDuring name tasks by cacheKey or path.");
  }

  /** Takes reports; with the last one before a crash the app is gone. */
  async report(items: TaskReport[]): Promise<"recorded"> {
    const { crashes, ledger } = this.#setting;
    for (const item of items) {
      const isEnd = this.#record(item) && (item.status === "COMPLETED" || item.status === "ERRORED");
      if (isEnd && crashes.after(item.displayKey ?? "", pathOf(ledger, item))) this.#crash();
    }
    return "recorded";
  }

  #record(item: TaskReport): boolean {
    return this.#setting.ledger.record(item, this.#setting.clock.time) !== undefined;
  }

  #crash(): void {
    this.#crashed = true;
    this.#performance?.abandon("the test kills the app here");
  }

  async #execute(): Promise<void> {
    if (this.executions >= MOST_EXECUTIONS) {
      const message = `The run has not ended after ${MOST_EXECUTIONS} executions.`;
      throw new UserFacingError("CONFLICT", message, "It probably waits or fails in an endless loop.");
    }
    this.executions += 1;
    this.#crashed = false;
    const { job, clock } = this.#setting;
    this.#performance = perform(job, this.#start(), this, this.#surroundings());
    const end = await this.#performance.ended;
    if (end.kind === "ended") {
      for (const item of end.items) this.#record(item);
      this.outcome = this.#yielded(end.outcome);
      this.wakesAt = clock.time + ((end.outcome.status === "SUSPENDED" && end.outcome.wakeMs) || 0);
      if (end.outcome.status === "SUSPENDED" && end.outcome.wakeMs === undefined) this.wakesAt = Number.POSITIVE_INFINITY;
    } else if (!this.#crashed) throw new Error(`The execution was lost: ${end.kind === "abandoned" ? end.reason : end.kind}`);
  }

  #yielded(outcome: ExecutionOutcome): ExecutionOutcome {
    if (outcome.status !== "YIELDED" || outcome.key === undefined) return outcome;
    this.#yields.push(outcome.key);
    if (this.#yields.length <= MOST_YIELDS) return outcome;
    return { status: "ERROR", error: { message: `Run has yielded too many times, the maximum is ${MOST_YIELDS}` } };
  }

  /** The next execution would start at once. */
  #goesOn(): boolean {
    if (this.#crashed || this.outcome?.status === "YIELDED") return true;
    return this.outcome?.status === "SUSPENDED" && this.wakesAt <= this.#setting.clock.time;
  }

  #start(): ExecutionStart {
    const { start, ledger, clock } = this.#setting;
    const run = { ...start.run, startedAt: new Date(clock.virtualNow).toISOString() };
    return { ...start, run, token: `exe_${this.executions}`, tasks: ledger.start(clock.time), yields: [...this.#yields] };
  }

  #surroundings(): Surroundings {
    const { job, clock, mocks, crashes } = this.#setting;
    const app = job.client && appOf(job.client)?.surroundings;
    const api = new ApiClient(() => ({ apiKey: "tr_dev_test", apiUrl: "http://holdfast.test" }), clock);
    const performed = (key: string, path: string) => {
      if (crashes.during(key, path)) this.#crash();
    };
    return {
      app: app?.app ?? "test",
      logging: app?.logging ?? { level: "info", mirror: false },
      resolvers: app?.resolvers ?? new Map(),
      api,
      runtime: clock,
      makeExecution: (start, reporter, runtime) => {
        const execution = new TestedExecution(start, reporter, { runtime, hand: { mocks, performed, reads: this.reads } });
        execution.standIn = api;
        return execution;
      },
    };
  }
}
