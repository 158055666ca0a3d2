// Room: replay. Errors users can meet in a run, and the shape errors travel in. Thrown by Execution; `isTriggerError` is public.
import { ERROR_FIELDS, type ErrorShape } from "@holdfast/protocol";
import type { IOTask } from "../io/task.ts";

/**
 * A task failed for good. Catchable like any error; its message is the failure's, and it is the same on every replay. What errors of services say beside it is there,
 * too: `code`, `status`, `statusCode`, `type`, where they are texts or numbers.
 */
export class ErrorWithTask extends Error {
  /** The task that failed. */
  override readonly cause: IOTask;
  /** The failure as recorded. */
  readonly shape: ErrorShape;
  declare readonly code?: string | number;
  declare readonly status?: string | number;
  declare readonly statusCode?: string | number;
  declare readonly type?: string | number;

  constructor(task: IOTask, shape: ErrorShape) {
    super(shape.message);
    this.name = shape.name ?? "Error";
    this.cause = task;
    this.shape = shape;
    if (shape.stack !== undefined) this.stack = shape.stack;
    for (const name of ERROR_FIELDS) if (shape.fields?.[name] !== undefined) Object.assign(this, { [name]: shape.fields[name] });
  }
}

/** Thrown by `io.yield()` only to leave the calling function; catching it changes nothing, the execution ends all the same. */
export class YieldSignal {
  readonly key: string;
  constructor(key: string) {
    this.key = key;
  }
}

/**
 * True for what `io.yield()` throws. Waits and retries throw nothing in Holdfast, so a `try`/`catch` around tasks needs no check;
 * the function is here for programs that have one.
 *
 * @example
 * try { await io.runTask("a", work); } catch (error) { if (isTriggerError(error)) throw error; }
 */
export function isTriggerError(error: unknown): error is YieldSignal {
  return error instanceof YieldSignal;
}

/** The longest message or stack that travels, in characters: an error may quote a whole response, and must not outgrow a frame. */
const TEXT_LIMIT = 64 * 1024;

/**
 * Whatever was thrown, in the shape the wire carries. Values that are no errors become `Unknown error`, as in v2.
 * Never throws, whatever getters and conversions of the value do: an error here would take the whole app down.
 */
export function describeError(thrown: unknown): ErrorShape {
  try {
    if (thrown instanceof ErrorWithTask) return thrown.shape;
    const shape = shapeOf(thrown);
    for (const key of ["message", "name", "stack"] as const) {
      const text = shape[key];
      if (text !== undefined && text.length > TEXT_LIMIT) shape[key] = cut(text);
    }
    return shape;
  } catch {
    return { name: "Unknown error", message: "(something was thrown that cannot be shown)" };
  }
}

function cut(text: string): string {
  return `${text.slice(0, TEXT_LIMIT)}… (cut; it has ${text.length} characters)`;
}

function shapeOf(thrown: unknown): ErrorShape {
  if (typeof thrown === "object" && thrown !== null && typeof (thrown as { message?: unknown }).message === "string") {
    const { message, name, stack } = thrown as { message: string; name?: unknown; stack?: unknown };
    const named = typeof name === "string" ? { name } : {};
    return { message, ...named, ...(typeof stack === "string" ? { stack } : {}), ...fieldsOf(thrown) };
  }
  return { name: "Unknown error", message: typeof thrown === "string" ? thrown : shown(thrown) };
}

/** Texts longer than any code stay behind. */
const FIELD_LIMIT = 200;

/** Of an error whose getters throw, nothing: its message is worth more. */
function fieldsOf(thrown: object): Pick<ErrorShape, "fields"> {
  const told: [string, string | number][] = [];
  try {
    for (const name of ERROR_FIELDS) {
      const value = (thrown as Record<string, unknown>)[name];
      if (typeof value === "string" ? value.length <= FIELD_LIMIT : Number.isFinite(value)) told.push([name, value as string]);
    }
  } catch {
    return {};
  }
  return told.length > 0 ? { fields: Object.fromEntries(told) } : {};
}

function shown(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
