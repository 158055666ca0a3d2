// Shapes a server reads from, and sends to, an app over the v2 wire: the index document and the execution call.
// Source: `@trigger.dev/sdk@2.3.19` as published; see docs/protocol.md. Elements added by Holdfast are marked so and are optional.
import { z } from "zod";
import { isFilterObject } from "../filter-grammar.ts";
import { TASK_STATUSES } from "../statuses.ts";
import type { ConnectionAuth } from "./connection.ts";
import { eventRuleSchema, filterSchema } from "./event.ts";
import { dynamicTriggerMetadataSchema, sourceMetadataSchema, webhookMetadataSchema } from "./source.ts";

/** The protocol version both sides of v2 name in `trigger-version`. */
export const V2_VERSION = "2023-09-29";

export const displayPropertySchema = z.object({
  label: z.string(),
  text: z.string(),
  url: z.string().optional(),
  imageUrl: z.array(z.string()).optional(),
});
export type DisplayProperty = z.infer<typeof displayPropertySchema>;

export const eventExampleSchema = z.object({
  id: z.string(),
  name: z.string(),
  icon: z.string().optional(),
  payload: z.unknown().optional(),
});

export const eventSpecificationSchema = z.object({
  name: z.union([z.string(), z.array(z.string())]),
  title: z.string(),
  source: z.string(),
  icon: z.string(),
  filter: filterSchema.optional(),
  properties: z.array(displayPropertySchema).optional(),
  schema: z.unknown().optional(),
  examples: z.array(eventExampleSchema).optional(),
});

const scheduleSchema = z.looseObject({ type: z.enum(["interval", "cron"]), options: z.record(z.string(), z.unknown()) });

/** When something happens again and again. What the options hold is checked where a schedule is used. */
export type Schedule = z.infer<typeof scheduleSchema>;

export const triggerSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("static"),
    title: z.union([z.string(), z.array(z.string())]),
    properties: z.array(displayPropertySchema).optional(),
    rule: eventRuleSchema,
    link: z.string().optional(),
    help: z.unknown().optional(),
  }),
  z.object({ type: z.literal("scheduled"), schedule: scheduleSchema }),
  z.object({ type: z.literal("dynamic"), id: z.string() }),
  z.object({ type: z.literal("invoke") }),
]);

const slotsSchema = z.number().int().positive().max(1_000_000);
const concurrencyLimitSchema = z.union([slotsSchema, z.object({ id: z.string(), limit: slotsSchema })]);

const secondsSchema = z.number().min(0.001).max(31_536_000);

/** Holdfast: at most `limit` runs start in any `period` (seconds), of each value at the path `key` if there is one; further events start none. */
const rateLimitSchema = z.object({ limit: slotsSchema, period: secondsSchema, key: z.string().min(1).optional() });

/** Holdfast: events less than `period` seconds apart start one run, of the last of them; `timeout` seconds after the first at the latest. */
const debounceSchema = z.object({ period: secondsSchema, timeout: secondsSchema.optional(), key: z.string().min(1).optional() });

/** Holdfast: at most `limit` runs start in each `period` (seconds), of each value at the path `key` if there is one; `burst` of them may start at once. */
const throttleSchema = z.object({
  limit: slotsSchema,
  period: secondsSchema,
  burst: slotsSchema.optional(),
  key: z.string().min(1).optional(),
});

/** What a job uses, by its name in `io`. */
const integrationSchema = z.object({
  id: z.string(),
  metadata: z.object({ id: z.string(), name: z.string(), instructions: z.string().optional() }),
  authSource: z.enum(["HOSTED", "LOCAL", "RESOLVER"]),
});

export const jobMetadataSchema = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  event: eventSpecificationSchema,
  trigger: triggerSchema,
  integrations: z.record(z.string(), integrationSchema).default({}),
  internal: z.boolean().default(false),
  enabled: z.boolean(),
  startPosition: z.string().default("latest"),
  preprocessRuns: z.boolean().default(false),
  /** A number of this job's runs, or of a group of jobs'. Several at once are Holdfast's. */
  concurrencyLimit: z.union([concurrencyLimitSchema, z.array(concurrencyLimitSchema).min(1).max(10)]).optional(),
  /** Holdfast: a path into the payload ("user.id"); a number in `concurrencyLimit` then counts the runs of each value. */
  concurrencyKey: z.string().min(1).optional(),
  throttle: throttleSchema.optional(),
  rateLimit: rateLimitSchema.optional(),
  debounce: debounceSchema.optional(),
  /** Holdfast: of runs that wait, at a limit or for their app, the higher goes first. A number, or a path into the payload. */
  priority: z.union([z.number(), z.string().min(1)]).optional(),
  /** Holdfast: the app is told how runs of it end. A published SDK says so with each execution. */
  notify: z.object({ success: z.boolean().optional(), failure: z.boolean().optional() }).optional(),
});
export type JobMetadata = z.infer<typeof jobMetadataSchema>;

/** `{method, headers, query, body}`, each matched against the request. */
export interface RequestFilter {
  method?: string[] | undefined;
  headers?: Record<string, unknown> | undefined;
  query?: Record<string, unknown> | undefined;
  body?: Record<string, unknown> | undefined;
}
/** Taken as it came, as {@link filterSchema}: a part that is none must be refused and not be lost. */
const requestFilterSchema = z.custom<RequestFilter>(isFilterObject, "A request filter is an object.");

export const httpEndpointMetadataSchema = z.object({
  id: z.string(),
  version: z.string(),
  enabled: z.boolean().default(true),
  title: z.string().optional(),
  icon: z.string().optional(),
  properties: z.array(displayPropertySchema).optional(),
  event: eventSpecificationSchema,
  immediateResponseFilter: requestFilterSchema.optional(),
  skipTriggeringRuns: z.boolean().optional(),
  source: z.string(),
  /** Holdfast: when the sender is answered. "stored" (default) at once after storage, "verified" after the verdict, so it sees a 4xx. */
  answer: z.enum(["stored", "verified"]).optional(),
});
export type HttpEndpointMetadata = z.infer<typeof httpEndpointMetadataSchema>;

export const indexDocumentSchema = z.object({
  jobs: z.array(jobMetadataSchema),
  sources: z.array(sourceMetadataSchema).default([]),
  webhooks: z.array(webhookMetadataSchema).optional(),
  dynamicTriggers: z.array(dynamicTriggerMetadataSchema).default([]),
  dynamicSchedules: z.array(z.looseObject({ id: z.string() })).default([]),
  httpEndpoints: z.array(httpEndpointMetadataSchema).optional(),
  /** Holdfast: present when the app runs our SDK, which has a verify-only action and reports tasks in one round trip. */
  holdfast: z.object({ sdk: z.string() }).optional(),
});
export type IndexDocument = z.infer<typeof indexDocumentSchema>;

export const cachedTaskSchema = z.object({
  id: z.string(),
  idempotencyKey: z.string(),
  status: z.enum(TASK_STATUSES),
  noop: z.boolean().optional(),
  output: z.unknown().optional(),
  parentId: z.string().nullish(),
});
export type CachedTask = z.infer<typeof cachedTaskSchema>;

/** The body of EXECUTE_JOB (wire §1.5). */
export interface ExecuteJobBody {
  event: {
    id: string;
    name: string;
    payload: unknown;
    context?: unknown;
    timestamp: string;
    deliverAt?: string | null;
    deliveredAt?: string | null;
    cancelledAt?: string | null;
  };
  job: { id: string; version: string };
  run: { id: string; isTest: boolean; isRetry: boolean; startedAt: string };
  environment: { id: string; slug: string; type: EnvironmentType };
  organization: { id: string; title: string; slug: string };
  project: { id: string; name: string; slug: string };
  account?: { id: string; metadata?: unknown };
  source?: { id: string; metadata?: unknown };
  /** By the name the job has for the integration. */
  connections?: Record<string, ConnectionAuth>;
  tasks?: CachedTask[];
  cachedTaskCursor?: string;
  noopTasksSet?: string;
  yieldedExecutions?: string[];
  runChunkExecutionLimit?: number;
}
export type EnvironmentType = "PRODUCTION" | "STAGING" | "DEVELOPMENT" | "PREVIEW";

/** What services' errors say beside their message, and programs look at. */
export const ERROR_FIELDS = ["code", "status", "statusCode", "type"] as const;
const errorFieldSchema = z.union([z.string(), z.number()]).optional();

/** Published SDKs leave the message out for `throw undefined`; ours says "undefined", too. `fields`: of ours alone. */
export const errorShapeSchema = z.object({
  message: z.string().default("undefined"),
  name: z.string().optional(),
  stack: z.string().optional(),
  fields: z
    .object({ code: errorFieldSchema, status: errorFieldSchema, statusCode: errorFieldSchema, type: errorFieldSchema })
    .optional(),
});
export type ErrorShape = z.infer<typeof errorShapeSchema>;

/** A task as an app echoes it: only the id and the output properties are trusted. */
const echoedTaskSchema = z.looseObject({ id: z.string(), outputProperties: z.array(displayPropertySchema).nullish() });
const yieldTimes = { location: z.string(), timeRemaining: z.number(), timeElapsed: z.number(), limit: z.number().optional() };

const nestable = [
  z.object({ status: z.literal("ERROR"), error: errorShapeSchema, task: echoedTaskSchema.optional() }),
  z.object({ status: z.literal("RESUME_WITH_TASK"), task: echoedTaskSchema }),
  z.object({ status: z.literal("RETRY_WITH_TASK"), task: echoedTaskSchema, error: errorShapeSchema, retryAt: z.coerce.date() }),
  z.object({ status: z.literal("YIELD_EXECUTION"), key: z.string() }),
  z.object({ status: z.literal("AUTO_YIELD_EXECUTION"), ...yieldTimes }),
  z.object({
    status: z.literal("AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK"),
    id: z.string(),
    properties: z.array(displayPropertySchema).optional(),
    output: z.string().optional(),
    data: z.object(yieldTimes),
  }),
  z.object({ status: z.literal("AUTO_YIELD_RATE_LIMIT"), reset: z.number() }),
  z.object({ status: z.literal("CANCELED"), task: echoedTaskSchema }),
  z.object({
    status: z.literal("INVALID_PAYLOAD"),
    errors: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  }),
  z.object({
    status: z.literal("UNRESOLVED_AUTH_ERROR"),
    issues: z.record(z.string(), z.object({ id: z.string(), error: z.string() })),
  }),
] as const;
const nestedResponseSchema = z.discriminatedUnion("status", nestable);

/** What EXECUTE_JOB answers (wire §1.7). */
export const executeJobResponseSchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("SUCCESS"), output: z.unknown().optional() }),
  z.object({
    status: z.literal("RESUME_WITH_PARALLEL_TASK"),
    task: echoedTaskSchema,
    childErrors: z.array(nestedResponseSchema),
  }),
  ...nestable,
]);
export type ExecuteJobResponse = z.infer<typeof executeJobResponseSchema>;
