// Room: replay. What a task does, as execution.ts takes it from io.
import type { IO } from "../io/io.ts";
import type { IOTask, RunTaskErrorCallback, RunTaskOptions } from "../io/task.ts";
import type { OutsideWork } from "./outside.ts";

/** How a task is to be performed: everything but its key. */
export interface Work<T> {
  callback: (task: IOTask, io: IO) => Promise<T> | T;
  options: RunTaskOptions & { parseOutput?: ((output: unknown) => T) | undefined };
  onError?: RunTaskErrorCallback | undefined;
  /** Milliseconds to wait before it starts. Unlike `delayUntil` it trusts no wall clock. */
  delayMs?: number | undefined;
  /** Of a task that something outside completes. */
  open?: OutsideWork["open"] | undefined;
}
