// Room: views. How views read: a named statement of store/postgres/sql/views with its values. The PostgreSQL store serves it; nothing here writes.

/** One named, read-only statement a call; columns come as the database names them. */
export interface Reader {
  rows<T>(statement: ViewName, values: readonly unknown[]): Promise<T[]>;
}

export type ViewName =
  | "runs-list"
  | "runs-of-job"
  | "runs-of-status"
  | "run-detail"
  | "run-tasks"
  | "run-top-tasks"
  | "run-child-tasks"
  | "runs-by-id"
  | "run-hours"
  | "job-last-runs"
  | "job-counts"
  | "deliveries-list"
  | "deliveries-of-endpoint"
  | "delivery-detail"
  | "endpoint-stats"
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

/** The value of a JSON text column; absent columns and broken texts are undefined. */
export function parsed(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Greater than every id: the ceiling of a first page. */
export const NO_CEILING = "~";
