// Room: replay. One task under way in one execution: what the machine keeps of it, and the view of it users get. Made by Execution only.
import type { DisplayProperty, RecordedTask, TaskReport } from "@holdfast/protocol";
import type { IOTask, RunTaskOptions, TaskStyle } from "../io/task.ts";
import { paramsText, taskDetails } from "./details.ts";
import { type CacheKey, taskId } from "./key.ts";

/** running: its callback is in progress. finishing: the callback has settled, the report is under way. suspended: it waits. */
export type FrameState = "running" | "finishing" | "suspended" | "done";

/** The longest text the wire takes for names and display keys. */
const NAME_LIMIT = 4096;

export class Frame implements IOTask {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly attempts: number;
  readonly parent: Frame | undefined;
  readonly options: RunTaskOptions;
  readonly displayKey: string | undefined;
  /** On the runtime's monotonic clock. */
  readonly began: number;
  readonly wallOrigin: number;
  outputProperties?: DisplayProperty[] | null | undefined;
  state: FrameState = "running";
  /** Children started and neither finished nor orphaned; a suspended child stays counted. */
  openChildren = 0;
  /** Grows when the children are orphaned: older ones no longer count. */
  generation = 0;
  /** The parent's generation this frame counts in; -1 for none. */
  holds = -1;
  /** The server knows of it. */
  announced: boolean;
  /** Whoever POSTs to it completes the task. */
  callbackUrl: string | undefined;
  /** Nobody has to be given the URL any more. */
  handedOut = false;
  readonly #params: string | undefined;

  constructor(key: string, cacheKey: CacheKey, setting: FrameSetting) {
    this.id = taskId(key);
    this.idempotencyKey = key;
    this.attempts = (setting.record?.attempts ?? 0) + 1;
    this.parent = setting.parent;
    this.options = setting.options;
    const { displayKey = typeof cacheKey === "string" ? cacheKey : undefined } = setting.options;
    this.displayKey = displayKey === undefined ? undefined : String(displayKey);
    this.began = setting.elapsed;
    this.wallOrigin = setting.wallOrigin;
    this.announced = setting.record !== undefined;
    this.callbackUrl = setting.record?.callbackUrl ?? undefined;
    if (setting.options.params !== undefined) this.#params = paramsText(setting.options.params);
  }

  get name(): string {
    return String(this.options.name ?? "Task");
  }
  get icon(): string | undefined {
    return this.options.icon;
  }
  get noop(): boolean {
    return this.options.noop ?? false;
  }
  get startedAt(): Date {
    return new Date(this.wallOrigin + this.began);
  }
  get completedAt(): null {
    return null;
  }
  get delayUntil(): Date | undefined {
    return this.options.delayUntil;
  }
  /** {@link RunTaskOptions.delayUntil} in epoch milliseconds. Text is read as a date: v2 sent it to its server, which did so. */
  get notBefore(): number | null {
    const given: unknown = this.options.delayUntil;
    if (given === undefined || given === null) return null;
    const time = given instanceof Date || typeof given === "string" ? new Date(given).getTime() : Number.NaN;
    if (Number.isNaN(time)) throw new Error(`A task's delayUntil must be a valid Date; it is ${String(given)}.`);
    return time;
  }
  get status(): "RUNNING" {
    return "RUNNING";
  }
  get description(): string | undefined {
    return this.options.description;
  }
  get properties(): DisplayProperty[] | undefined {
    return this.options.properties;
  }
  get params(): unknown {
    return this.options.params;
  }
  get parentId(): string | undefined {
    return this.parent?.id;
  }
  get style(): TaskStyle | undefined {
    return this.options.style;
  }

  /** What JSON shows of a task, and no bookkeeping. */
  toJSON(): Record<string, unknown> {
    const {
      id,
      name,
      icon,
      noop,
      startedAt,
      status,
      description,
      properties,
      params,
      parentId,
      style,
      idempotencyKey,
      attempts,
    } = this;
    return {
      id,
      name,
      icon,
      noop,
      startedAt,
      status,
      description,
      properties,
      params,
      parentId,
      style,
      idempotencyKey,
      attempts,
    };
  }

  /** A report on it. The times in it are instants of the monotonic clock until the outbox sends it. */
  report(status: TaskReport["status"]): TaskReport {
    this.announced = true;
    const report: TaskReport = {
      key: this.idempotencyKey,
      id: this.id,
      name: this.name.slice(0, NAME_LIMIT),
      status,
      attempt: this.attempts,
      startedAgo: this.began,
    };
    if (this.parent) report.parentId = this.parent.id;
    if (this.displayKey !== undefined) report.displayKey = this.displayKey.slice(0, NAME_LIMIT);
    if (this.options.noop) report.noop = true;
    const { callbackUrl, handedOut } = this;
    const outside = callbackUrl ? { callbackUrl, handedOut } : undefined;
    const details = taskDetails(this.options, this.outputProperties, outside, this.#params);
    if (details !== undefined) report.details = details;
    return report;
  }
}

export interface FrameSetting {
  parent: Frame | undefined;
  options: RunTaskOptions;
  record: RecordedTask | undefined;
  elapsed: number;
  /** Epoch milliseconds at which `elapsed` was 0. */
  wallOrigin: number;
}

/** A recorded task, in the view users get of the cause of an error. */
export function recordedTaskView(record: RecordedTask, parent: Frame | undefined, options: RunTaskOptions): IOTask {
  return {
    id: record.id,
    name: options.name ?? "Task",
    noop: options.noop ?? false,
    status: record.status,
    params: options.params,
    output: record.error,
    error: record.error?.message,
    parentId: parent?.id,
    idempotencyKey: record.key,
    attempts: Math.max(1, record.attempts),
  };
}
