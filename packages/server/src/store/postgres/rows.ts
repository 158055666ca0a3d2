// Room: store. Rows of the tables ↔ rows of the interface: one list of names per table, read in both directions. Called by every part of the PostgreSQL
// store; views read the same columns by hand. JSON text stays text.
import { type Flow, type Outcome, type RunState, statusOf } from "@holdfast/engine";
import type { IndexDocument } from "@holdfast/protocol";
import type { SkipRow } from "../kept-rows.ts";
import { storableRow, storableState, storableText } from "../storable.ts";
import type { AppRow, DeliveryRow, EndpointRow, EnvironmentRow, EventRow, OutboundRow, RunRow, TaskRow } from "../store.ts";

export type DbRow = Record<string, unknown>;
type Names<T> = readonly (readonly [keyof T & string, string])[];

function names<T>(list: { readonly [K in keyof T & string]?: string }): Names<T> {
  return Object.entries(list) as unknown as Names<T>;
}

function fromDb<T>(list: Names<T>, row: DbRow): T {
  const result: DbRow = {};
  for (const [field, column] of list) result[field] = row[column];
  return result as T;
}

function toDb<T extends object>(list: Names<T>, row: T): DbRow {
  const result: DbRow = {};
  for (const [field, column] of list) result[column] = row[field];
  return result;
}

const TASK = names<TaskRow>({
  runId: "run_id",
  key: "key",
  id: "id",
  parentId: "parent_id",
  name: "name",
  displayKey: "display_key",
  noop: "noop",
  status: "status",
  attempts: "attempts",
  startedAt: "started_at",
  completedAt: "completed_at",
  delayUntil: "delay_until",
  outputText: "output_text",
  errorText: "error_text",
  detailsText: "details_text",
  failuresText: "failures_text",
  position: "position",
});

const RUN = names<Omit<RunRow, "flow">>({
  id: "id",
  startedAt: "started_at",
  executions: "executions",
  executionMs: "execution_ms",
  failures: "failures",
  losses: "losses",
  environmentId: "environment_id",
  appId: "app_id",
  jobId: "job_id",
  jobName: "job_name",
  jobVersion: "job_version",
  eventRowId: "event_row_id",
  deliveryId: "delivery_id",
  isTest: "is_test",
  createdAt: "created_at",
  updatedAt: "updated_at",
  revision: "revision",
});

const EVENT = names<Omit<EventRow, "sourceText">>({
  rowId: "id",
  environmentId: "environment_id",
  id: "event_id",
  name: "name",
  source: "source",
  payloadText: "payload_text",
  contextText: "context_text",
  payloadType: "payload_type",
  timestamp: "timestamp",
  createdAt: "created_at",
  deliverAt: "deliver_at",
  deliveredAt: "delivered_at",
  canceledAt: "canceled_at",
  accountId: "account_id",
  isTest: "is_test",
  deliveryId: "delivery_id",
});

const DELIVERY = names<DeliveryRow>({
  id: "id",
  environmentId: "environment_id",
  endpointId: "endpoint_id",
  receivedAt: "received_at",
  method: "method",
  url: "url",
  size: "size",
  verdict: "verdict",
  reason: "reason",
  status: "status",
  senderId: "sender_id",
  eventRowId: "event_row_id",
});

const ENVIRONMENT = names<EnvironmentRow>({
  id: "id",
  slug: "slug",
  type: "type",
  secretKeyHash: "secret_key_hash",
  secretKeySealed: "secret_key_sealed",
  secretKeyPreview: "secret_key_preview",
  publicKey: "public_key",
  createdAt: "created_at",
});

const APP = names<AppRow>({
  id: "id",
  environmentId: "environment_id",
  slug: "slug",
  transport: "transport",
  url: "url",
  sdk: "sdk",
  indexedAt: "indexed_at",
  lastError: "last_error",
  callLimitMs: "call_limit_ms",
});

const ENDPOINT = names<EndpointRow>({
  id: "id",
  environmentId: "environment_id",
  appId: "app_id",
  slug: "slug",
  shortcode: "shortcode",
  preset: "preset",
  secretSealed: "secret_sealed",
  sourceText: "source_text",
  createdAt: "created_at",
});

const OUTBOUND = names<OutboundRow>({
  id: "id",
  environmentId: "environment_id",
  kind: "kind",
  queue: "queue",
  runId: "run_id",
  requestText: "request_text",
  createdAt: "created_at",
  awaitsEnd: "awaits_end",
});

/** In the order of the table. */
export const TASK_COLUMNS = TASK.map(([, column]) => column);
export const taskOf = (row: DbRow): TaskRow => fromDb(TASK, row);
/** The task must be storable already. */
export const taskColumns = (task: TaskRow): DbRow => toDb(TASK, task);

export function eventOf(row: DbRow): EventRow {
  const event: EventRow = fromDb(EVENT, row);
  if (typeof row.source_text === "string") event.sourceText = row.source_text;
  return event;
}
/** Payload and context travel beside it. */
export function eventColumns(event: EventRow): DbRow {
  const columns = toDb(EVENT, storableRow({ ...event, payloadText: "", contextText: null }));
  if (event.sourceText !== undefined) columns.source_text = storableText(event.sourceText);
  return columns;
}

export function deliveryOf(row: DbRow): DeliveryRow {
  const headers = JSON.parse(row.headers_text as string) as [string, string][];
  return { ...fromDb(DELIVERY, row), headers, body: row.body as Uint8Array };
}
/** The body travels beside it. */
export function deliveryColumns(delivery: DeliveryRow): DbRow {
  return { ...toDb(DELIVERY, storableRow(delivery)), headers_text: JSON.stringify(delivery.headers) };
}

export const environmentOf = (row: DbRow): EnvironmentRow => fromDb(ENVIRONMENT, row);
export const environmentColumns = (row: EnvironmentRow): DbRow => toDb(ENVIRONMENT, storableRow(row));

export function appOf(row: DbRow): AppRow {
  const text = row.index_text as string | null;
  return { ...fromDb(APP, row), index: text === null ? null : (JSON.parse(text) as IndexDocument) };
}
export function appColumns(row: AppRow): DbRow {
  return { ...toDb(APP, storableRow(row)), index_text: row.index === null ? null : JSON.stringify(row.index) };
}

export const endpointOf = (row: DbRow): EndpointRow => fromDb(ENDPOINT, row);
export const endpointColumns = (row: EndpointRow): DbRow => toDb(ENDPOINT, storableRow(row));

export const outboundOf = (row: DbRow): OutboundRow => fromDb(OUTBOUND, row);
export const outboundColumns = (row: OutboundRow): DbRow => toDb(OUTBOUND, storableRow(row));

export function runOf(row: DbRow): RunRow {
  const yields = JSON.parse(row.yields_text as string) as string[];
  const run: RunRow = { ...fromDb(RUN, row), state: stateOf(row), yields };
  if (typeof row.flow_text === "string") run.flow = JSON.parse(row.flow_text) as Flow;
  return run;
}

export function runColumns(run: RunRow): DbRow {
  const columns = Object.assign(toDb(RUN, storableRow(run)), runStateColumns(run));
  if (run.flow) columns.flow_text = JSON.stringify(run.flow);
  return columns;
}

const SKIP = names<SkipRow>({
  eventRowId: "event_id",
  jobId: "job_id",
  environmentId: "environment_id",
  at: "at",
  reason: "reason",
  until: "until_at",
  byEventRowId: "by_event_id",
});

export function skipOf(row: DbRow): SkipRow {
  return fromDb(SKIP, row);
}
export function skipColumns(skip: SkipRow): DbRow {
  return toDb(SKIP, skip);
}

/** The columns a change writes. */
export function runStateColumns(
  run: Pick<RunRow, "state" | "startedAt" | "executions" | "executionMs" | "failures" | "losses" | "yields">,
): DbRow {
  const state = storableState(run.state);
  const columns = {
    status: statusOf(run),
    state_kind: state.kind,
    started_at: run.startedAt,
    executions: run.executions,
    execution_ms: run.executionMs,
    failures: run.failures,
    losses: run.losses,
    yields_text: JSON.stringify(run.yields),
  };
  return Object.assign(columns, columnsOfState(state));
}

function columnsOfState(state: RunState): DbRow {
  switch (state.kind) {
    case "queued":
      return { cause: state.cause, due_at: state.dueAt };
    case "executing":
      return { token: state.token, since: state.since };
    case "waiting":
      return state.on ? { cause: state.on, due_at: state.dueAt } : { due_at: state.dueAt };
    case "finished": {
      const { at, outcome } = state;
      if (outcome.status === "SUCCESS") return { finished_at: at, output_text: outcome.output };
      return { finished_at: at, outcome_text: JSON.stringify(outcome) };
    }
  }
}

function stateOf(row: DbRow): RunState {
  const kind = row.state_kind as RunState["kind"];
  const dueAt = row.due_at as number | null;
  switch (kind) {
    case "queued":
      return { kind, cause: row.cause as (RunState & { kind: "queued" })["cause"], dueAt: dueAt ?? 0 };
    case "executing":
      return { kind, token: row.token as string, since: row.since as number };
    case "waiting":
      return row.cause === "connections" ? { kind, dueAt, on: "connections" } : { kind, dueAt };
    case "finished": {
      const text = row.outcome_text as string | null;
      const outcome: Outcome = text === null ? { status: "SUCCESS", output: row.output_text as string | null } : JSON.parse(text);
      return { kind, at: row.finished_at as number, outcome };
    }
  }
}
