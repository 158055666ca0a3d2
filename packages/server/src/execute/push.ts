// Room: execute. The push transport: the server POSTs to the app's one URL. Serves serverless apps, and every published v2 SDK (wire §1).
// Our own SDK is sent EXECUTE and verifies before runs; a v2 SDK is sent EXECUTE_JOB with the cache of its finished tasks.
import {
  type CachedTask,
  type ErrorShape,
  type ExecuteJobBody,
  type ExecuteJobResponse,
  type ExecutionStart,
  executeJobResponseSchema,
  type HandOver,
  indexDocumentSchema,
  NOTIFY_ACTION,
  PUSH,
  pushEndSchema,
  type RequestPayload,
  type RunNotification,
  V2_VERSION,
} from "@holdfast/protocol";
import { z } from "zod";
import type { NoAnswer } from "../ingest/ports.ts";
import type { HttpOutcome } from "../platform/http-client.ts";
import type { World } from "../platform/world.ts";
import type { AppRow } from "../store/store.ts";
import type { IndexAnswer } from "./app-calls.ts";
import { isCutOff } from "./call-limit.ts";

/** How a call that carried an execution ended. */
export type Called<T> =
  | { type: "answered"; value: T; headers: Record<string, string> }
  /** Nothing reached the app. */
  | { type: "unreachable"; error: ErrorShape }
  /** The app answered badly, or the connection broke: worth another try. */
  | { type: "broken"; error: ErrorShape }
  /** The platform that serves the app ended the call. */
  | { type: "cutOff"; error: ErrorShape }
  /** The app refused for good (4xx). */
  | { type: "rejected"; error: ErrorShape };

/** An execution may take as long as its app lives; its lease, not this bound, says when it is lost. */
const EXECUTION_MS = 24 * 3600 * 1000;
/** The end of an execution, in bytes: its output, and reports that were not sent before. */
const MOST_ANSWERED = 64 * 1024 * 1024;
const ASK_MS = 30_000;
/** What an app does when a run has ended may take its time. */
const NOTIFY_MS = 300_000;
const INDEX_MS = 5_000;
const MAX_REDIRECTS = 5;
/** Header names and values forwarded to an app stay below Node's 16 kB limit (wire §1.9). */
const MAX_FORWARDED_HEADERS = 8_000;

/** The environment's secret key, opened; v2's wire sends it with every call. */
export type KeyOf = (environmentId: string) => string;

interface Target {
  url: string;
  environmentId: string;
  line: string;
}

/** Apps of one host have connections of their own: one whose calls hang holds up no other. */
function targetOf({ id, url, environmentId }: AppRow): Target {
  return { url: url ?? "", environmentId, line: id };
}

export class Push {
  constructor(
    private readonly world: World,
    private readonly keyOf: KeyOf,
  ) {}

  /** Our SDK: an execution whose reports come in by `PUSH.reportPath`. */
  execute(app: AppRow, start: ExecutionStart): Promise<Called<z.infer<typeof pushEndSchema>>> {
    return this.#call(app, PUSH.executeAction, JSON.stringify(start), pushEndSchema);
  }

  /** A published v2 SDK. */
  executeV2(app: AppRow, body: ExecuteJobBody): Promise<Called<ExecuteJobResponse>> {
    return this.#call(app, "EXECUTE_JOB", JSON.stringify(body), executeJobResponseSchema);
  }

  async #call<T>(app: AppRow, action: string, body: string, schema: z.ZodType<T>): Promise<Called<T>> {
    const bounds = { timeoutMs: EXECUTION_MS, maxBytes: MOST_ANSWERED };
    const outcome = await this.#post(targetOf(app), action, { body, ...bounds });
    return readAnswer(outcome, app.url ?? "", schema);
  }

  /** Runs `verify` or `respondWith` in the app: the original request travels in x-ts-* headers, its bytes as the body. */
  ask(app: AppRow, action: string, endpoint: string, request: RequestPayload): Promise<{ value: unknown } | NoAnswer> {
    return this.#deliver(app, action, { "x-ts-key": asciiText(endpoint) }, request);
  }

  /** Gives the app of a source a request that arrived there. */
  handOver(app: AppRow, what: HandOver, request: RequestPayload): Promise<{ value: unknown } | NoAnswer> {
    const { kind, key, dynamicId, secret, params, data, auth, metadata } = what;
    const headers = { "x-ts-key": asciiText(key), "x-ts-secret": asciiText(secret), "x-ts-params": asciiJson(params ?? null) };
    if (kind === "webhook") return this.#deliver(app, "DELIVER_WEBHOOK_REQUEST", headers, request);
    const more = {
      "x-ts-data": asciiJson(data ?? {}),
      ...(dynamicId === undefined ? {} : { "x-ts-dynamic-id": asciiText(dynamicId) }),
      ...(auth === undefined ? {} : { "x-ts-auth": asciiJson(auth) }),
      ...(metadata === undefined ? {} : { "x-ts-metadata": asciiJson(metadata) }),
    };
    return this.#deliver(app, "DELIVER_HTTP_SOURCE_REQUEST", { ...headers, ...more }, request);
  }

  async #deliver(
    app: AppRow,
    action: string,
    what: Record<string, string>,
    request: RequestPayload,
  ): Promise<{ value: unknown } | NoAnswer> {
    const headers = {
      "content-type": "application/octet-stream",
      ...what,
      "x-ts-http-url": encodeURI(request.url).slice(0, 4000),
      "x-ts-http-method": request.method,
      "x-ts-http-headers": asciiJson(forwardedHeaders(request.headers, what["x-ts-auth"]?.length ?? 0)),
    };
    const body = request.bodyBase64 ? Buffer.from(request.bodyBase64, "base64") : request.rawBody;
    const outcome = await this.#post(targetOf(app), action, { headers, body, timeoutMs: ASK_MS });
    if (!outcome.ok) return { type: "no-answer", message: outcome.message };
    const value = parseJson(outcome.body);
    if (outcome.status === 200 && value !== undefined) return { value };
    return { type: "no-answer", message: messageOf(value) ?? `The app answered ${outcome.status}.` };
  }

  /** Tells the app how a run ended. */
  async notify(app: AppRow, notification: RunNotification): Promise<{ type: "taken" } | NoAnswer> {
    const body = JSON.stringify(notification);
    const outcome = await this.#post(targetOf(app), NOTIFY_ACTION, { body, timeoutMs: NOTIFY_MS });
    if (!outcome.ok) return { type: "no-answer", message: outcome.message };
    if (outcome.status === 200) return { type: "taken" };
    return { type: "no-answer", message: messageOf(parseJson(outcome.body)) ?? `The app answered ${outcome.status}.` };
  }

  /** PING, then INDEX_ENDPOINT, following at most five redirects of the URL itself. */
  async index(target: { url: string; slug: string; environmentId: string }): Promise<IndexAnswer & { url?: string }> {
    const ping = await this.#following(target, "PING", { "x-trigger-endpoint-id": target.slug });
    if ("type" in ping) return ping;
    const pong = parseJson(ping.body) as { ok?: boolean; error?: string } | null | undefined;
    if (pong?.ok !== true) return unanswered(pong?.error ?? messageOf(pong) ?? noPong(ping, target.url));
    const answer = await this.#following({ ...target, url: ping.url }, "INDEX_ENDPOINT", {});
    if ("type" in answer) return answer;
    const parsed = indexDocumentSchema.safeParse(parseJson(answer.body));
    if (!parsed.success)
      return { type: "no-answer", message: `The app's index is not in the known form: ${z.prettifyError(parsed.error)}` };
    const sdk = parsed.data.holdfast?.sdk ?? answer.headers["trigger-sdk-version"] ?? null;
    return { type: "indexed", index: parsed.data, sdk, url: answer.url };
  }

  async #following(target: { url: string; environmentId: string }, action: string, headers: Record<string, string>) {
    const { environmentId } = target;
    let url = target.url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const outcome = await this.#post({ url, environmentId, line: environmentId }, action, { headers, timeoutMs: INDEX_MS });
      if (!outcome.ok) return unanswered(`Could not connect to endpoint ${url}: ${outcome.message}`);
      if (outcome.status === 200) return { ...outcome, url };
      const location = outcome.headers.location;
      if (outcome.status < 300 || outcome.status >= 400 || !location) {
        return unanswered(messageOf(parseJson(outcome.body)) ?? `${url} answered ${outcome.status} to ${action}.`);
      }
      const next = new URL(location, url);
      if (next.origin !== new URL(url).origin)
        return unanswered(`${url} redirects to another host (${next.origin}); register that URL instead.`);
      url = next.href;
    }
    return unanswered(`${target.url} redirects more than ${MAX_REDIRECTS} times.`);
  }

  #post(
    { url, environmentId, line }: Target,
    action: string,
    {
      headers: more,
      body = "",
      ...bounds
    }: { headers?: Record<string, string>; body?: string | Uint8Array; timeoutMs: number; maxBytes?: number },
  ): Promise<HttpOutcome> {
    const headers = {
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": "holdfast",
      "x-trigger-api-key": this.keyOf(environmentId),
      "x-trigger-action": action,
      "x-trigger-version": V2_VERSION,
      ...more,
    };
    return this.world.fetch({ url, method: "POST", headers, body, line, ...bounds });
  }
}

/** A page, or a login that stands before the handler: the commonest reason why an app cannot be registered. */
function noPong(
  { url, status, headers }: { url: string; status: number; headers: Record<string, string> },
  asked: string,
): string {
  const type = headers["content-type"]?.split(";")[0]?.trim();
  const whose = url === asked ? url : `${url}, to which ${asked} redirects,`;
  return `${whose} answered ${status} ${type ? `with ${type}` : "without a content type"}, which is no app's answer to a ping.`;
}

function unanswered(message: string): NoAnswer {
  return { type: "no-answer", message };
}

/** wire §1.10: a time limit is told from its signs, 4xx is the app's last word, everything else is worth another try. */
function readAnswer<T>(outcome: HttpOutcome, url: string, schema: z.ZodType<T>): Called<T> {
  if (!outcome.ok) {
    const error = { message: `Connection could not be established to the endpoint (${url}): ${outcome.message}` };
    return outcome.why === "refused" || outcome.why === "badUrl" ? { type: "unreachable", error } : { type: "broken", error };
  }
  const value = parseJson(outcome.body);
  if (outcome.status === 200) {
    if (value === undefined) return { type: "rejected", error: { message: "Endpoint responded with invalid JSON" } };
    const parsed = schema.safeParse(value);
    return parsed.success
      ? { type: "answered", value: parsed.data, headers: outcome.headers }
      : { type: "rejected", error: { message: `The app's answer is not in the known form: ${z.prettifyError(parsed.error)}` } };
  }
  const error = { message: messageOf(value) ?? `Endpoint responded with ${outcome.status} status code` };
  if (isCutOff(outcome)) return { type: "cutOff", error };
  const final = outcome.status >= 400 && outcome.status < 500 && outcome.status !== 429;
  return { type: final ? "rejected" : "broken", error };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

function messageOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const message = "message" in value ? value.message : "error" in value ? value.error : undefined;
  return typeof message === "string" ? message : undefined;
}

const asciiText = (text: string): string => asciiJson(text).slice(1, -1);

/** JSON in printable ASCII: header values must be ISO-8859-1. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** @param beside characters that go with them and may be many */
function forwardedHeaders(headers: Record<string, string>, beside: number): Record<string, string> {
  const kept: Record<string, string> = {};
  let size = Math.min(beside, MAX_FORWARDED_HEADERS / 2);
  for (const [name, value] of Object.entries(headers)) {
    size += name.length + value.length + 6;
    if (size <= MAX_FORWARDED_HEADERS) kept[name] = value;
  }
  return kept;
}

/** Most cached tasks sent with EXECUTE_JOB, in characters of JSON (wire §1.6); the rest is loaded lazily from the cursor on. */
const MAX_CACHE = 3_500_000;

/** Finished tasks as v2's cache: whole until the bound, then a cursor at the first that did not fit. */
export function cacheOf(tasks: CachedTask[], limit = MAX_CACHE): { tasks: CachedTask[]; cursor?: string } {
  let size = 0;
  for (const [at, task] of tasks.entries()) {
    size += JSON.stringify(task).length + 1;
    if (size > limit && at > 0) return { tasks: tasks.slice(0, at), cursor: task.id };
  }
  return { tasks };
}
