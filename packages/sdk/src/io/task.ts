// Room: io. What users see of a task, and how they describe one. The names and meanings are v2's.
import type { DisplayProperty, TaskStatus } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { IO } from "./io.ts";

type JsonPrimitive = string | number | boolean | null | undefined | Date | symbol;
type JsonRecord<T> = { [Property in keyof T]: Json };
/** What a task may return: it travels as JSON, so dates come back as texts and functions vanish. */
export type Json<T = Anything> = JsonPrimitive | Json[] | JsonRecord<T>;

/** What a callback's type may be: JSON, or nothing at all. */
// biome-ignore lint/suspicious/noConfusingVoidType: callbacks that return nothing are Promise<void>, as in v2
export type TaskResult<T> = Json<T> | void;

/** The task a callback runs in. `idempotencyKey` is stable over retries and crashes: hand it to services that take one. */
export interface IOTask {
  id: string;
  name: string;
  icon?: string | null | undefined;
  noop: boolean;
  startedAt?: Date | null | undefined;
  completedAt?: Date | null | undefined;
  delayUntil?: Date | null | undefined;
  status: TaskStatus;
  description?: string | null | undefined;
  properties?: DisplayProperty[] | null | undefined;
  /** Set it inside the callback to show properties of the result. */
  outputProperties?: DisplayProperty[] | null | undefined;
  params?: Anything;
  output?: Anything;
  error?: string | null | undefined;
  parentId?: string | null | undefined;
  style?: TaskStyle | null | undefined;
  operation?: string | null | undefined;
  callbackUrl?: string | null | undefined;
  /** v2's; never set here. */
  context?: Anything;
  childExecutionMode?: "SEQUENTIAL" | "PARALLEL" | null | undefined;
  forceYield?: boolean | null | undefined;
  idempotencyKey: string;
  /** 1-based number of the current attempt. */
  attempts: number;
}
export type Task = IOTask;

export interface TaskStyle {
  style: "normal" | "minimal";
  variant?: string | undefined;
}

/** When and how often a failed task is tried again. Left-out fields: limit 5, factor 1.8, min 1000 ms, max 60000 ms, randomize. */
export interface RetryOptions {
  /** Attempts in total, the first one included. */
  limit?: number | undefined;
  factor?: number | undefined;
  minTimeoutInMs?: number | undefined;
  maxTimeoutInMs?: number | undefined;
  randomize?: boolean | undefined;
}

/** How a task is run and shown. */
export interface RunTaskOptions {
  /** Shown in the dashboard; "Task" when left out. */
  name?: string | undefined;
  icon?: string | undefined;
  displayKey?: string | undefined;
  description?: string | undefined;
  properties?: DisplayProperty[] | undefined;
  /** Shown as the task's input. */
  params?: Anything;
  style?: TaskStyle | undefined;
  /** The task waits for this moment before its callback runs. */
  delayUntil?: Date | undefined;
  /** Left out: a failed task is not retried. */
  retry?: RetryOptions | undefined;
  /** The callback is not run; the task is only recorded. */
  noop?: boolean | undefined;
  /** Dot paths of the output that the dashboard hides. */
  redact?: { paths: string[] } | undefined;
  /**
   * The task is completed by whoever POSTs JSON to `task.callbackUrl`, which the callback hands out; what the callback returns is dropped.
   * `timeoutInSeconds` (default 3600, 0: never): the task fails when nobody did by then.
   */
  callback?: { enabled?: boolean | undefined; timeoutInSeconds?: number | undefined } | undefined;
  /** The server performs the task, with `params`; the callback is not run. */
  operation?: "fetch" | "fetch-response" | "fetch-poll" | undefined;
  connectionKey?: string | undefined;
  parallel?: boolean | undefined;
}
export type OverridableRunTaskOptions = Pick<RunTaskOptions, "retry" | "delayUntil" | "description">;

type ErrorAnswer = {
  retryAt?: Date | undefined;
  /** Milliseconds from now, where no clock is at hand. */
  retryInMs?: number | undefined;
  error?: Error | undefined;
  jitter?: number | undefined;
  skipRetrying?: boolean | undefined;
};
// biome-ignore lint/suspicious/noConfusingVoidType: a callback that only looks returns nothing
type ErrorVerdict = ErrorAnswer | Error | undefined | void;
/** Looks at a failure before `retry` does: may set the time of the next try, forbid it, or replace the error. */
export type RunTaskErrorCallback = (error: unknown, task: IOTask, io: IO) => ErrorVerdict | Promise<ErrorVerdict>;
