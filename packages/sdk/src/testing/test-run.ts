// Room: testing. A run of a job under test, as tests see it: what it did, what it waits for, and the hands that move it on. Made by JobTester.run.
// Promises: replay, retries, waits and races are the SDK's own; nothing leaves the process but what the job's tasks do.
import { type ErrorShape, type RunStatus, type StatusRecord, UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { type RunNotification, reviveNotification } from "../jobs/notification.ts";
import { outputText } from "../replay/details.ts";
import { describeError } from "../replay/errors.ts";
import { fittingOutput } from "./answers.ts";
import type { Clock } from "./clock.ts";
import { type Duration, milliseconds } from "./duration.ts";
import { awaitsOutside, type Ledger, type LedgerRow, type OutsideEnd } from "./ledger.ts";
import type { MemoryServer, TestEvent, TestInvocation, TestStore } from "./memory-server.ts";
import type { Mocks } from "./mocks.ts";
import { jsonOf } from "./options.ts";
import type { RunLoop } from "./run-loop.ts";
import { logsOf, pathOf, type TestLog, type TestTask, tasksOf, waitingRows } from "./seen.ts";

/** The parts a run is made of. */
export interface RunParts {
  id: string;
  loop: RunLoop;
  ledger: Ledger;
  clock: Clock;
  server: MemoryServer;
  mocks: Mocks;
  /** What all its notifications say. */
  told: Record<string, unknown>;
  /** Tells the program's Date what time it is. */
  setDate: (now: Date) => void;
}

/**
 * A run of a job under test. It stands still wherever it waits, until the test moves it on.
 *
 * @example
 * const run = await tester.run(reminder, { user: "ada" }, { tasks: { send: { sent: true } } });
 * run.waitsFor; // [{ key: "a day", until: … }]
 * await run.advance("24h");
 * run.status; // "SUCCESS"
 */
export class TestRun<TOutput = Anything> {
  readonly #parts: RunParts;
  #busy = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.id;
  }
  /** "WAITING_TO_CONTINUE" while it waits; then "SUCCESS", "FAILURE", "INVALID_PAYLOAD" or "UNRESOLVED_AUTH". */
  get status(): RunStatus {
    const status = this.#parts.loop.outcome?.status ?? "EXECUTING";
    if (status === "ERROR") return "FAILURE";
    return status === "SUSPENDED" || status === "YIELDED" ? "WAITING_TO_CONTINUE" : status;
  }
  /** What `run` returned, as it travels: through JSON. Undefined unless it succeeded. */
  get output(): TOutput | undefined {
    const { outcome } = this.#parts.loop;
    return outcome?.status === "SUCCESS" && outcome.output !== undefined ? JSON.parse(outcome.output) : undefined;
  }
  /** Why it ended badly: what was thrown, or what is wrong with the payload or the credentials. */
  get error(): ErrorShape | undefined {
    const { outcome } = this.#parts.loop;
    if (outcome?.status === "ERROR") return outcome.error;
    if (outcome?.status === "INVALID_PAYLOAD") {
      const issues = outcome.errors.map(({ path, message }) => `${path.join(".") || "payload"}: ${message}`);
      return { name: "InvalidPayload", message: issues.join("; ") };
    }
    if (outcome?.status !== "UNRESOLVED_AUTH") return undefined;
    const issues = Object.entries(outcome.issues).map(([key, { error }]) => `${key}: ${error}`);
    return { name: "UnresolvedAuth", message: issues.join("; ") };
  }
  /** Its tasks in the order in which they were first heard of. Lines of the log are not among them. */
  get tasks(): TestTask[] {
    const { ledger, loop } = this.#parts;
    return tasksOf(ledger, { when: (at) => this.#when(at), over: loop.isOver });
  }
  /** The first task of that path or cacheKey. @example run.task("order/charge")?.attempts */
  task(key: string): TestTask | undefined {
    const { tasks } = this;
    return tasks.find(({ path }) => path === key) ?? tasks.find((task) => task.key === key);
  }
  get logs(): TestLog[] {
    return logsOf(this.#parts.ledger);
  }
  /** Events it has sent. They start nothing. */
  get events(): readonly TestEvent[] {
    return this.#parts.server.events;
  }
  /** Runs of other jobs it has asked for. They do not take place. */
  get invocations(): readonly TestInvocation[] {
    return this.#parts.server.invocations;
  }
  /** What it has shown with `io.createStatus`. */
  get statuses(): readonly StatusRecord[] {
    return this.#parts.server.statuses;
  }
  /** Values kept by key. Give it to another run to go on with them: `tester.run(job, payload, { store: run.store })`. */
  get store(): TestStore {
    return this.#parts.server.store;
  }
  /** How often the job's `run` was called. */
  get executions(): number {
    return this.#parts.loop.executions;
  }
  /** What time it is for the run. */
  get now(): Date {
    return new Date(this.#parts.clock.virtualNow);
  }
  /** What it waits for, by path, and until when; without `until`, only `complete` and `fail` end it. */
  get waitsFor(): { key: string; until?: Date }[] {
    const { ledger, loop } = this.#parts;
    if (loop.isOver) return [];
    return waitingRows(ledger).map(({ report, due }) => {
      return { key: pathOf(ledger, report), ...(Number.isFinite(due) ? { until: this.#when(due) } : {}) };
    });
  }
  /** Mocks no task has asked for: a typing error, or a branch not taken. */
  get unusedMocks(): string[] {
    return this.#parts.mocks.unused;
  }
  /** What `onSuccess` and `onFailure` are given. @example await job.options.onFailure?.(run.notification); */
  get notification(): RunNotification<TOutput> {
    const { told, clock, server } = this.#parts;
    const end = this.status === "SUCCESS" ? { ok: true, output: this.output } : { ok: false, error: this.error };
    const { id, status, executions: executionCount } = this;
    const given = { ...told, ...end, id, status, executionCount, statuses: server.statuses };
    return reviveNotification<TOutput>(fittingOutput(given, reviveNotification, clock.virtualNow));
  }

  /**
   * Lets time pass: whatever falls due on the way happens at its moment.
   *
   * @param duration seconds, or a text such as "90s", "3h", "1d 12h" @throws BAD_REQUEST for what is no duration
   * @example await run.advance("3h");
   */
  advance(duration: Duration): Promise<this> {
    return this.#moved(async ({ loop, clock }) => {
      const end = clock.time + milliseconds(duration);
      while (!loop.isOver && loop.wakesAt <= end) await this.#wake(loop.wakesAt);
      this.#moveTo(end);
    });
  }

  /**
   * Lets as much time pass as the run needs to end.
   *
   * @throws CONFLICT when it waits for something that only `complete` or `fail` gives
   * @example expect((await run.toEnd()).output).toEqual({ reminded: 3 });
   */
  toEnd(): Promise<this> {
    return this.#moved(async ({ loop }) => {
      while (!loop.isOver) {
        if (loop.wakesAt === Number.POSITIVE_INFINITY) throw this.#waitsOutside();
        await this.#wake(loop.wakesAt);
      }
    });
  }

  /**
   * Ends, with a result, what waits for something outside: `waitForRequest`, `waitForEvent`, `backgroundFetch` and its kin, an invoked run, any task with a callback.
   *
   * @param key path or cacheKey of the task @param value what comes: the JSON posted or fetched; an event, of which `{ payload }` is enough; the end of an
   * invoked run, `{ output }` or `{ error }`, or the run of it under test @throws NOT_FOUND when no such task waits
   * @example await run.complete("approval", { approved: true });
   */
  complete(key: string, value: unknown): Promise<this> {
    return this.#outside(key, (row) => {
      const { loop, ledger, clock } = this.#parts;
      const given = value instanceof TestRun ? value.notification : value;
      const output = fittingOutput(given, loop.reads.get(pathOf(ledger, row.report)), clock.virtualNow);
      jsonOf(output, "The value");
      return { output: outputText(output, "Task") };
    });
  }

  /** As `complete`, with an error: what the task throws. @example await run.fail("fetch", new Error("503")); */
  fail(key: string, error: unknown): Promise<this> {
    return this.#outside(key, () => ({ error: describeError(error) }));
  }

  #outside(key: string, end: (row: LedgerRow) => OutsideEnd): Promise<this> {
    return this.#moved(async ({ loop, ledger, clock }) => {
      const open = loop.isOver ? [] : waitingRows(ledger).filter(awaitsOutside);
      const row =
        open.find(({ report }) => pathOf(ledger, report) === key) ?? open.find(({ report }) => report.displayKey === key);
      if (!row) throw this.#nothingWaits(key, open);
      ledger.settle(row, end(row), clock.time);
      await this.#wake(clock.time);
    });
  }

  async #wake(at: number): Promise<void> {
    this.#moveTo(at);
    await this.#parts.loop.proceed();
  }

  #moveTo(time: number): void {
    const { clock, setDate } = this.#parts;
    clock.moveTo(time);
    setDate(this.now);
  }

  /** One move at a time: two would execute the run twice at once. */
  async #moved(move: (parts: RunParts) => Promise<void>): Promise<this> {
    if (this.#busy) {
      const message = "The run is being moved on already.";
      throw new UserFacingError("CONFLICT", message, "Await advance, toEnd, complete or fail before the next of them.");
    }
    this.#busy = true;
    try {
      await move(this.#parts);
    } finally {
      this.#busy = false;
    }
    return this;
  }

  #when(at: number): Date {
    const { clock } = this.#parts;
    return new Date(clock.virtualNow - clock.time + at);
  }

  #waitsOutside(): UserFacingError {
    const keys = this.waitsFor.map(({ key }) => `"${key}"`).join(", ");
    const hint = "Give it with run.complete(key, value) or run.fail(key, error), or mock the task.";
    return new UserFacingError(
      "CONFLICT",
      `The run waits for ${keys || "nothing a clock could bring"}, and no time ends that.`,
      hint,
    );
  }

  #nothingWaits(key: string, open: LedgerRow[]): UserFacingError {
    const keys = open.map(({ report }) => `"${pathOf(this.#parts.ledger, report)}"`).join(", ");
    const hint = keys ? `These tasks do: ${keys}.` : `The run is ${this.status}; no task waits for something outside.`;
    return new UserFacingError("NOT_FOUND", `No task "${key}" waits for something outside.`, hint);
  }
}
