// Frames of the connect transport: the app dials out over one WebSocket (GET /api/v1/connect, `Authorization: Bearer tr_…`) and many executions share it.
// JSON text frames, one object each, told apart by `t`. `x` is an execution token. The app speaks first, with hello.
// An execution outlives its connection: the app keeps it, dials again, says so (`holds`, `resume`), and sends again whatever was not answered.
import { z } from "zod";
import {
  type ExecutionStart,
  executionOutcomeSchema,
  type RecordedTask,
  type RequestPayload,
  taskReportSchema,
} from "./reports.ts";
import { indexDocumentSchema } from "./v2/endpoint.ts";
import type { RunNotification } from "./v2/notification.ts";
import type { HandOver } from "./v2/source.ts";

export const CONNECT_PATH = "/api/v1/connect";
export const CONNECT_PROTOCOL = 1;

const token = z.string().max(64);
/** Most executions of one app process. */
const CONCURRENCY_LIMIT = 10_000;
const tokens = z.array(token).max(CONCURRENCY_LIMIT);

export const appFrameSchema = z.discriminatedUnion("t", [
  /**
   * First frame. `concurrency`: most executions the app wants at once on this connection, those it `holds` among them: executions that began on
   * another connection. The server answers with `welcome`, then says in `resumed` which of those are still theirs. `since`: what `welcome` first said to
   * this process. Of processes that have different jobs the one that came last counts, not the one that dialled or told last, whichever server it dialled.
   */
  z.object({
    t: z.literal("hello"),
    protocol: z.number(),
    app: z.string().min(1).max(200),
    sdk: z.string(),
    concurrency: z.number().int().min(0).max(CONCURRENCY_LIMIT),
    holds: tokens.optional(),
    since: z.number().int().optional(),
    index: indexDocumentSchema,
  }),
  /** From now on the app wants at most so many executions on this connection. */
  z.object({ t: z.literal("credit"), concurrency: z.number().int().min(0).max(CONCURRENCY_LIMIT) }),
  /** More executions that began on another connection; answered by `resumed`. */
  z.object({ t: z.literal("resume"), xs: tokens }),
  /** These go on over another connection, or are over: forget them. */
  z.object({ t: z.literal("moved"), xs: tokens }),
  /** Task reports of one execution; answered by `ack` with the same `n` once they are on disk, or by `stale`. Sent again they change nothing. */
  z.object({ t: z.literal("report"), x: token, n: z.number().int(), items: z.array(taskReportSchema).max(1000) }),
  /** The end of an execution, with the reports not yet sent; answered by `ended` once it is on disk, or by `stale`. Sent again it changes nothing. */
  z.object({ t: z.literal("end"), x: token, items: z.array(taskReportSchema).max(1000), outcome: executionOutcomeSchema }),
  /** The answer to `verify`, `respond` or `notify` with the same `n`. */
  z.object({
    t: z.literal("reply"),
    n: z.number().int(),
    ok: z.boolean(),
    value: z.unknown().optional(),
    error: z.string().optional(),
  }),
  /** The app's jobs changed (after a reload in the same process). */
  z.object({ t: z.literal("index"), index: indexDocumentSchema }),
  /** The app is going away: send no new executions; those running will end. */
  z.object({ t: z.literal("leaving") }),
]);
export type AppFrame = z.infer<typeof appFrameSchema>;

export type ServerFrame =
  /** `at`: since when this process is known, in epoch milliseconds; later than that of all that came before it. */
  | { t: "welcome"; server: string; environment: string; at?: number }
  /** The answer to `holds` and `resume`. `held`: carried by this connection from now on. `stale`: no longer the run's, as in `stale`. */
  | { t: "resumed"; held: string[]; stale: string[] }
  /** The hello was refused; the socket closes after it. */
  | { t: "refused"; message: string; hint?: string }
  | { t: "execute"; start: ExecutionStart /** More recorded tasks follow in `tasks` frames; wait for `last`. */; more?: boolean }
  | { t: "tasks"; x: string; tasks: RecordedTask[]; last: boolean }
  | { t: "ack"; x: string; n: number }
  | { t: "ended"; x: string }
  /** The execution is no longer the run's: stop it, record nothing. */
  | { t: "stale"; x: string; reason: "superseded" | "canceled" }
  | { t: "verify"; n: number; endpoint: string; request: RequestPayload }
  | { t: "respond"; n: number; endpoint: string; request: RequestPayload }
  /** A request that arrived at a source of the app's; the reply's value is as DELIVER_HTTP_SOURCE_REQUEST's, or DELIVER_WEBHOOK_REQUEST's, answer. */
  | { t: "source"; n: number; what: HandOver; request: RequestPayload }
  /** A run has ended whose job wanted to hear of it; answered by `reply` once the app has done what it does then. */
  | { t: "notify"; n: number; notification: RunNotification }
  /** The server is going away: dial another one and resume there what runs here. This one serves it until then, for a while. */
  | { t: "draining" };

/** What an app answers to `verify`. */
export const verifyResultSchema = z.object({ success: z.boolean(), reason: z.string().optional() });
export type VerifyResult = z.infer<typeof verifyResultSchema>;

/** What an app answers to `respond`; `bodyBase64` for bytes. */
export const respondResultSchema = z.object({
  status: z.number().int(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  bodyBase64: z.string().optional(),
});
export type RespondResult = z.infer<typeof respondResultSchema>;

/** Headers and actions Holdfast adds to the v2 push wire, for our own SDK. */
export const PUSH = {
  /** Action: run only the endpoint's `verify` (body and x-ts-* headers as DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE). Answers {@link VerifyResult}. */
  verifyAction: "VERIFY_HTTP_ENDPOINT_REQUEST",
  /** Action: run an execution; JSON body {@link ExecutionStart}; answers `{items: TaskReport[], outcome: ExecutionOutcome}`. */
  executeAction: "EXECUTE",
  reportPath: (executionToken: string) => `/api/v1/executions/${executionToken}/reports`,
} as const;

export const pushEndSchema = z.object({ items: z.array(taskReportSchema).max(1000), outcome: executionOutcomeSchema });
