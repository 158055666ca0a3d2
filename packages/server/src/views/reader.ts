// Room: views. How views read: a named statement of store/postgres/sql/views with its values. The PostgreSQL store serves it; nothing here writes.

/** One named, read-only statement a call; columns come as the database names them. */
export interface Reader {
  rows<T extends object>(statement: ViewName, values: unknown[]): Promise<T[]>;
}

export type ViewName =
  | "runs-list"
  | "runs-of-job"
  | "runs-of-status"
  | "run-detail"
  | "run-tasks"
  | "run-top-tasks"
  | "run-child-tasks"
  | "runs-by-any-id"
  | "runs-by-id"
  | "run-hours"
  | "job-last-runs"
  | "job-counts"
  | "deliveries-list"
  | "deliveries-of-endpoint"
  | "delivery-detail"
  | "endpoint-stats"
  | "skips-of-event"
  | "skips-of-job"
  | "work-due";

/** A bigint column: text or number, by the driver's settings. */
export type Big = string | number;

/** ISO text of a time column. */
export function iso(time: Big): string {
  return new Date(Number(time)).toISOString();
}
export function isoOrNull(time: Big | null): string | null {
  return time === null ? null : iso(time);
}

/** The value of a JSON text column; undefined when there is none. A text that is broken, or nested too deep to be written again, stays a text. */
export function parsed(text: string | null): unknown {
  if (text === null) return undefined;
  if (nestsDeeper(text, DEEPEST_SHOWN)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const DEEPEST_SHOWN = 500;

/**
 * Whether JSON text nests arrays and objects deeper than `limit`. A scan, not a parse: writing a value nested thousands deep overflows the stack.
 *
 * @example nestsDeeper("[[1]]", 1) // true
 */
export function nestsDeeper(text: string, limit: number): boolean {
  if (text.length <= limit * 2) return false;
  let [depth, inString] = [0, false];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 92 && inString) i++;
    else if (code === 34) inString = !inString;
    else if (inString) continue;
    else if (code === 91 || code === 123) {
      if (++depth > limit) return true;
    } else if (code === 93 || code === 125) depth--;
  }
  return false;
}

/** Greater than every id: the ceiling of a first page. */
export const NO_CEILING = "~";
