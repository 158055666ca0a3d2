// Room: replay. Tasks that something outside completes: what the server answers when it is told of one, and until when it is waited for. Used by Execution only.
import { type RecordedTask, UserFacingError } from "@holdfast/protocol";
import type { Frame } from "./frame.ts";

/** How the server is made to know a task, before anybody else may. */
export interface OutsideWork {
  open: (task: Frame) => Promise<OpenedTask>;
}

/** A task as the server knows it. */
export interface OpenedTask {
  status: string;
  callbackUrl?: string | null | undefined;
  /** Of a COMPLETED task; of an ERRORED one its error. */
  output?: unknown;
}

export type Opened =
  | { type: "waits"; callbackUrl: string | undefined }
  /** It was completed before. */
  | { type: "over"; task: RecordedTask }
  | { type: "refused"; error: unknown }
  /** The server cannot be reached: nothing is known of the task. */
  | { type: "lost"; reason: string };

/** Makes the server know the task. Never rejects. A report that came before `open` did would make it a task without an address. */
export async function openOutside(frame: Frame, open: OutsideWork["open"]): Promise<Opened> {
  frame.announced = true;
  try {
    const task = await open(frame);
    const { id, idempotencyKey: key } = frame;
    const over = { id, key, attempts: 0, endedAt: Number.POSITIVE_INFINITY };
    if (task.status === "COMPLETED") return { type: "over", task: { ...over, status: "COMPLETED", ...textOf(task.output) } };
    if (task.status === "ERRORED") return { type: "over", task: { ...over, status: "ERRORED", error: errorOf(task.output) } };
    return { type: "waits", callbackUrl: task.callbackUrl ?? undefined };
  } catch (error) {
    const passes = error instanceof UserFacingError && (error.status >= 500 || error.code === "TOO_MANY_REQUESTS");
    return passes ? { type: "lost", reason: error.message } : { type: "refused", error };
  }
}

function textOf(output: unknown): { output?: string } {
  const text = JSON.stringify(output);
  return text === undefined ? {} : { output: text };
}

function errorOf(output: unknown): { message: string } {
  const given = output as { message?: unknown } | null | undefined;
  return { ...(typeof given === "object" ? given : {}), message: String(given?.message ?? "The task failed.") };
}

const USUAL_TIMEOUT_S = 3600;

/** When it is given up, on the monotonic clock. */
export function outsideDue(
  frame: Frame,
  record: RecordedTask | undefined,
  { began, timeoutInSeconds = USUAL_TIMEOUT_S }: { began: number; timeoutInSeconds: number | undefined },
): number {
  if (record?.handedOut) return record.wakeMs === undefined ? Number.POSITIVE_INFINITY : began + record.wakeMs;
  return timeoutInSeconds > 0 ? frame.began + timeoutInSeconds * 1000 : Number.POSITIVE_INFINITY;
}
