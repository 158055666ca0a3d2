// For tests of the SDK: one run as a server keeps it, with the ledger of `@holdfast/sdk/testing`. Starts executions, and remembers enough to check the
// promises: what was reported when, in which calls.
import {
  type ExecutionOutcome,
  type ExecutionStart,
  executionOutcomeSchema,
  type TaskReport,
  taskReportSchema,
} from "@holdfast/protocol";
import { ApiClient } from "../src/client/api.ts";
import type { IO } from "../src/io/io.ts";
import { RunIO } from "../src/io/run-io.ts";
import { Execution, type ExecutionEnd } from "../src/replay/execution.ts";
import type { Reporter } from "../src/replay/outbox.ts";
import { Ledger, type LedgerRow } from "../src/testing/ledger.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

export function executionStart(given: Partial<ExecutionStart> = {}): ExecutionStart {
  return {
    token: "exe_1",
    run: { id: "run_hello", isTest: false, isRetry: false, startedAt: "2026-01-01T00:00:00.000Z" },
    job: { id: "job", version: "1.0.0" },
    event: { id: "evt", name: "hello", payload: "{}", timestamp: "2026-01-01T00:00:00.000Z", payloadType: "JSON" },
    environment: { id: "env_1", slug: "dev", type: "DEVELOPMENT" },
    organization: { id: "org", title: "Org", slug: "org" },
    project: { id: "prj", name: "Project", slug: "prj" },
    tasks: [],
    yields: [],
    ...given,
  };
}

/** What a server would refuse is an error here too. */
function onTheWire(schema: { parse(value: unknown): unknown }, value: unknown): void {
  schema.parse(JSON.parse(JSON.stringify(value)));
}

export class RunModel implements Reporter {
  readonly runtime: VirtualRuntime;
  readonly #ledger = new Ledger();
  readonly yields: string[] = [];
  /** Every report call, in order: its items as received. */
  readonly calls: TaskReport[][] = [];
  /** What the next calls answer; "recorded" when empty. */
  readonly answers: ("recorded" | "stale" | Error)[] = [];
  /** Set to hold acknowledgements back until `release` is called. */
  hold = false;
  executions = 0;
  #held: (() => void)[] = [];

  constructor(runtime = new VirtualRuntime()) {
    this.runtime = runtime;
  }

  async report(items: TaskReport[]): Promise<"recorded" | "stale"> {
    const answer = this.answers.shift() ?? "recorded";
    if (answer instanceof Error) throw answer;
    if (answer === "stale") return answer;
    this.calls.push(items);
    for (const item of items) this.record(item);
    if (this.hold) await new Promise<void>((resolve) => this.#held.push(resolve));
    return "recorded";
  }

  release(): void {
    this.hold = false;
    for (const go of this.#held.splice(0)) go();
  }

  get rows(): Map<string, LedgerRow> {
    return this.#ledger.rows;
  }

  record(item: TaskReport): void {
    onTheWire(taskReportSchema, item);
    this.#ledger.record(item, this.runtime.time);
  }

  start(): ExecutionStart {
    return executionStart({ tasks: this.#ledger.start(this.runtime.time), yields: [...this.yields] });
  }

  /** Begins an execution. */
  begin(program: (io: IO) => Promise<unknown>): { execution: Execution; ended: Promise<ExecutionEnd> } {
    this.executions += 1;
    const execution = new Execution(this.start(), this, this.runtime);
    const api = new ApiClient(() => ({ apiKey: "tr_dev_x", apiUrl: "http://test" }), this.runtime);
    const io = new RunIO(execution, { api: api, app: "app", setting: { level: "info", mirror: false } });
    return { execution, ended: execution.run(io, () => program(io)) };
  }

  /** One execution, recorded to its end. */
  async execute(program: (io: IO) => Promise<unknown>): Promise<ExecutionOutcome> {
    const end = await this.begin(program).ended;
    if (end.kind !== "ended") throw new Error(`the execution ended as ${end.kind}`);
    for (const item of end.items) this.record(item);
    onTheWire(executionOutcomeSchema, end.outcome);
    if (end.outcome.status === "YIELDED" && end.outcome.key) this.yields.push(end.outcome.key);
    return end.outcome;
  }

  /** Executes until the run is over, moving time to each wake-up. */
  async finish(program: (io: IO) => Promise<unknown>, limit = 50): Promise<ExecutionOutcome> {
    for (let i = 0; i < limit; i++) {
      const outcome = await this.execute(program);
      if (outcome.status !== "SUSPENDED" && outcome.status !== "YIELDED") return outcome;
      if (outcome.status === "SUSPENDED") this.runtime.time += outcome.wakeMs ?? 0;
    }
    throw new Error(`the run is not over after ${limit} executions`);
  }

  named(name: string): TaskReport[] {
    return [...this.rows.values()]
      .map(({ report }) => report)
      .filter((report) => report.name === name || report.displayKey === name);
  }
}
