// Room: views. Runs as the dashboard, the CLI and v2's API list and show them. Called by http only; reads, never writes.
import {
  FINAL_RUN_STATUSES,
  idFloor,
  isFinalRunStatus,
  isId,
  type Page,
  type RunDetail,
  type RunStatus,
  type RunSummary,
} from "@holdfast/protocol";
import type { EnvironmentRow } from "../store/store.ts";
import { type Big, iso, isoOrNull, NO_CEILING, parsed, type Reader } from "./reader.ts";
import type { TaskViews } from "./tasks.ts";

export interface RunQuery {
  job?: string | undefined;
  statuses?: RunStatus[];
  /** Created at or after, and before: epoch milliseconds. */
  after?: number | undefined;
  before?: number | undefined;
  /** An id of the run, its event or delivery, or text of the job's name or the error. */
  q?: string | undefined;
  /** Id of the last run of the page before. */
  cursor?: string | undefined;
  limit: number;
}

interface RunColumns {
  id: string;
  job_id: string;
  job_name: string;
  job_version: string;
  status: RunStatus;
  is_test: boolean;
  event_name: string | null;
  created_at: Big;
  updated_at: Big;
  started_at: Big | null;
  finished_at: Big | null;
  due_at: Big | null;
  execution_ms: Big;
  executions: number;
  output_text: string | null;
  outcome_text: string | null;
  app_id: string;
  event_row_id: string;
  delivery_id: string | null;
}
interface DetailColumns extends RunColumns {
  app_slug: string | null;
  event_id: string | null;
  event_source: string | null;
  event_timestamp: Big | null;
  payload_text: string | null;
  context_text: string | null;
  payload_type: "JSON" | "REQUEST" | null;
  endpoint_slug: string | null;
}

/** Statuses of runs that ended badly by themselves. */
export const FAILED_STATUSES: readonly RunStatus[] = FINAL_RUN_STATUSES.filter(
  (status) => status !== "SUCCESS" && status !== "CANCELED",
);

/** Tasks in a run's detail: the first page; the rest is asked for. */
const FIRST_TASKS = 500;

export class RunViews {
  constructor(
    private readonly reader: Reader,
    private readonly tasks: TaskViews,
  ) {}

  /** One page, newest first. */
  async list(environment: EnvironmentRow, query: RunQuery): Promise<Page<RunSummary>> {
    const floor = `run_${query.after === undefined ? "" : idFloor(query.after)}`;
    const before = query.before === undefined ? NO_CEILING : idFloor(query.before);
    const ceiling = [`run_${before}`, query.cursor ?? `run_${NO_CEILING}`].reduce((a, b) => (a < b ? a : b));
    const values = [environment.id, floor, ceiling, query.q || null, query.limit + 1];
    const rows = (await this.#named(query, environment, ceiling)) ?? (await this.#page(query, values));
    const items = rows.slice(0, query.limit).map((row) => summaryOf(row, environment.slug));
    const last = items.at(-1);
    return rows.length > query.limit && last ? { items, nextCursor: last.id } : { items };
  }

  /** The runs an id names, or null when no id is looked for: an id says it all, so the other filters do not count. */
  #named({ q = "", limit }: RunQuery, environment: EnvironmentRow, ceiling: string): Promise<RunColumns[]> | null {
    const ids = [isId("run", q), isId("event", q), isId("delivery", q)].map((is) => (is ? q : null));
    return ids.every((id) => id === null)
      ? null
      : this.reader.rows("runs-by-any-id", [environment.id, ...ids, ceiling, limit + 1]);
  }

  #page({ statuses = [], job }: RunQuery, values: unknown[]): Promise<RunColumns[]> {
    if (statuses.length > 0) return this.reader.rows("runs-of-status", [...values, job ?? null, statuses]);
    return job === undefined ? this.reader.rows("runs-list", values) : this.reader.rows("runs-of-job", [...values, job]);
  }

  /** A run with its event and the first page of its tasks, or null. */
  async detail(environment: EnvironmentRow, id: string): Promise<RunDetail | null> {
    const [row] = await this.reader.rows<DetailColumns>("run-detail", [environment.id, id]);
    if (!row) return null;
    return detailOf(row, environment.slug, await this.tasks.page(id, { limit: FIRST_TASKS }));
  }
}

interface ErrorOf {
  message: string;
  name?: string;
  stack?: string;
}

/** What went wrong, from the stored outcome of a run that ended badly. */
export function errorOf(outcomeText: string | null): ErrorOf | null {
  const outcome = parsed(outcomeText);
  if (typeof outcome !== "object" || outcome === null) return null;
  if ("error" in outcome) return outcome.error as ErrorOf;
  if ("errors" in outcome && Array.isArray(outcome.errors)) {
    const problems = outcome.errors as { path: (string | number)[]; message: string }[];
    return {
      message: `The payload is invalid: ${problems.map(({ path, message }) => `${path.join(".") || "payload"}: ${message}`).join("; ")}`,
    };
  }
  if ("issues" in outcome && typeof outcome.issues === "object" && outcome.issues !== null) {
    return { message: `Connections are missing: ${Object.keys(outcome.issues).join(", ")}` };
  }
  return "message" in outcome ? (outcome as ErrorOf) : null;
}

function summaryOf(row: RunColumns, environment: string): RunSummary {
  const error = isFinalRunStatus(row.status) && row.status !== "SUCCESS" ? errorOf(row.outcome_text) : null;
  return {
    id: row.id,
    job: row.job_id,
    jobName: row.job_name,
    version: row.job_version,
    environment,
    status: row.status,
    isTest: row.is_test,
    eventName: row.event_name ?? "",
    createdAt: iso(row.created_at),
    startedAt: isoOrNull(row.started_at),
    completedAt: isoOrNull(row.finished_at),
    executionMs: Math.round(Number(row.execution_ms)),
    executions: row.executions,
    error: error?.message.split("\n")[0]?.slice(0, 500) ?? null,
  };
}

function detailOf(row: DetailColumns, environment: string, tasks: RunDetail["tasks"]): RunDetail {
  const output = parsed(row.output_text);
  return {
    ...summaryOf(row, environment),
    updatedAt: iso(row.updated_at),
    resumeAt: isFinalRunStatus(row.status) ? null : isoOrNull(row.due_at),
    ...(output === undefined ? {} : { output }),
    errorDetail: row.status === "SUCCESS" ? null : errorOf(row.outcome_text),
    event: {
      id: row.event_id ?? row.event_row_id,
      rowId: row.event_row_id,
      name: row.event_name ?? "",
      source: row.event_source ?? "",
      payload: parsed(row.payload_text) ?? null,
      context: parsed(row.context_text) ?? null,
      timestamp: iso(row.event_timestamp ?? row.created_at),
      payloadType: row.payload_type ?? "JSON",
    },
    delivery: row.delivery_id === null ? null : { id: row.delivery_id, endpoint: row.endpoint_slug ?? "" },
    app: { id: row.app_id, slug: row.app_slug ?? "" },
    tasks,
  };
}
