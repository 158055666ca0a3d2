// What our own SDK tells the server about tasks: one report per finished, failed, retried or waiting task, and one outcome per execution.
// The same frames travel over connect (one WebSocket) and over push (POST /api/v1/executions/:token/reports), so this is the hot path's shape.
// Times are "ago": milliseconds before the frame was sent, from a monotonic clock, so the app's wall clock is never trusted and no wait ends early.
import { z } from "zod";
import type { ConnectionAuth } from "./v2/connection.ts";
import { type DisplayProperty, type ErrorShape, errorShapeSchema } from "./v2/endpoint.ts";

const ago = z.number().min(0).max(1e13);

/** Presentation of a task, kept as one JSON text because the server never looks inside it on the hot path. */
export interface TaskDetails {
  icon?: string;
  description?: string;
  params?: unknown;
  properties?: DisplayProperty[];
  outputProperties?: DisplayProperty[];
  style?: { style: "normal" | "minimal"; variant?: string };
  redact?: { paths: string[] };
  connectionKey?: string;
  operation?: string;
  parallel?: boolean;
  /** Who calls it completes the task. */
  callbackUrl?: string;
  /** The callback that hands the URL out has returned: it is not called again. */
  handedOut?: boolean;
}

export const taskReportSchema = z.object({
  /** Idempotency key: sha256 hex over run id, parent task id and cache key (wire §2.5). */
  key: z.string().min(1).max(512),
  /** `task_` + the first 26 hex digits of the key: stable over replays, so children's keys are too. */
  id: z.string().min(1).max(128),
  parentId: z.string().max(128).optional(),
  name: z.string().max(4096),
  displayKey: z.string().max(4096).optional(),
  noop: z.boolean().optional(),
  /**
   * RUNNING: seen live, nothing more. COMPLETED and ERRORED are final. WAITING: resumes `delayMs` from now; with `error` it is a retry
   * (attempt `attempt` failed), without it a wait.
   */
  status: z.enum(["RUNNING", "WAITING", "COMPLETED", "ERRORED"]),
  /** 1-based number of the attempt reported on. */
  attempt: z.number().int().min(1),
  startedAgo: ago,
  endedAgo: ago.optional(),
  /** JSON text; absent when the callback returned undefined. */
  output: z.string().optional(),
  error: errorShapeSchema.optional(),
  delayMs: z.number().min(0).max(1e13).optional(),
  /** JSON text of {@link TaskDetails}. */
  details: z.string().optional(),
});
export type TaskReport = z.infer<typeof taskReportSchema>;

/** How an execution ended, as our SDK says it. */
export const executionOutcomeSchema = z.discriminatedUnion("status", [
  /** `output` is JSON text. */
  z.object({ status: z.literal("SUCCESS"), output: z.string().optional() }),
  z.object({ status: z.literal("ERROR"), error: errorShapeSchema, taskId: z.string().optional() }),
  /**
   * Every branch waits. `wakeMs`: milliseconds until the earliest one is due; absent when only something from outside can wake it. `wakeKey`: that task's
   * key. Its report may have been on its way longer than this frame, so the instant recorded for it can be later than `wakeMs` from now.
   */
  z.object({
    status: z.literal("SUSPENDED"),
    wakeMs: z.number().min(0).max(1e13).optional(),
    wakeKey: z.string().max(512).optional(),
    /** Ids of tasks that something outside completes: one that has been completed meanwhile wakes the run at once. */
    outside: z.array(z.string().max(128)).max(10_000).optional(),
  }),
  z.object({ status: z.literal("YIELDED"), key: z.string().optional() }),
  z.object({
    status: z.literal("INVALID_PAYLOAD"),
    errors: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  }),
  z.object({
    status: z.literal("UNRESOLVED_AUTH"),
    issues: z.record(z.string(), z.object({ id: z.string(), error: z.string() })),
  }),
]);
export type ExecutionOutcome = z.infer<typeof executionOutcomeSchema>;

export const reportBatchSchema = z.object({ items: z.array(taskReportSchema).max(1000) });

/** A recorded task handed to our SDK at the start of an execution. */
export interface RecordedTask {
  id: string;
  key: string;
  status: "COMPLETED" | "ERRORED" | "WAITING" | "RUNNING" | "CANCELED";
  /** Attempts already used up (failed ones). */
  attempts: number;
  /** JSON text, exactly as first reported. */
  output?: string;
  error?: ErrorShape;
  /**
   * When it ended, for COMPLETED and ERRORED, in milliseconds from wherever: only the order among the tasks of a run counts. A replay hands results out
   * in this order, so that a race is won by whoever won it first.
   */
  endedAt?: number;
  /** Milliseconds until it is due, for WAITING. */
  wakeMs?: number;
  /** For a task that is not final and that whoever POSTs to this URL completes. */
  callbackUrl?: string;
  /** The URL was handed out already. */
  handedOut?: boolean;
}

/** Everything our SDK needs for one execution. Unlike v2's, outputs stay JSON text and all recorded tasks come at once, in pages over connect. */
export interface ExecutionStart {
  token: string;
  run: { id: string; isTest: boolean; isRetry: boolean; startedAt: string };
  job: { id: string; version: string };
  event: { id: string; name: string; payload: string; context?: string; timestamp: string; payloadType: "JSON" | "REQUEST" };
  environment: { id: string; slug: string; type: "PRODUCTION" | "STAGING" | "DEVELOPMENT" | "PREVIEW" };
  organization: { id: string; title: string; slug: string };
  project: { id: string; name: string; slug: string };
  account?: { id: string; metadata?: unknown };
  source?: { id: string; metadata?: unknown };
  /** Credentials the server keeps, by the name the job has for the integration. Only ever sent: no record holds them. */
  connections?: Record<string, ConnectionAuth>;
  tasks: RecordedTask[];
  yields: string[];
  /** Start no further task this many milliseconds after the beginning, but end YIELDED without a key: the call would be cut off. Push only. */
  yieldAfterMs?: number;
}

/** The payload of an event with payloadType REQUEST. `bodyBase64` is Holdfast's: present when the body is not valid UTF-8. */
export interface RequestPayload {
  url: string;
  method: string;
  headers: Record<string, string>;
  rawBody: string;
  bodyBase64?: string;
}
