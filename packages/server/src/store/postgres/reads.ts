// Room: store. Reads by id for decisions: always from the primary, retried while the database is away for a moment. Called by postgres-store.ts.
import type { TaskStatus } from "@holdfast/protocol";
import type { World } from "../../platform/world.ts";
import type { SkipRow } from "../kept-rows.ts";
import { inOrder, storableText } from "../storable.ts";
import type { DeliveryRow, EventRow, RunRow, TaskRow, TasksQuery } from "../store.ts";
import { failureOf, persist } from "./failures.ts";
import { Gathering } from "./gathering.ts";
import type { Link } from "./link.ts";
import { type DbRow, deliveryOf, eventOf, runOf, skipOf, taskOf } from "./rows.ts";
import { type Prepared, statement, statementOfWeek } from "./statements.ts";
import { type WeeklyTable, weekOf } from "./weeks.ts";

const PATIENCE_MS = 10_000;
const MOST_TASKS = 100_000;
/** Runs whose first pages one statement reads, and events: each may be large. */
const PAGES_AT_ONCE = 50;
const EVENTS_AT_ONCE = 20;

/** These have no outputs that could be too many bytes. */
function isOpen(status: TaskStatus): boolean {
  return status === "PENDING" || status === "WAITING" || status === "RUNNING";
}

export class Reads {
  #turn = 0;
  readonly #firstPages = new Gathering<{ week: number; limit: number; outputBytes: number }, TaskRow[]>(
    PAGES_AT_ONCE,
    async ({ week, limit, outputBytes }, runIds) => {
      const pages = new Map<string, TaskRow[]>(runIds.map((id) => [id, []]));
      const rows = await this.#ofTables(() => this.rows(statementOfWeek("tasks-of-runs", week), [runIds, limit, outputBytes]));
      for (const row of rows) pages.get(row.run_id as string)?.push(taskOf(row));
      return pages;
    },
  );
  readonly #events = new Gathering<{ week: number }, DbRow>(EVENTS_AT_ONCE, async ({ week }, ids) => {
    const rows = await this.#ofTables(() => this.rows(statementOfWeek("events-by-id", week), [ids]));
    return new Map(rows.map((row) => [row.id as string, row]));
  });

  constructor(
    private readonly links: Link[],
    private readonly world: World,
  ) {}

  rows(prepared: Prepared, values: unknown[]): Promise<DbRow[]> {
    this.#turn = (this.#turn + 1) % this.links.length;
    const link = this.links[this.#turn] as Link;
    return persist(this.world, PATIENCE_MS, () => link.query<DbRow>(prepared, values));
  }

  /** Rows of the week an id lies in; none when it is no id, or its week is gone. */
  async #ofWeek(table: WeeklyTable, id: string, query: { name: string; values: unknown[] }): Promise<DbRow[]> {
    const week = weekOf(table, id);
    if (week === null) return [];
    return this.#ofTables(() => this.rows(statementOfWeek(query.name, week), query.values));
  }

  /** None when the tables are gone. */
  async #ofTables(read: () => Promise<DbRow[]>): Promise<DbRow[]> {
    try {
      return await read();
    } catch (error) {
      if (failureOf(error) === "no-week") return [];
      throw error;
    }
  }

  async run(environmentId: string | null, id: string): Promise<RunRow | null> {
    const [row] = await this.#ofWeek("runs", id, { name: "run", values: [id, environmentId] });
    return row ? runOf(row) : null;
  }

  async runsOfEvent(eventRowId: string): Promise<RunRow[]> {
    return (await this.rows(statement("runs-of-event"), [eventRowId])).map(runOf);
  }

  async skipsOfEvent(eventRowId: string): Promise<SkipRow[]> {
    return (await this.rows(statement("skips-of-event"), [eventRowId])).map(skipOf);
  }

  async tasks(runId: string, { after, ids, statuses, ...bounds }: TasksQuery = {}): Promise<TaskRow[]> {
    const { limit, outputBytes } = { limit: MOST_TASKS, outputBytes: Number.MAX_SAFE_INTEGER, ...bounds };
    if (ids) {
      const wanted = (await this.#tasksById(runId, ids)).filter(
        (task) => (!after || inOrder(after, task) < 0) && (statuses?.includes(task.status) ?? true),
      );
      return wanted.slice(0, limit);
    }
    const week = weekOf("tasks", runId);
    if (week !== null && !after && !statuses) return (await this.#firstPages.ask({ week, limit, outputBytes }, runId)) ?? [];
    if (statuses && !after && statuses.every(isOpen))
      return (await this.#ofWeek("tasks", runId, { name: "open-tasks", values: [runId, statuses, limit] })).map(taskOf);
    const values = [runId, after?.position ?? -1, storableText(after?.key ?? ""), statuses ?? null, limit, outputBytes];
    return (await this.#ofWeek("tasks", runId, { name: "tasks", values })).map(taskOf);
  }

  async #tasksById(runId: string, ids: string[]): Promise<TaskRow[]> {
    const unique = [...new Set(ids.map(storableText))];
    const found = await this.#ofWeek("tasks", runId, { name: "tasks-by-id", values: [runId, unique] });
    const missing = unique.filter((id) => !found.some((row) => row.id === id));
    const odd =
      missing.length > 0 ? await this.#ofWeek("tasks", runId, { name: "tasks-by-odd-id", values: [runId, missing] }) : [];
    return [...found, ...odd].map(taskOf).sort(inOrder);
  }

  async event(environmentId: string | null, by: { id: string } | { rowId: string }): Promise<EventRow | null> {
    const rowId = "rowId" in by ? by.rowId : await this.#rowIdOf(environmentId, by.id);
    const week = rowId === null ? null : weekOf("events", rowId);
    if (rowId === null || week === null) return null;
    const row = await this.#events.ask({ week }, rowId);
    return row && (environmentId === null || row.environment_id === environmentId) ? eventOf(row) : null;
  }

  async #rowIdOf(environmentId: string | null, eventId: string): Promise<string | null> {
    const [row] =
      environmentId === null
        ? await this.rows(statement("event-keys-anywhere"), [storableText(eventId)])
        : await this.rows(statement("event-key"), [environmentId, storableText(eventId)]);
    return row ? (row.event_row_id as string) : null;
  }

  async delivery(environmentId: string | null, id: string): Promise<DeliveryRow | null> {
    const [row] = await this.#ofWeek("deliveries", id, { name: "deliveries-by-id", values: [[id]] });
    return row && (environmentId === null || row.environment_id === environmentId) ? deliveryOf(row) : null;
  }
}
