// Room: store. The interface of everything durable; PostgreSQL serves it in production, memory in the simulator, one conformance suite holds both to it.
// Called by ingest, dispatch, runs, tasks, worker. Promises: a call that resolved is on disk; every write is safe to repeat (same ids, same keys) because
// a lost connection leaves its outcome unknown. Writes of one kind that arrive together share one statement and one commit (group commit).
// All times are epoch milliseconds, passed in: SQL never asks the clock. `*Text` fields hold JSON text that is never parsed or re-serialised here.
import type { Door, Flow, Run } from "@holdfast/engine";
import type { DeliveryVerdict, EnvironmentType, IndexDocument, TaskStatus } from "@holdfast/protocol";
import type { CatalogStore } from "./catalog-rows.ts";
import type { ConnectionStore } from "./connection-rows.ts";
import type { SkipRow, StatusStore, ValueStore } from "./kept-rows.ts";
import type { ScheduleStore } from "./schedule-rows.ts";

export interface EnvironmentRow {
  id: string;
  slug: string;
  type: EnvironmentType;
  /** sha256 hex of the secret key; look-ups go by it. */
  secretKeyHash: string;
  /** Sealed by platform/secrets: v2's push wire needs the key itself. */
  secretKeySealed: string;
  secretKeyPreview: string;
  publicKey: string;
  createdAt: number;
}

export interface AppRow {
  id: string;
  environmentId: string;
  /** The TriggerClient's id; unique in its environment. */
  slug: string;
  transport: "connect" | "push";
  url: string | null;
  sdk: string | null;
  index: IndexDocument | null;
  indexedAt: number | null;
  lastError: string | null;
  /** How long one call by push may take, in ms, as learned from calls that its platform cut off. Null: as far as is known, any time. */
  callLimitMs: number | null;
}

export interface EndpointRow {
  id: string;
  environmentId: string;
  appId: string;
  slug: string;
  /** Last path segment of its URL, so that an id alone is not enough. */
  shortcode: string;
  preset: string | null;
  secretSealed: string | null;
  /** {@link SourceState} as JSON: its app registers it with another service by itself. */
  sourceText: string | null;
  createdAt: number;
}

export interface DeliveryRow {
  id: string;
  environmentId: string;
  /** Null when the URL named no endpoint. */
  endpointId: string | null;
  receivedAt: number;
  method: string;
  url: string;
  headers: [string, string][];
  /** Raw bytes as received (possibly cut: see size). */
  body: Uint8Array;
  size: number;
  verdict: DeliveryVerdict;
  reason: string | null;
  /** HTTP status answered. */
  status: number;
  senderId: string | null;
  eventRowId: string | null;
}

export interface EventRow {
  /** Our id (evt_…). */
  rowId: string;
  environmentId: string;
  /** The sender's id; unique per environment while the event is kept. */
  id: string;
  name: string;
  source: string;
  payloadText: string;
  contextText: string | null;
  payloadType: "JSON" | "REQUEST";
  timestamp: number;
  createdAt: number;
  deliverAt: number | null;
  deliveredAt: number | null;
  canceledAt: number | null;
  accountId: string | null;
  isTest: boolean;
  deliveryId: string | null;
  /** What its runs see as their source, `{id, metadata}`, as JSON text. Absent: `source` says it all. */
  sourceText?: string;
}

export interface RunRow extends Run {
  environmentId: string;
  appId: string;
  jobId: string;
  jobName: string;
  jobVersion: string;
  eventRowId: string;
  deliveryId: string | null;
  isTest: boolean;
  createdAt: number;
  updatedAt: number;
  /** Grows by one with every change; writes are conditional on it. */
  revision: number;
  /** The gates it needs a slot at to execute; never changes. Absent: nothing limits it. */
  flow?: Flow;
}

/** A run that is to be stored. With a door it is only if the door lets it in; later than now, or as another one's next event. */
export interface PlannedRun extends RunRow {
  door?: Door;
}

export interface TaskRow {
  runId: string;
  /** Idempotency key; unique in its run. */
  key: string;
  id: string;
  parentId: string | null;
  name: string;
  displayKey: string | null;
  noop: boolean;
  status: TaskStatus;
  attempts: number;
  startedAt: number;
  completedAt: number | null;
  delayUntil: number | null;
  /** Null: undefined. The JSON text "null" is null. */
  outputText: string | null;
  errorText: string | null;
  /** TaskDetails as JSON text. */
  detailsText: string | null;
  /** JSON array of {attempt, at, error}. */
  failuresText: string | null;
  /** Order of start inside the run: microseconds, made unique by the writer. */
  position: number;
}

/** Somebody waits for an event: a task of a run, or a URL. */
export interface WaiterRow {
  id: string;
  environmentId: string;
  /** Names of events, any of which will do. */
  names: string[];
  /** What the event must be besides, and whom to tell, as JSON text. */
  ruleText: string;
  expiresAt: number;
}

/** A request this server, or one that reaches the app of `queue`, is to make. It is kept until it was answered or given up. */
export interface OutboundRow {
  id: string;
  environmentId: string;
  kind: string;
  queue: string;
  /** On whose behalf. */
  runId: string | null;
  requestText: string;
  createdAt: number;
  /** Due once its run has ended, and not before. */
  awaitsEnd: boolean;
}

/** One row of `work`: something that must happen to one subject, not before `dueAt`. A claim pushes `dueAt` to the end of its lease. */
export interface WorkRow {
  /** The subject's id: a run, a delivery, an event, an outbound request, or an event's followed by ":waiters". One row a subject. */
  id: string;
  /** "gate": runs that wait at it may be invited then; claims do that by themselves and answer nothing. */
  kind: "run" | "delivery" | "event" | "waiters" | "outbound" | "gate";
  /** Who can do it: the name of its line, see queues.ts. */
  queue: string;
  dueAt: number;
  token: string | null;
  owner: string | null;
  /** Times claimed without being finished. */
  attempts: number;
}
export type NewWork = Pick<WorkRow, "id" | "kind" | "queue" | "dueAt"> & { token?: string; owner?: string };

/**
 * A request, an event and its runs, stored together or not at all. Repeated with the same ids it is "stored" again and changes nothing, except that an
 * event may get its `deliveredAt` or `canceledAt`, and a delivery that is no longer pending its verdict.
 * The work of a run with a `flow`, which must not be claimed yet, is parked: it becomes due once its gates have room.
 * A run with a door is stored only if that lets it in, and then not claimed; otherwise a {@link SkipRow} says why, of this event or of the one it replaced.
 */
export interface Intake {
  /** Inserted if new (by id), else its verdict, reason, status and event are updated. */
  delivery: DeliveryRow | null;
  /** Kept only if (environment, id) is new; otherwise the runs are dropped and the delivery's verdict becomes "duplicate". */
  event: EventRow | null;
  runs: PlannedRun[];
  work: NewWork[];
  /** Work this intake finishes: removed if the token is still the claim's, otherwise the whole intake is refused as stale. */
  done: { id: string; token: string } | null;
}
export type IntakeResult =
  /** `awaited`: somebody may wait for the event, and a row of work says so. `absent`: given runs that are not there, because of their doors. */
  | { type: "stored"; awaited?: true; absent?: string[] }
  /** The event id was seen before; `eventRowId` is the first one's. */
  | { type: "duplicate"; eventRowId: string }
  | { type: "stale" };

export interface TaskWrite {
  task: TaskRow;
  /** The execution that speaks; null for v2 clients, which have no token. */
  token: string | null;
  /** {attempt, at, error} as JSON text, appended to the task's failures. */
  failureText: string | null;
}
/** "stale": the run's execution has another token. "kept": the task was final already, nothing changed. */
export type TaskVerdict = "recorded" | "kept" | "stale";

export interface RunChange {
  /** The run as it was read: id, queue (appId) and revision to compare with. */
  before: RunRow;
  after: Run;
  at: number;
  /** The run's work row after the change. A lease keeps the row for its holder until `until`; `held`: the row stays as it is. */
  work: { dueAt: number } | { token: string; owner: string; until: number } | { held: true } | null;
  /**
   * Reports that travel with the change (never checked for a token: the revision is the fence). A task reported here is not settled, canceled or reopened by
   * the change; one still open when the change cancels is recorded CANCELED.
   */
  tasks: TaskWrite[];
  settleTasksAt: number | null;
  cancelTasksAt: number | null;
  reopenTasks: boolean;
}

export interface ClaimRequest {
  queues: { queue: string; limit: number }[];
  now: number;
  leaseUntil: number;
  owner: string;
  /** Makes the claim's token; it ends in the subject's id, so that a token alone names its run. */
  newToken: (subjectId: string) => string;
}
export type Claimed =
  | { kind: "run"; token: string; run: RunRow; attempts: number }
  | { kind: "delivery"; token: string; delivery: DeliveryRow; attempts: number }
  | { kind: "event"; token: string; event: EventRow; attempts: number }
  /** An event somebody may wait for. */
  | { kind: "waiters"; token: string; event: EventRow; attempts: number }
  | { kind: "outbound"; token: string; outbound: OutboundRow; attempts: number };
export interface Claim {
  items: Claimed[];
  /** The changes `decide` made that are on disk now, also those that ended a run. `decide` may be called again for a run if a claim is tried again. */
  changes: RunChange[];
  /** When the next work of these queues is due, or null. */
  nextDueAt: number | null;
  /** Queues in which parked work became due by this claim; absent: none. */
  invited?: string[];
}

/** What v2's POST …/tasks needs: the task as it is now, whether this call created it, and whether its run still runs. */
export interface OpenedTask {
  task: TaskRow;
  created: boolean;
}

/** What may become of an event that waits for its time. */
export type EventChange =
  | { type: "cancel"; at: number }
  /** Unless it is due before `dueFrom`, or someone has begun to deliver it. */
  | { type: "replace"; dueFrom: number; payloadText: string; contextText: string | null; deliverAt: number };

export interface TasksQuery {
  /** Only those behind this one. */
  after?: Pick<TaskRow, "position" | "key"> | undefined;
  limit?: number;
  /** No further task once the outputs of those before it have so many bytes. Does not go with `ids`. */
  outputBytes?: number;
  ids?: string[];
  statuses?: TaskStatus[];
}

export interface Store {
  /** Low rate: environments, apps, endpoints, settings. Kept whole in memory by the registry. */
  readonly catalog: CatalogStore;
  /** Low rate: what runs wait for outside of them, and what is sent out. */
  readonly outside: OutsideStore;

  /** What users' code keeps by key. */
  readonly values: ValueStore;

  /** What runs say of themselves for people to see. */
  readonly statuses: StatusStore;

  /** Schedules that programs register at run time. */
  readonly schedules: ScheduleStore;

  /** Credentials of integrations, and the runs that wait for them. */
  readonly connections: ConnectionStore;

  /** Stores requests, events and runs. */
  intake(item: Intake): Promise<IntakeResult>;

  /**
   * Claims due work of the given queues, oldest due first, skipping what others hold. For runs, `decide` turns the row into its change inside the same
   * transaction (null: leave it alone; the row's due time moves to the lease end all the same). A run that would begin to execute, but has no slot at
   * one of its gates, is parked instead and its change dropped: it comes again, untouched, when there is room.
   */
  claim(request: ClaimRequest, decide: (run: RunRow, token: string) => RunChange | null): Promise<Claim>;

  /** Sets leases of `owner` to end at `until` (sooner is allowed); answers the tokens it still holds. One that another server adopted is not among them. */
  renew(tokens: string[], until: number, owner: string): Promise<Set<string>>;

  /** Takes leases over with the executions they are for, whoever had them, until `until`; answers the tokens that were still in force. */
  adopt(tokens: string[], until: number, owner: string): Promise<Set<string>>;

  /** Gives back the work leased to `owners` (servers known to be dead): runs are due at `runsAt`, all else now. Answers how much changed. */
  releaseOwners(owners: string[], now: number, runsAt: number): Promise<number>;

  /** Records reports, each fenced in the same statement: its token must be the one that holds its run's work (v2, no token: its run must be unfinished). */
  recordTask(write: TaskWrite): Promise<TaskVerdict>;

  /**
   * v2: creates the task or returns the one there is (one CANCELED or PENDING takes the status given). In a finished run nothing is reopened, and a new
   * task is CANCELED. Null: no such run in that environment.
   */
  openTask(environmentId: string, task: TaskRow): Promise<OpenedTask | null>;

  /**
   * Applies a change if the run is still at `before.revision`; false if it is not. A run with a `flow` that executes no more frees its slots, and parked work
   * that fits becomes due, in the same transaction; so do outbound requests that await the end of a run. Answers the queues of the latter.
   */
  changeRun(change: RunChange): Promise<false | { due: string[] }>;

  /**
   * Changes an event that waits for its time. False: it does not, any more, or this very change was made by a call whose answer got lost. One that was canceled
   * never starts a run: a delivery under way finds its work gone.
   */
  changeEvent(rowId: string, change: EventChange): Promise<boolean>;

  run(environmentId: string | null, id: string): Promise<RunRow | null>;
  runsOfEvent(eventRowId: string): Promise<RunRow[]>;
  /** By job. */
  skipsOfEvent(eventRowId: string): Promise<SkipRow[]>;
  /** In order of position, then key (positions may repeat). */
  tasks(runId: string, query?: TasksQuery): Promise<TaskRow[]>;
  event(environmentId: string | null, by: { id: string } | { rowId: string }): Promise<EventRow | null>;
  delivery(environmentId: string, id: string): Promise<DeliveryRow | null>;

  /** Resolves when the database answers; rejects with DATABASE_UNREACHABLE. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface OutsideStore {
  /** Repeated with the same id it changes nothing. An event stored from now on finds it. */
  addWaiter(row: WaiterRow): Promise<void>;
  /** Those who wait for events of that name, by id. @param after the last id seen, "" for none */
  waiters(environmentId: string, name: string, after: string, limit: number): Promise<Omit<WaiterRow, "names">[]>;
  dropWaiters(ids: string[]): Promise<void>;
  /** Drops one and notes what it is sent, due at `dueAt`, at once; does nothing when it waits no more. */
  tellWaiter(id: string, row: OutboundRow, dueAt: number): Promise<void>;
  /** Drops those that expired before then. */
  forgetWaiters(before: number): Promise<void>;
  /** Repeated with the same id it changes nothing. Due at `dueAt`, unless it awaits the end of its run. */
  addOutbound(row: OutboundRow, dueAt: number): Promise<void>;
  dropOutbound(ids: string[]): Promise<void>;
  /** Removes claimed work of kind "waiters" or "outbound", and the outbound request, unless the claim was lost. */
  finish(work: { id: string; token: string }): Promise<void>;
}

/** News between servers on one database: best effort, never the only copy of a promise (polling is the safety net). */
export interface Bus {
  publish(message: BusMessage): void;
  /** Returns the unsubscriber. */
  subscribe(listener: (message: BusMessage) => void): () => void;
}
export type BusMessage =
  /** Work of these queues is due. */
  | { type: "work"; queues: string[] }
  | { type: "catalog" }
  /** Whoever has a connection of this app asks it this question. */
  | { type: "ask"; id: string; appId: string }
  /** The question has its answer. */
  | { type: "answered"; id: string }
  /** Whoever has a connection of this app shall say so. */
  | { type: "who"; id: string; appId: string }
  | { type: "here"; id: string }
  /** The server of that name wants to know at once when this run has ended. */
  | { type: "awaited"; runId: string; by: string }
  /** A run that was awaited has ended. */
  | { type: "ended"; runId: string }
  /** For dashboards: what changed, not how. */
  | { type: "live"; environmentId: string; message: import("@holdfast/protocol").LiveMessage };
