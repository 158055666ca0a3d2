// Shapes of the v2 REST API that SDKs call: tasks, events, runs.
// Source: `@trigger.dev/sdk@2.3.19` as published; wire §2.
import { z } from "zod";
import type { RunStatus, TaskStatus } from "../statuses.ts";
import { type DisplayProperty, displayPropertySchema, errorShapeSchema } from "./endpoint.ts";
import { momentSchema, rawEventSchema } from "./event.ts";
import type { StatusRecord } from "./run-status.ts";

/** Entries of `properties` may be partial; those without label or text are dropped (wire §2.5). */
const looseProperties = z.array(z.unknown()).transform((items) =>
  items.flatMap((item) => {
    const parsed = displayPropertySchema.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  }),
);

export const runTaskBodySchema = z.object({
  idempotencyKey: z.string().min(1),
  displayKey: z.string().optional(),
  noop: z.boolean().default(false),
  parentId: z.string().optional(),
  name: z.string().optional(),
  icon: z.string().optional(),
  description: z.string().optional(),
  delayUntil: momentSchema,
  retry: z.record(z.string(), z.unknown()).optional(),
  properties: looseProperties.optional(),
  params: z.unknown().optional(),
  style: z.object({ style: z.enum(["normal", "minimal"]), variant: z.string().optional() }).optional(),
  callback: z.object({ enabled: z.boolean().optional(), timeoutInSeconds: z.number().optional() }).optional(),
  connectionKey: z.string().optional(),
  operation: z.enum(["fetch", "fetch-response", "fetch-poll"]).optional(),
  redact: z.object({ paths: z.array(z.string()) }).optional(),
  parallel: z.boolean().optional(),
});
export type RunTaskBody = z.infer<typeof runTaskBodySchema>;

export const completeTaskBodySchema = z.object({
  /** JSON text when `trigger-version: 2023-11-01`, a raw value before. */
  output: z.unknown().optional(),
  properties: looseProperties.optional(),
  description: z.string().optional(),
  params: z.unknown().optional(),
});
export const failTaskBodySchema = z.object({ error: errorShapeSchema });

/** A task as the API answers it. */
export interface ServerTask {
  id: string;
  name: string;
  icon: string | null;
  noop: boolean;
  startedAt: string | null;
  completedAt: string | null;
  delayUntil: string | null;
  status: TaskStatus;
  description: string | null;
  properties: DisplayProperty[] | null;
  outputProperties: DisplayProperty[] | null;
  params: unknown;
  /** Absent when the callback returned undefined, which differs from null. */
  output?: unknown;
  error: string | null;
  parentId: string | null;
  style: { style: "normal" | "minimal"; variant?: string } | null;
  operation: string | null;
  callbackUrl: string | null;
  childExecutionMode: "SEQUENTIAL" | "PARALLEL" | null;
  idempotencyKey: string;
  attempts: number;
  forceYield: boolean;
}

/** As far away as any wait of a run, in seconds: 317 years. */
const LONGEST_DELAY_S = 10_000_000_000;

export const sendEventOptionsSchema = z.object({
  deliverAt: momentSchema,
  /** Seconds. */
  deliverAfter: z
    .number()
    .int()
    .max(LONGEST_DELAY_S)
    .nullable()
    .transform((seconds) => seconds ?? undefined)
    .optional(),
  accountId: z.string().optional(),
});
export const sendEventBodySchema = z.object({ event: rawEventSchema, options: sendEventOptionsSchema.optional() });
export const sendEventsBodySchema = z.object({
  events: z.array(rawEventSchema).max(1000),
  options: sendEventOptionsSchema.optional(),
});

export interface ApiEventLog {
  id: string;
  name: string;
  payload: unknown;
  context?: unknown;
  timestamp: string;
  deliverAt?: string;
  deliveredAt?: string;
  cancelledAt?: string;
}

export interface ApiRun {
  id: string;
  status: RunStatus;
  startedAt: string | null;
  updatedAt: string | null;
  completedAt: string | null;
  output?: unknown;
  tasks: ApiRunTask[];
  statuses: StatusRecord[];
  nextCursor?: string;
}
export type ApiRunTask = {
  id: string;
  displayKey: string | null;
  status: TaskStatus;
  name: string;
  icon: string | null;
  startedAt: string | null;
  completedAt: string | null;
  params?: unknown;
  output?: unknown;
  /** Holdfast's. True: its `params` and `output` had no room in this answer; the pages of the environment's own route for a run's tasks have them. */
  detailsOmitted?: boolean;
  subtasks?: ApiRunTask[];
};

/** Invoking a job by its id. `callbackUrl` is told how the run ends (a RunNotification). */
export const invokeJobBodySchema = z.object({
  payload: z.unknown().optional(),
  context: z.unknown().optional(),
  options: z.object({ accountId: z.string().optional(), callbackUrl: z.url().optional() }).optional(),
});

export const registerScheduleBodySchema = z.object({
  /** The key. */
  id: z.string().min(1),
  type: z.enum(["interval", "cron"]),
  options: z.object({ seconds: z.number().optional(), cron: z.string().optional() }),
  accountId: z.string().optional(),
  metadata: z.unknown().optional(),
});

export const registerEndpointBodySchema = z.object({ url: z.url(), id: z.string().min(1) });
