// Room: views. A run's tasks, as pages for the dashboard and as v2's API nests them. Called by http and by views/runs.ts.
// Promises: a page costs the same wherever in the run it lies.
import type { ApiRunTask, DisplayProperty, Page, TaskDetails, TaskStatus, TaskView } from "@holdfast/protocol";
import { storableText } from "../store/storable.ts";
import { withoutPaths, withoutSealed, withoutSecrets } from "./hidden.ts";
import { type Big, iso, isoOrNull, parsed, type Reader } from "./reader.ts";

interface TaskColumns {
  id: string;
  key: string;
  parent_id: string | null;
  name: string;
  display_key: string | null;
  noop: boolean;
  status: TaskStatus;
  attempts: number;
  started_at: Big;
  completed_at: Big | null;
  delay_until: Big | null;
  output_text: string | null;
  error_text: string | null;
  details_text: string | null;
  failures_text: string | null;
  position: Big;
}

/** As v2's form needs it. */
type ApiColumns = Pick<
  TaskColumns,
  | "id"
  | "parent_id"
  | "name"
  | "display_key"
  | "status"
  | "started_at"
  | "completed_at"
  | "output_text"
  | "error_text"
  | "details_text"
> & {
  /** Of its texts. */
  bytes: Big;
  /** False: its texts were not read. */
  fits: boolean;
};

/** Texts of a page, in bytes, and of all that is nested in v2's; a single one may be larger. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** Nested tasks answered at most, over all levels, and levels. */
const MOST_CHILDREN = 1000;
const DEEPEST = 20;

export class TaskViews {
  constructor(private readonly reader: Reader) {}

  /** One page in order of start; the cursor is the position and key of its last task. */
  async page(runId: string, query: { cursor?: string | undefined; limit: number }): Promise<Page<TaskView>> {
    const [, position = "0", key = ""] = /^(\d{1,16})\.(.*)$/s.exec(query.cursor ?? "") ?? [];
    const rows = await this.reader.rows<TaskColumns>("run-tasks", [
      runId,
      position,
      storableText(key),
      query.limit + 1,
      PAGE_BYTES,
    ]);
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    const page = { items: items.map(viewOf) };
    const goesOn = rows.length > query.limit || isHeavy(rows);
    return goesOn && last ? { ...page, nextCursor: `${last.position}.${last.key}` } : page;
  }

  /**
   * v2's form: top-level tasks from `cursor` (the id of the first) on, with their children if asked. A page ends before the task whose texts have no room;
   * children, which have no pages, are all there and say so.
   */
  async apiPage(
    runId: string,
    query: { cursor?: string | undefined; take: number; subtasks: boolean; details: boolean },
  ): Promise<{ tasks: ApiRunTask[]; nextCursor?: string }> {
    const { cursor = null, take, details } = query;
    const rows = await this.reader.rows<ApiColumns>("run-top-tasks", [runId, cursor, take + 1, details, PAGE_BYTES]);
    const shown = rows.slice(0, take).filter(({ fits }) => fits);
    const next = rows[shown.length];
    const children = query.subtasks ? await this.#children(runId, shown, details) : new Map<string, ApiColumns[]>();
    const tasks = shown.map((row) => apiTask(row, children, query));
    return next ? { tasks, nextCursor: next.id } : { tasks };
  }

  async #children(runId: string, parents: ApiColumns[], details: boolean): Promise<Map<string, ApiColumns[]>> {
    const byParent = new Map<string, ApiColumns[]>();
    let [level, left, bytes] = [parents, MOST_CHILDREN, PAGE_BYTES];
    for (let depth = 0; depth < DEEPEST && level.length > 0 && left > 0; depth++) {
      const ids = level.map(({ id }) => id);
      level = await this.reader.rows<ApiColumns>("run-child-tasks", [runId, ids, left, details, Math.max(0, bytes)]);
      left -= level.length;
      bytes -= level.reduce((sum, child) => sum + (child.fits ? Number(child.bytes) : 0), 0);
      for (const child of level) byParent.set(child.parent_id ?? "", [...(byParent.get(child.parent_id ?? "") ?? []), child]);
    }
    return byParent;
  }
}

/** Whether the page may have ended for its texts; the next one is then perhaps empty. A character has three bytes at most. */
function isHeavy(rows: TaskColumns[]): boolean {
  const texts = rows.flatMap((row) => [row.output_text, row.error_text, row.details_text, row.failures_text]);
  return 3 * texts.reduce((sum, text) => sum + (text?.length ?? 0), 0) >= PAGE_BYTES;
}

function apiTask(
  row: ApiColumns,
  children: Map<string, ApiColumns[]>,
  query: { subtasks: boolean; details: boolean },
): ApiRunTask {
  const details = detailsOf(row);
  const output = withoutSealed(parsed(row.output_text ?? row.error_text));
  const given = { ...paramsOf(details), ...(output === undefined ? {} : { output }) };
  const extra = !query.details ? {} : row.fits ? given : { detailsOmitted: true };
  const subtasks = query.subtasks
    ? { subtasks: (children.get(row.id) ?? []).map((child) => apiTask(child, children, query)) }
    : {};
  return {
    id: row.id,
    displayKey: row.display_key,
    status: row.status,
    name: row.name,
    icon: details.icon ?? null,
    startedAt: iso(row.started_at),
    completedAt: isoOrNull(row.completed_at),
    ...extra,
    ...subtasks,
  };
}

function shownProperty({ label, text, url }: DisplayProperty): TaskView["properties"][number] {
  return url === undefined ? { label, text } : { label, text, url };
}

function detailsOf(row: Pick<TaskColumns, "details_text">): TaskDetails {
  const details = parsed(row.details_text);
  return typeof details === "object" && details !== null ? (details as TaskDetails) : {};
}

function paramsOf({ params }: TaskDetails): { params?: unknown } {
  return params === undefined ? {} : { params: withoutSecrets(params) };
}

function viewOf(row: TaskColumns): TaskView {
  const details = detailsOf(row);
  const output = withoutSealed(parsed(row.output_text));
  const failures = parsed(row.failures_text);
  return {
    id: row.id,
    parentId: row.parent_id,
    name: row.name,
    key: row.display_key,
    idempotencyKey: row.key,
    status: row.status,
    noop: row.noop,
    attempts: row.attempts,
    icon: details.icon ?? null,
    description: details.description ?? null,
    ...paramsOf(details),
    ...(output === undefined ? {} : { output: withoutPaths(output, details.redact?.paths ?? []) }),
    properties: [...(details.properties ?? []), ...(details.outputProperties ?? [])].map(shownProperty),
    style: details.style ?? null,
    error: (parsed(row.error_text) as TaskView["error"] | undefined) ?? null,
    failures: Array.isArray(failures) ? (failures as TaskView["failures"]) : [],
    startedAt: iso(row.started_at),
    completedAt: isoOrNull(row.completed_at),
    delayUntil: isoOrNull(row.delay_until),
  };
}
