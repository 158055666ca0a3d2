// Room: store. The store in memory, for the simulator and for tests that need no database. Built by them; production uses postgres/.
// Promises what the interface promises except durability: each call is one atomic step, taken when it is called; rows are copied in and out.
import { cancelTask, mergeTask, openTask, reopenTask, settleTask, type TaskRecord } from "@holdfast/engine";
import type { SkipRow } from "../kept-rows.ts";
import { LocalBus } from "../local-bus.ts";
import {
  duplicateReason,
  inOrder,
  storableRow,
  storableState,
  storableTask,
  storableText,
  travellingTasks,
} from "../storable.ts";
import type {
  Bus,
  Claim,
  ClaimRequest,
  DeliveryRow,
  EventChange,
  EventRow,
  Intake,
  IntakeResult,
  OpenedTask,
  OutboundRow,
  RunChange,
  RunRow,
  Store,
  TaskRow,
  TasksQuery,
  TaskVerdict,
  TaskWrite,
  WaiterRow,
  WorkRow,
} from "../store.ts";
import { MemoryCatalog } from "./memory-catalog.ts";
import { claimWork } from "./memory-claim.ts";
import { MemoryConnections } from "./memory-connections.ts";
import { type DoorTables, noDoors, passDoors, skipsOfEvent } from "./memory-doors.ts";
import { freeSlots, type GateTables, inviteParked, noGates, parkNew, saveLimits, watchGates } from "./memory-gates.ts";
import { awaken, MemoryOutside, tellOfEnd } from "./memory-outside.ts";
import { MemorySchedules } from "./memory-schedules.ts";
import { MemoryStatuses } from "./memory-statuses.ts";
import { MemoryValues } from "./memory-values.ts";

/** Everything kept. `tasks`: by run, then by key. `eventKeys`: environment and sender's id → row id. */
export interface Tables {
  deliveries: Map<string, DeliveryRow>;
  events: Map<string, EventRow>;
  eventKeys: Map<string, string>;
  runs: Map<string, RunRow>;
  tasks: Map<string, Map<string, TaskRow>>;
  work: Map<string, WorkRow>;
  gates: GateTables;
  doors: DoorTables;
  waiters: Map<string, WaiterRow>;
  outbound: Map<string, OutboundRow>;
}

export class MemoryStore implements Store {
  readonly catalog: MemoryCatalog = new MemoryCatalog((limits, now) => saveLimits(this.tables, limits, now));
  readonly values: MemoryValues = new MemoryValues();
  readonly statuses: MemoryStatuses = new MemoryStatuses();
  readonly schedules: MemorySchedules = new MemorySchedules();
  readonly connections: MemoryConnections = new MemoryConnections();
  /** For snapshots in tests; only this class writes them. */
  readonly tables: Tables = {
    deliveries: new Map(),
    events: new Map(),
    eventKeys: new Map(),
    runs: new Map(),
    tasks: new Map(),
    work: new Map(),
    gates: noGates(),
    doors: noDoors(),
    waiters: new Map(),
    outbound: new Map(),
  };
  readonly outside: MemoryOutside = new MemoryOutside(this.tables);

  async intake(item: Intake): Promise<IntakeResult> {
    const { tables } = this;
    const { delivery, event, done } = item;
    const key = event && eventKey(event.environmentId, event.id);
    const held = done === null || tables.work.get(done.id)?.token === done.token;
    const first = key === null ? undefined : tables.eventKeys.get(key);
    if (!held) return this.#wasStored(item, first) ? { type: "stored" } : { type: "stale" };
    if (done) tables.work.delete(done.id);
    const fresh = key !== null && first === undefined;
    if (fresh) tables.eventKeys.set(key, event?.rowId ?? "");
    const duplicateOf = event && first !== undefined && first !== event.rowId ? first : null;
    const pending = delivery ? this.#keepDelivery(delivery, duplicateOf) : false;
    if (duplicateOf !== null) return { type: "duplicate", eventRowId: duplicateOf };
    if (event) this.#keepEvent(event);
    const { passed, absent } = passDoors(tables, item);
    this.#start(passed, { fresh, pending });
    const awaited = event !== null && (fresh || done !== null) && awaken(this.tables, event);
    return { type: "stored", ...(awaited ? { awaited } : {}), ...(absent.length > 0 ? { absent } : {}) };
  }

  /** An intake whose work is gone was stored before, or came too late: its runs tell. Without runs it makes no difference. */
  #wasStored({ event, runs: [run] }: Intake, first: string | undefined): boolean {
    return run ? this.tables.runs.has(run.id) : event !== null && first === event.rowId;
  }

  /** Answers true if a pending delivery was added now. */
  #keepDelivery(given: DeliveryRow, duplicateOf: string | null): boolean {
    const duplicate =
      duplicateOf === null
        ? {}
        : { verdict: "duplicate" as const, reason: duplicateReason(duplicateOf), eventRowId: duplicateOf };
    const delivery = storableRow({ ...given, ...duplicate });
    const known = this.tables.deliveries.get(delivery.id);
    const { verdict, reason, status, eventRowId } = delivery;
    if (!known) this.tables.deliveries.set(delivery.id, delivery);
    else if (verdict !== "pending") this.tables.deliveries.set(delivery.id, { ...known, verdict, reason, status, eventRowId });
    return !known && verdict === "pending";
  }

  #keepEvent(event: EventRow): void {
    const known = this.tables.events.get(event.rowId);
    const deliveredAt = known?.deliveredAt ?? event.deliveredAt;
    const canceledAt = known?.canceledAt ?? event.canceledAt;
    this.tables.events.set(event.rowId, storableRow({ ...(known ?? event), deliveredAt, canceledAt }));
  }

  /** Work is added only beside its new subject, so that a repeated intake revives nothing. */
  #start({ runs, work }: Intake, { fresh, pending }: { fresh: boolean; pending: boolean }): void {
    const added = new Map<string, RunRow>();
    const parked = new Set<string>();
    for (const { door, ...run } of runs) {
      if (this.tables.runs.has(run.id)) continue;
      added.set(run.id, run);
      this.tables.runs.set(run.id, { ...storableRow(run), state: storableState(run.state) });
      if (run.flow && door?.kind !== "debounce") parked.add(run.id);
    }
    const gated = work.flatMap(({ id }) => (parked.has(id) ? (added.get(id) as RunRow) : []));
    if (gated.length > 0) parkNew(this.tables, gated, Math.max(...gated.map(({ createdAt }) => createdAt)));
    for (const { id, kind, queue, dueAt, token = null, owner = null } of work) {
      if (parked.has(id)) continue;
      const due = kind === "run" ? added.has(id) : kind === "delivery" ? pending : fresh;
      if (due && !this.tables.work.has(id)) {
        this.tables.work.set(id, { id, kind, queue, dueAt: Math.ceil(dueAt), token, owner, attempts: 0 });
      }
    }
  }

  async claim(request: ClaimRequest, decide: (run: RunRow, token: string) => RunChange | null): Promise<Claim> {
    return claimWork(this.tables, request, { decide, apply: (change) => this.#apply(change, true) });
  }

  async renew(tokens: string[], until: number, owner: string): Promise<Set<string>> {
    return this.#lease(tokens, (work) => (work.owner === owner ? { ...work, dueAt: Math.ceil(until) } : null));
  }

  async adopt(tokens: string[], until: number, owner: string): Promise<Set<string>> {
    return this.#lease(tokens, (work) => ({ ...work, owner, dueAt: Math.ceil(until) }));
  }

  /** Changes the work those tokens hold; answers the tokens of what was changed. */
  #lease(tokens: string[], changed: (work: WorkRow) => WorkRow | null): Set<string> {
    const wanted = new Set(tokens);
    const held = new Set<string>();
    for (const work of this.tables.work.values()) {
      const next = work.token !== null && wanted.has(work.token) ? changed(work) : null;
      if (!next?.token) continue;
      held.add(next.token);
      this.tables.work.set(work.id, next);
    }
    return held;
  }

  async releaseOwners(owners: string[], now: number, runsAt: number): Promise<number> {
    let given = 0;
    for (const work of this.tables.work.values()) {
      const dueAt = work.kind === "run" ? runsAt : Math.min(work.dueAt, now);
      if (work.owner === null || !owners.includes(work.owner) || work.dueAt === dueAt) continue;
      this.tables.work.set(work.id, { ...work, dueAt });
      given += 1;
    }
    return given;
  }

  async recordTask(write: TaskWrite): Promise<TaskVerdict> {
    const { runId } = write.task;
    const run = this.tables.runs.get(runId);
    const speaks =
      write.token === null ? run && run.state.kind !== "finished" : this.tables.work.get(runId)?.token === write.token;
    if (!speaks) return "stale";
    return this.#merge(storableTask(write)) ? "recorded" : "kept";
  }

  /** Answers true if the report changed something. The row's own failures are those to append. */
  #merge(task: TaskRow): boolean {
    const tasks = this.#tasksOf(task.runId);
    const failureText = task.failuresText?.slice(1, -1) ?? null;
    const merged = mergeTask(tasks.get(task.key) ?? null, { task: { ...task, failuresText: null }, failureText });
    tasks.set(task.key, merged.task);
    return merged.type !== "kept";
  }

  #tasksOf(runId: string): Map<string, TaskRow> {
    let tasks = this.tables.tasks.get(runId);
    if (!tasks) {
      tasks = new Map();
      this.tables.tasks.set(runId, tasks);
    }
    return tasks;
  }

  async openTask(environmentId: string, given: TaskRow): Promise<OpenedTask | null> {
    const run = this.tables.runs.get(given.runId);
    if (run?.environmentId !== environmentId) return null;
    const tasks = this.#tasksOf(given.runId);
    const known = tasks.get(given.key) ?? null;
    const task = { ...storableTask({ task: given, failureText: null }), failuresText: given.failuresText };
    if (run.state.kind === "finished" || task.status === "CANCELED") {
      if (known) return { task: known, created: false };
      const canceled: TaskRow = { ...task, status: "CANCELED", completedAt: task.completedAt ?? task.startedAt };
      tasks.set(task.key, run.state.kind === "finished" ? { ...canceled, outputText: null, errorText: null } : task);
      return { task: tasks.get(task.key) ?? canceled, created: true };
    }
    const opened = openTask(known, task);
    tasks.set(task.key, opened.task);
    return { task: opened.task, created: known === null };
  }

  async changeRun(change: RunChange): Promise<false | { due: string[] }> {
    const { before, at } = change;
    const applied = this.#apply(change, false);
    if (before.flow) {
      freeSlots(this.tables, before);
      inviteParked(this.tables, before.flow.gates, at);
      watchGates(this.tables, before.flow.gates, at);
    }
    return applied && { due: this.#due(change) };
  }

  #due({ before, after }: RunChange): string[] {
    if (after.state.kind !== "finished") return [];
    return [...this.tables.outbound.values()].filter((row) => row.runId === before.id && row.awaitsEnd).map(({ queue }) => queue);
  }

  async changeEvent(rowId: string, change: EventChange): Promise<boolean> {
    const event = this.tables.events.get(rowId);
    const work = this.tables.work.get(rowId);
    if (!event || work?.kind !== "event") return false;
    if (change.type === "cancel") {
      this.tables.work.delete(rowId);
      this.tables.events.set(rowId, { ...event, canceledAt: change.at });
      return true;
    }
    if (work.token !== null || work.dueAt < change.dueFrom) return false;
    const deliverAt = Math.ceil(change.deliverAt);
    this.tables.work.set(rowId, { ...work, dueAt: deliverAt });
    const { payloadText, contextText } = change;
    this.tables.events.set(rowId, storableRow({ ...event, payloadText, contextText, deliverAt }));
    return true;
  }

  #apply(change: RunChange, claimed: boolean): boolean {
    const { before, after, at } = change;
    const run = this.tables.runs.get(before.id);
    if (run?.revision !== before.revision) return false;
    this.tables.runs.set(run.id, {
      ...run,
      ...after,
      state: storableState(after.state),
      updatedAt: at,
      revision: run.revision + 1,
    });
    this.#changeWork(change, claimed);
    const reports = travellingTasks(change);
    this.#sweep(change, new Set(reports.map(({ key }) => key)));
    for (const report of reports) this.#merge(report);
    if (after.state.kind === "finished") tellOfEnd(this.tables, before.id, at);
    return true;
  }

  #changeWork({ before, work }: RunChange, claimed: boolean): void {
    const { id, appId: queue } = before;
    const attempts = this.tables.work.get(id)?.attempts ?? 0;
    if (work === null) this.tables.work.delete(id);
    else if ("held" in work) return;
    else if ("token" in work) {
      const { token, owner, until } = work;
      this.tables.work.set(id, { id, kind: "run", queue, token, owner, dueAt: until, attempts: claimed ? attempts + 1 : 0 });
    } else
      this.tables.work.set(id, { id, kind: "run", queue, dueAt: Math.ceil(work.dueAt), token: null, owner: null, attempts: 0 });
  }

  /** What becomes of the run's tasks that are not reported with the change. */
  #sweep({ before, settleTasksAt, cancelTasksAt, reopenTasks }: RunChange, reported: Set<string>): void {
    const tasks = this.#tasksOf(before.id);
    const change = <T extends TaskRecord>(task: T): T => {
      if (settleTasksAt !== null) return settleTask(task, settleTasksAt);
      if (cancelTasksAt !== null) return cancelTask(task, cancelTasksAt);
      return reopenTasks ? reopenTask(task) : task;
    };
    for (const [key, task] of tasks) if (!reported.has(key)) tasks.set(key, change(task));
  }

  async run(environmentId: string | null, id: string): Promise<RunRow | null> {
    return ofEnvironment(this.tables.runs.get(id), environmentId);
  }

  async runsOfEvent(eventRowId: string): Promise<RunRow[]> {
    return [...this.tables.runs.values()].filter((run) => run.eventRowId === eventRowId).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async skipsOfEvent(eventRowId: string): Promise<SkipRow[]> {
    return skipsOfEvent(this.tables, eventRowId);
  }

  async tasks(runId: string, { after, limit, outputBytes, ids, statuses }: TasksQuery = {}): Promise<TaskRow[]> {
    const wanted = [...(this.tables.tasks.get(runId)?.values() ?? [])].filter(
      (task) =>
        (!after || inOrder(after, task) < 0) && (ids?.includes(task.id) ?? true) && (statuses?.includes(task.status) ?? true),
    );
    const page = wanted.sort(inOrder).slice(0, limit);
    return outputBytes === undefined ? page : within(page, outputBytes);
  }

  async event(environmentId: string | null, by: { id: string } | { rowId: string }): Promise<EventRow | null> {
    if ("rowId" in by) return ofEnvironment(this.tables.events.get(by.rowId), environmentId);
    if (environmentId !== null) {
      const rowId = this.tables.eventKeys.get(eventKey(environmentId, by.id));
      return (rowId && this.tables.events.get(rowId)) || null;
    }
    const named = [...this.tables.events.values()].filter(({ id }) => id === storableText(by.id));
    return named.sort((a, b) => b.createdAt - a.createdAt)[0] ?? null;
  }

  async delivery(environmentId: string, id: string): Promise<DeliveryRow | null> {
    return ofEnvironment(this.tables.deliveries.get(id), environmentId);
  }

  async ping(): Promise<void> {}
  async close(): Promise<void> {}
}

function eventKey(environmentId: string, eventId: string): string {
  return `${environmentId} ${storableText(eventId)}`;
}

function ofEnvironment<T extends { environmentId: string }>(row: T | undefined, environmentId: string | null): T | null {
  return row && (environmentId === null || row.environmentId === environmentId) ? row : null;
}

/**
 * A store and a bus that live as long as the process.
 *
 * @example const { store, bus } = createMemoryStore();
 */
export function createMemoryStore(): { store: MemoryStore; bus: Bus } {
  return { store: new MemoryStore(), bus: new LocalBus() };
}

/** No task behind so many bytes of outputs. */
function within(page: TaskRow[], outputBytes: number): TaskRow[] {
  let before = 0;
  return page.filter(({ outputText }, at) => {
    const fits = at === 0 || before < outputBytes;
    before += Buffer.byteLength(outputText ?? "");
    return fits;
  });
}
