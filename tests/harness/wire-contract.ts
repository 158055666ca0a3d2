// Tests: what each route and each action of v2's wire must look like in both directions, by the schemas of the published `@trigger.dev/core` where it has them. Used on what
// recorder.ts kept; docs/protocol.md has the list of routes, so one that is added there needs an entry here.
import * as core from "@trigger.dev/core";
import { z } from "zod";
import type { Exchange } from "./recorder.ts";

interface Schema {
  safeParse(value: unknown): { success: boolean; error?: unknown };
}
type HeaderRules = Record<string, RegExp>;

interface Contract {
  /** Of the JSON that is sent. Left out: nothing is sent. */
  asks?: Schema;
  /** Of the JSON that comes back with 200. */
  answers?: Schema;
  askedWith?: HeaderRules;
  answeredWith?: HeaderRules;
}

const V2 = /^2023-09-29$/;
const DATE = z.iso.datetime();
const id = z.object({ id: z.string() });
const ok = z.object({ ok: z.literal(true) });
const named = { id: z.string(), slug: z.string(), createdAt: DATE, updatedAt: DATE };
const anything = z.json();

const whoAmI = z.object({
  ...named,
  type: z.enum(["PRODUCTION", "STAGING", "DEVELOPMENT", "PREVIEW"]),
  pkApiKey: z.string().regex(/^pk_/),
  project: z.object({ ...named, name: z.string() }),
  organization: z.object({ ...named, title: z.string() }),
});
const endpoint = z.object({ id: z.string(), slug: z.string(), url: z.string(), updatedAt: DATE, endpointIndex: id });
const connection = z.object({
  ...{ id: z.string(), createdAt: DATE, updatedAt: DATE, expiresAt: DATE.nullable() },
  ...{ type: z.enum(["DEVELOPER", "EXTERNAL"]), externalAccountId: z.string().nullable() },
  auth: z.object({ type: z.literal("oauth2"), accessToken: z.string(), scopes: z.array(z.string()) }).optional(),
  integration: z.object({
    ...{
      id: z.string(),
      slug: z.string(),
      title: z.string(),
      description: z.string().nullable(),
      authSource: z.literal("HOSTED"),
    },
    authMethod: z.looseObject({ id: z.string(), key: z.string(), name: z.string(), type: z.string() }).nullable(),
  }),
});

const SECRET = { authorization: /^Bearer tr_[a-z]+_[a-zA-Z0-9]+$/ };
const EITHER = { authorization: /^Bearer (tr|pk)_[a-z]+_[a-zA-Z0-9]+$/ };
const JSON_BODY = { ...SECRET, "content-type": /^application\/json/ };
const OPEN = {};

const put = (asks: Schema, answers: Schema): Contract => ({ asks, answers, askedWith: JSON_BODY });
const get = (answers: Schema, askedWith: HeaderRules = SECRET): Contract => ({ answers, askedWith });
const act = (answers: Schema): Contract => ({ answers, askedWith: SECRET });
const schedule = core.RegisterScheduleBodySchema;
const task = core.ServerTaskSchema;

const hooked = z.object({ ok: z.literal(true) });

/** By the names docs/protocol.md gives them, as its table has them. */
export const ROUTES: Record<string, Contract> = {
  "GET /api/v1/whoami": get(whoAmI),
  "POST /api/v1/endpoints": put(z.object({ id: z.string(), url: z.url() }), endpoint),
  "GET /api/v1/endpointindex/:id": get(core.GetEndpointIndexResponseSchema),
  "POST /api/v1/endpoints/:id/index": act(core.GetEndpointIndexResponseSchema),
  "GET /api/v1/endpoints/:environment/:app/index/:hook": get(hooked, OPEN),
  "POST /api/v1/endpoints/:environment/:app/index/:hook": { answers: hooked, askedWith: OPEN },
  "POST /api/v1/events": put(core.SendEventBodySchema, core.ApiEventLogSchema),
  "POST /api/v1/events/bulk": put(core.SendBulkEventsBodySchema, core.ApiEventLogSchema.array()),
  "GET /api/v1/events/:id": get(core.GetEventSchema, EITHER),
  "GET /api/v2/events/:id": get(core.GetEventSchema, EITHER),
  "POST /api/v1/events/:id/cancel": act(core.ApiEventLogSchema),
  "POST /api/v1/events/:id/cancel-runs": act(core.CancelRunsForEventSchema),
  "GET /api/v1/runs/:id": get(core.GetRunSchema, EITHER),
  "GET /api/v2/runs/:id": get(core.GetRunSchema, EITHER),
  "PUT /api/v2/:clientId/triggers/:triggerId/registrations/:key": put(
    core.RegisterTriggerBodySchemaV2,
    core.RegisterSourceEventSchemaV2,
  ),
  "PUT /api/v2/:clientId/sources/:key": put(core.UpdateTriggerSourceBodyV2Schema, core.TriggerSourceSchema),
  "PUT /api/v1/webhooks/:key": put(core.UpdateWebhookBodySchema, core.TriggerSourceSchema),
  "PUT /api/v1/runs/:id/statuses/:key": put(core.StatusUpdateSchema, core.JobRunStatusRecordSchema),
  "GET /api/v2/runs/:id/stream": { askedWith: EITHER, answeredWith: { "content-type": /^text\/event-stream/ } },
  "GET /api/v1/runs/:id/statuses": get(core.GetRunStatusesSchema, EITHER),
  "GET /api/v2/runs/:id/statuses": get(core.GetRunStatusesSchema, EITHER),
  "POST /api/v1/runs/:id/cancel": act(core.GetRunSchema),
  "GET /api/v1/jobs/:id/runs": get(core.GetRunsSchema),
  "POST /api/v1/jobs/:id/cancel-runs": act(core.CancelRunsForJobSchema),
  "POST /api/v1/jobs/:id/invoke": put(core.InvokeJobRequestBodySchema, core.InvokeJobResponseSchema),
  "POST /api/v1/event-dispatchers/ephemeral": put(
    core.EphemeralEventDispatcherRequestBodySchema,
    core.EphemeralEventDispatcherResponseBodySchema,
  ),
  "POST /api/v1/runs/:id/tasks/:taskId/callback/:secret": {
    asks: anything,
    answers: z.object({ success: z.literal(true) }),
    askedWith: OPEN,
  },
  "POST /api/v1/runs/:id/tasks": {
    asks: core.RunTaskBodyInputSchema,
    answers: core.RunTaskResponseWithCachedTasksBodySchema,
    askedWith: { ...JSON_BODY, "idempotency-key": /^[0-9a-f]{64}$/, "x-cached-tasks-cursor": /^/, "trigger-version": V2 },
    answeredWith: { "trigger-version": V2 },
  },
  "POST /api/v1/runs/:id/tasks/:taskId/complete": {
    ...put(core.CompleteTaskBodyV2InputSchema, task),
    askedWith: { ...JSON_BODY, "trigger-version": /^2023-11-01$/ },
  },
  "POST /api/v1/runs/:id/tasks/:taskId/fail": put(core.FailTaskBodyInputSchema, task),
  "POST /api/v1/:clientId/schedules/:scheduleId/registrations": put(schedule, core.RegisterScheduleResponseBodySchema),
  "DELETE /api/v1/:clientId/schedules/:scheduleId/registrations/:key": act(ok),
  "GET /api/v1/store/:key": get(core.KeyValueStoreResponseBodySchema),
  "PUT /api/v1/store/:key": { ...put(anything, core.KeyValueStoreResponseBodySchema), askedWith: { ...SECRET } },
  "DELETE /api/v1/store/:key": act(core.KeyValueStoreResponseBodySchema),
  "GET /api/v1/:client/auth/:integration": get(core.ConnectionAuthSchema),
  "POST /api/v1/accounts/:account/connections/:integration": put(core.CreateExternalConnectionBodySchema, id),
  "GET /api/v1/integrations/:integration/connections/:connection": get(connection),
  // Of our SDK only.
  "POST /api/v1/executions/:token/reports": put(z.looseObject({}), z.looseObject({})),
};

/** Asked without a version, as SDKs before 2.2 and ours ask. */
const BARE_TASK: Contract = {
  ...put(core.RunTaskBodyInputSchema, task),
  askedWith: { ...JSON_BODY, "idempotency-key": /^[0-9a-f]{64}/ },
};

const ASKED = { "x-trigger-api-key": /^tr_/, "x-trigger-version": V2, accept: /^application\/json$/ };
const CALLED = { ...ASKED, "content-type": /^application\/json$/ };
const DELIVERED = { ...ASKED, "content-type": /^application\/octet-stream$/, "x-ts-key": /./ };
const ANSWERED = { "trigger-version": V2, "trigger-sdk-version": /^2\.3\.19$/, "x-trigger-request-timing": /^dur=/ };
const by = (answers: Schema, asks: Schema = { safeParse: () => ({ success: true }) }): Contract => ({
  asks,
  answers,
  askedWith: CALLED,
  answeredWith: ANSWERED,
});
const delivery = (answers: Schema): Contract => ({ answers, askedWith: DELIVERED, answeredWith: ANSWERED });

/** A person, an organization and so on, as a notification names them. */
const notification = z.looseObject({
  ...{ id: z.string(), ok: z.boolean(), status: z.string(), isTest: z.boolean() },
  ...{ startedAt: DATE, updatedAt: DATE, completedAt: DATE, executionCount: z.number(), executionDurationInMs: z.number() },
  job: z.object({ id: z.string(), version: z.string() }),
  statuses: z.array(z.object({ key: z.string(), label: z.string(), history: z.array(z.looseObject({})) })),
  environment: z.object({ slug: z.string(), id: z.string(), type: z.string() }),
  organization: z.object({ slug: z.string(), id: z.string(), title: z.string() }),
  project: z.object({ slug: z.string(), id: z.string(), name: z.string() }),
  invocation: z.looseObject({ id: z.string(), timestamp: DATE }),
});

/** What the published SDK is called for (wire §1.3). */
export const ACTIONS: Record<string, Contract> = {
  PING: { ...by(core.PongResponseSchema), askedWith: { ...ASKED, "x-trigger-endpoint-id": /./ } },
  VALIDATE: by(core.ValidateResponseSchema),
  INDEX_ENDPOINT: by(core.IndexEndpointResponseSchema),
  EXECUTE_JOB: by(core.RunJobResponseSchema, core.RunJobBodySchema),
  PREPROCESS_RUN: by(core.PreprocessRunResponseSchema, core.PreprocessRunBodySchema),
  INITIALIZE_TRIGGER: by(core.RegisterTriggerBodySchemaV2, core.InitializeTriggerBodySchema),
  DELIVER_HTTP_SOURCE_REQUEST: delivery(core.HttpSourceResponseSchema),
  DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE: delivery(core.NormalizedResponseSchema),
  DELIVER_WEBHOOK_REQUEST: delivery(core.WebhookDeliveryResponseSchema),
  RUN_NOTIFICATION: by(ok, notification),
  PROBE_EXECUTION_TIMEOUT: by(ok, z.object({ timeout: z.number() })),
};
/** The headers a request from outside is handed to the app with (wire §1.9). */
const DELIVERY_HEADERS: Record<string, Schema> = {
  DELIVER_HTTP_SOURCE_REQUEST: core.HttpSourceRequestHeadersSchema,
  DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE: core.HttpEndpointRequestHeadersSchema,
  DELIVER_WEBHOOK_REQUEST: core.WebhookSourceRequestHeadersSchema,
};

/** Every way an execution can end (wire §1.7). */
export const OUTCOMES = [
  ...["SUCCESS", "ERROR", "RESUME_WITH_TASK", "RETRY_WITH_TASK", "RESUME_WITH_PARALLEL_TASK", "YIELD_EXECUTION"],
  ...["AUTO_YIELD_EXECUTION", "AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK", "AUTO_YIELD_RATE_LIMIT"],
  ...["CANCELED", "INVALID_PAYLOAD", "UNRESOLVED_AUTH_ERROR"],
];

const patterns = Object.keys(ROUTES).map((route) => {
  const source = route.replace(/[/.]/g, "\\$&").replace(/:key$/, ".+").replace(/:\w+/g, "[^/]+");
  return { route, pattern: new RegExp(`^${source}$`) };
});

/** The route or action an exchange is of; undefined for what is no part of v2's wire. */
export function kindOf({ of, method, path, sent }: Exchange): string | undefined {
  if (of === "app") return sent.headers["x-trigger-action"]?.toString();
  const asked = `${method === "HEAD" ? "GET" : method} ${path}`;
  return patterns.find(({ pattern }) => pattern.test(asked))?.route;
}

/** What is wrong with an answered exchange by the contract of its kind. */
export function problemsOf(exchange: Exchange): string[] {
  const kind = kindOf(exchange) ?? "";
  const { sent, answered, method } = exchange;
  const bare = kind === "POST /api/v1/runs/:id/tasks" && !sent.headers["trigger-version"];
  const contract = bare ? BARE_TASK : (exchange.of === "app" ? ACTIONS : ROUTES)[kind];
  if (!contract) return [`${method} ${exchange.path} is nothing of v2's wire`];
  if (answered.status !== 200) return failureProblems(exchange).map((problem) => `${kind}: ${problem}`);
  const problems = [
    ...missing(contract.askedWith, sent.headers).map((problem) => `asked with ${problem}`),
    ...missing(contract.answeredWith, answered.headers).map((problem) => `answered with ${problem}`),
    ...unlike(contract.asks, sent.body).map((problem) => `asked ${problem}`),
    ...(method === "HEAD" ? [] : unlike(contract.answers, answered.body).map((problem) => `answered ${problem}`)),
  ];
  const headers = DELIVERY_HEADERS[kind]?.safeParse(sent.headers);
  if (headers && !headers.success) problems.push(`delivered with ${String(headers.error)}`);
  return problems.map((problem) => `${kind}: ${problem}`);
}

/** v2's SDK reads `error` of a refusal, and a time to come back from one for asking too often. */
function failureProblems({ method, answered: { status, headers, body } }: Exchange): string[] {
  if (method === "HEAD" && status === 404) return [];
  const said = z.object({ error: z.string().min(1), message: z.string().min(1) }).safeParse(read(body));
  if (!said.success) return [`${status} does not say why: ${body}`];
  return status === 429 && !(Number(headers["x-ratelimit-reset"]) > 1e12) ? ["429 does not say until when"] : [];
}

function missing(rules: HeaderRules = {}, headers: Exchange["sent"]["headers"]): string[] {
  const wrong = Object.entries(rules).filter(([name, rule]) => !rule.test(String(headers[name] ?? "\0")) || !(name in headers));
  return wrong.map(([name]) => `${name}: ${headers[name]}`);
}

function unlike(schema: Schema | undefined, body: string): string[] {
  if (!schema) return [];
  const { success, error } = schema.safeParse(read(body));
  return success ? [] : [`${body.slice(0, 300)}, which is not in form: ${String(error)}`];
}

function read(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
