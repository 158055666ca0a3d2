// Room: replay. One call of a job's run(): replays what is recorded, performs what is not, and knows when nothing can go on any more.
// Called by jobs/perform.ts with the start the server sent and a Reporter; pure of transport. Promises: a recorded task never runs again; a task's
// output is on disk before the program sees it; results replay in the order they came about, so races end as they did; a suspended task never settles,
// so no try/catch can swallow a wait; after the end nothing is reported.
import type { ExecutionOutcome, ExecutionStart, RecordedTask, TaskReport } from "@holdfast/protocol";
import { platform } from "#platform";
import type { ApiClient } from "../client/api.ts";
import type { IO } from "../io/io.ts";
import type { LogLevel, Runtime } from "../runtime/runtime.ts";
import { outputText, outputValue } from "./details.ts";
import { describeError, ErrorWithTask, YieldSignal } from "./errors.ts";
import { Frame, recordedTaskView } from "./frame.ts";
import { type CacheKey, duplicateKeyError, taskKey } from "./key.ts";
import { Liveness } from "./liveness.ts";
import { logReport } from "./log-line.ts";
import { delayUntil, type Lost, never, Outbox, type Reporter } from "./outbox.ts";
import { type OutsideWork, openOutside, outsideDue } from "./outside.ts";
import { judge } from "./retry.ts";
import { LAST, Turnstile } from "./turnstile.ts";
import type { Work } from "./work.ts";

export type ExecutionEnd = { kind: "ended"; items: TaskReport[]; outcome: ExecutionOutcome } | Lost;

/** A task still running after about this long is shown as running. */
const BEAT_MS = 200;

interface Caller {
  execution: Execution;
  /** The task the code runs in; none at the top of the program. */
  frame: Frame | undefined;
}
const callers = platform.storage<Caller>();

export class Execution {
  readonly start: ExecutionStart;
  readonly runtime: Runtime;
  /** Settles when the execution is over. */
  readonly ended: Promise<ExecutionEnd>;
  readonly #outbox: Outbox;
  readonly #liveness: Liveness;
  readonly #turnstile: Turnstile;
  readonly #recorded = new Map<string, RecordedTask>();
  readonly #visited = new Set<string>();
  /** Ids of tasks that something outside completes. */
  readonly #outside = new Set<string>();
  readonly #logged = new Map<string, number>();
  readonly #began: number;
  readonly #wallOrigin: number;
  #phase: "running" | "yielding" | "over" = "running";
  /** None when the execution ends because its time is up. */
  #yieldKey: string | undefined;
  #recordedAny = false;
  private io: IO | undefined;
  #settle: (end: ExecutionEnd) => void = () => {};
  #cancelBeat: (() => void) | undefined;

  /** In tests: where all calls of the API go that the run makes, through whichever client. */
  standIn: ApiClient | undefined;

  /** The execution whose code calls, wherever that code stands; none outside of runs. */
  static current(): Execution | undefined {
    return callers.getStore()?.execution;
  }
  static currentIO(): IO | undefined {
    return Execution.current()?.io;
  }

  constructor(start: ExecutionStart, reporter: Reporter, runtime: Runtime) {
    this.start = start;
    this.runtime = runtime;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#began = runtime.elapsed();
    this.#wallOrigin = runtime.now() - this.#began;
    this.#outbox = new Outbox(reporter, runtime, (end) => this.#lose(end));
    this.#liveness = new Liveness(runtime, () => this.#stuck());
    this.#turnstile = new Turnstile(runtime, (busy) => this.#liveness.busy(busy));
    for (const task of start.tasks) this.#recorded.set(task.key, task);
  }

  /** Runs the program to its end, whichever it is. Never rejects. */
  run(io: IO, program: () => Promise<unknown>): Promise<ExecutionEnd> {
    this.io = io;
    if (this.#over()) return this.ended;
    const body = callers.run({ execution: this, frame: undefined }, async () => program());
    body.then(
      (value) => this.#returned(value),
      (error: unknown) => this.#threw(error),
    );
    return this.ended;
  }

  /** The connection is gone or the app is leaving: nothing further is performed or reported. */
  abandon(reason: string): Promise<never> {
    this.#lose({ kind: "abandoned", reason });
    return never();
  }

  /** The server says the run moved on without this execution. */
  supersede(): void {
    this.#lose({ kind: "stale" });
  }

  runTask<T>(cacheKey: CacheKey, work: Work<T>): Promise<T> {
    const parent = this.caller();
    if (this.#phase !== "running" || this.#timeIsUp()) return this.#halt(parent);
    const key = taskKey(this.start.run.id, parent?.id ?? "", cacheKey);
    if (this.#visited.has(key)) return Promise.reject(duplicateKeyError(cacheKey));
    this.#visited.add(key);
    const record = this.#recorded.get(key);
    if (record?.status === "COMPLETED" || record?.status === "ERRORED") return this.#replay(record, parent, work);
    const { options } = work;
    const frame = new Frame(key, cacheKey, {
      parent,
      options,
      record,
      elapsed: this.runtime.elapsed(),
      wallOrigin: this.#wallOrigin,
    });
    return this.#begin(frame, record, work);
  }

  /** Records a log line; it travels with the next report. The same line twice is two lines. Tells whether it is a new one. */
  log(level: Uppercase<LogLevel>, message: string, data: unknown): "new" | "replayed" | "over" {
    const parent = this.caller();
    if (this.#over()) return "over";
    const key = this.#logKey(parent?.id ?? "", level, message);
    if (this.#recorded.has(key)) return "replayed";
    this.#add(logReport(key, { level, message, data }, { now: this.runtime.elapsed(), parentId: parent?.id }), parent);
    return "new";
  }

  #logKey(parentId: string, level: string, message: string): string {
    const line = `${parentId}:${level}:${message}`;
    const occurrence = (this.#logged.get(line) ?? 0) + 1;
    this.#logged.set(line, occurrence);
    return taskKey(this.start.run.id, parentId, occurrence === 1 ? [message, level] : [message, level, occurrence]);
  }

  /** Ends this execution once the tasks under way have finished; the server starts another. Does nothing for a key seen before. */
  yield(key: string): void {
    if (this.start.yields.includes(key)) return;
    if (this.#phase === "running") this.#yieldWith(key);
    this.#park(this.caller());
    throw new YieldSignal(key);
  }

  #yieldWith(key?: string): void {
    this.#phase = "yielding";
    this.#yieldKey = key;
    this.#liveness.hold();
  }

  /** What would start now would be cut off: it is left to the next execution. Never before something was recorded, or no execution would get anywhere. */
  #timeIsUp(): boolean {
    const { yieldAfterMs = Number.POSITIVE_INFINITY } = this.start;
    if (!this.#recordedAny || this.runtime.elapsed() - this.#began < yieldAfterMs) return false;
    this.#yieldWith();
    return true;
  }

  /** Calls back, at most once, when nothing can go on: the last chance to make something go on. */
  whenStuck(callback: () => void): () => void {
    return this.#liveness.whenStuck(callback);
  }

  protected caller(): Frame | undefined {
    const caller = callers.getStore();
    return caller?.execution === this ? caller.frame : undefined;
  }

  async #replay<T>(record: RecordedTask, parent: Frame | undefined, { options }: Work<T>): Promise<T> {
    await this.#turnstile.pass(record.endedAt ?? 0);
    if (record.status === "ERRORED") {
      throw new ErrorWithTask(recordedTaskView(record, parent, options), record.error ?? { message: "The task failed." });
    }
    const output = outputValue(record.output);
    return options.parseOutput ? options.parseOutput(output) : (output as T);
  }

  #begin<T>(frame: Frame, record: RecordedTask | undefined, work: Work<T>): Promise<T> {
    if (work.open && !(record?.status === "WAITING" && record.attempts > 0 && !record.handedOut))
      return this.#leaveOutside(frame, record, { ...work, open: work.open });
    const due = this.#dueAt(frame, record, work.delayMs);
    if (due > frame.began) {
      if (!record) this.#add({ ...frame.report("WAITING"), delayMs: due }, frame.parent);
      this.#liveness.enter(frame);
      this.#liveness.suspend(frame, due);
      return never();
    }
    if (!frame.noop) return this.#perform(frame, work);
    this.#add({ ...frame.report("COMPLETED"), endedAgo: frame.began }, frame.parent);
    return this.#atOnce() as Promise<T>;
  }

  /** The instant a task may start: in the past unless it waits. */
  #dueAt(frame: Frame, record: RecordedTask | undefined, delayMs: number | undefined): number {
    if (record) return record.status === "WAITING" ? this.#began + (record.wakeMs ?? 0) : frame.began;
    if (delayMs !== undefined) return frame.began + delayMs;
    const until = frame.notBefore;
    return until === null ? frame.began : frame.began + until - this.runtime.now();
  }

  /** A task that something outside completes: its URL is handed out, once, and it waits. */
  async #leaveOutside<T>(frame: Frame, record: RecordedTask | undefined, work: Work<T> & Pick<OutsideWork, "open">): Promise<T> {
    this.#liveness.enter(frame);
    this.#arm();
    const { callback } = work.options;
    if (!record?.handedOut) {
      const opened = frame.callbackUrl ? null : await openOutside(frame, work.open);
      if (opened?.type === "lost") return this.abandon(opened.reason);
      if (this.#over()) return never();
      if (opened?.type === "refused") return this.#failed(frame, opened.error, work);
      if (opened?.type === "over") return this.#replayOpened(frame, opened.task, work);
      frame.callbackUrl ??= opened?.callbackUrl;
      if (callback?.enabled) {
        try {
          await callers.run({ execution: this, frame }, work.callback, frame, this.io as IO);
        } catch (error) {
          return this.#failed(frame, error, work);
        }
      }
    }
    if (this.#over() || !this.#liveness.finishing(frame)) return never();
    const due = outsideDue(frame, record, {
      began: this.#began,
      timeoutInSeconds: callback?.enabled ? callback.timeoutInSeconds : 0,
    });
    if (callback?.enabled && !record?.handedOut) {
      frame.handedOut = true;
      this.#add({ ...frame.report("WAITING"), delayMs: due }, frame.parent);
    }
    this.#outside.add(frame.id);
    this.#liveness.suspend(frame, due);
    return never();
  }

  #replayOpened<T>(frame: Frame, record: RecordedTask, work: Work<T>): Promise<T> {
    this.#liveness.finishing(frame);
    this.#liveness.leave(frame);
    return this.#replay(record, frame.parent, work);
  }

  async #perform<T>(frame: Frame, work: Work<T>): Promise<T> {
    this.#liveness.enter(frame);
    this.#arm();
    let output: string | undefined;
    try {
      const caller: Caller = { execution: this, frame };
      output = outputText(await callers.run(caller, work.callback, frame, this.io as IO), "Task");
    } catch (error) {
      return this.#failed(frame, error, work);
    }
    if (this.#phase === "over" || !this.#liveness.finishing(frame)) return never();
    const report = frame.report("COMPLETED");
    report.endedAgo = this.runtime.elapsed();
    if (output !== undefined) report.output = output;
    await this.#record(report, frame);
    const value = outputValue(output);
    return work.options.parseOutput ? work.options.parseOutput(value) : (value as T);
  }

  async #failed<T>(frame: Frame, thrown: unknown, work: Work<T>): Promise<T> {
    if (this.#phase === "over" || frame.state !== "running") return never();
    this.#liveness.orphan(frame);
    const failure = { thrown, task: frame, retry: work.options.retry, onError: work.onError };
    const caller: Caller = { execution: this, frame };
    const verdict = await callers.run(caller, judge, failure, this.io as IO, this.runtime);
    if (this.#over() || frame.state !== "running") return never();
    if (verdict.kind === "fail" && verdict.error instanceof YieldSignal) return this.#halt(frame);
    this.#liveness.finishing(frame);
    const now = this.runtime.elapsed();
    if (verdict.kind === "retry") {
      const due = now + verdict.delayMs;
      this.#add({ ...frame.report("WAITING"), endedAgo: now, error: verdict.error, delayMs: due }, frame.parent);
      this.#liveness.suspend(frame, due);
      return never();
    }
    const error = describeError(verdict.error);
    await this.#record({ ...frame.report("ERRORED"), endedAgo: now, error }, frame);
    throw new ErrorWithTask(verdict.error instanceof ErrorWithTask ? verdict.error.cause : frame, error);
  }

  /** Sends a final report and waits until it is on disk. */
  async #record(report: TaskReport, frame: Frame): Promise<void> {
    this.#add(report, frame.parent);
    await this.#outbox.flush();
    if (this.#over()) return never();
    this.#recordedAny = true;
    this.#liveness.leave(frame);
    await this.#behindReplays();
  }

  /** The result of what takes no time: behind recorded results, those included that the program asks for in this very turn. */
  async #atOnce(): Promise<void> {
    if (this.#recorded.size > 0) await this.#turnstile.pass(LAST);
  }

  /** What happens in this execution happens after everything recorded that the program has asked for. */
  async #behindReplays(): Promise<void> {
    if (!this.#turnstile.open) await this.#turnstile.pass(LAST);
  }

  /** Adds a report, and before it the parents the server has not heard of: a child is never shown without them. */
  #add(report: TaskReport, parent: Frame | undefined): void {
    if (this.#over()) return;
    this.#announce(parent);
    this.#outbox.add(report);
    this.#arm();
  }

  #announce(frame: Frame | undefined): void {
    if (!frame || frame.announced) return;
    this.#announce(frame.parent);
    if (frame.state !== "done") this.#outbox.add(frame.report("RUNNING"));
  }

  #over(): boolean {
    return this.#phase === "over";
  }

  /** One timer for the whole execution: shows long tasks as running, and sends what has been put by. */
  #arm(): void {
    this.#cancelBeat ??= this.runtime.after(BEAT_MS, () => this.#beat());
  }

  #beat(): void {
    this.#cancelBeat = undefined;
    if (this.#over()) return;
    const now = this.runtime.elapsed();
    let young = false;
    for (const frame of this.#liveness.open) {
      if (frame.announced || frame.state !== "running") continue;
      if (now - frame.began >= BEAT_MS * 0.75) this.#announce(frame);
      else young = true;
    }
    if (this.#outbox.size > 0) void this.#outbox.flush();
    if (young) this.#arm();
  }

  /** Where a task ends up that may not start any more. Its caller cannot go on either. */
  #halt<T>(caller: Frame | undefined): Promise<T> {
    this.#park(caller);
    return never();
  }

  #park(frame: Frame | undefined): void {
    if (frame && this.#liveness.finishing(frame)) this.#liveness.suspend(frame, Number.POSITIVE_INFINITY);
  }

  #stuck(): void {
    if (this.#phase === "yielding") {
      const key = this.#yieldKey;
      return void this.#finish(() => ({ status: "YIELDED", ...(key === undefined ? {} : { key }) }));
    }
    void this.#finish(() => {
      const { first } = this.#liveness;
      const outside = this.#outside.size > 0 ? { outside: [...this.#outside] } : {};
      if (!first) return { status: "SUSPENDED", ...outside };
      return { status: "SUSPENDED", wakeMs: delayUntil(first.due, this.runtime.elapsed()), wakeKey: first.key, ...outside };
    });
  }

  #returned(value: unknown): void {
    if (this.#phase !== "running") return;
    try {
      const output = outputText(value, "Run");
      void this.#finish(() => ({ status: "SUCCESS", ...(output === undefined ? {} : { output }) }));
    } catch (error) {
      this.#threw(error);
    }
  }

  #threw(error: unknown): void {
    if (this.#phase !== "running") return;
    const taskId = error instanceof ErrorWithTask ? error.cause.id : undefined;
    void this.#finish(() => ({ status: "ERROR", error: describeError(error), ...(taskId === undefined ? {} : { taskId }) }));
  }

  async #finish(outcome: () => ExecutionOutcome): Promise<void> {
    if (this.#over()) return;
    this.#close();
    const items = await this.#outbox.drain();
    this.#settle({ kind: "ended", items, outcome: outcome() });
  }

  #lose(end: Lost): void {
    this.#close();
    this.#settle(end);
  }

  #close(): void {
    this.#phase = "over";
    this.#liveness.stop();
    this.#turnstile.stop();
    this.#cancelBeat?.();
    this.#cancelBeat = undefined;
  }
}
