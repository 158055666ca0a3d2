// Room: jobs. One execution of a job, from what the server sent to how it ended: payload, context, io, run(). Called by both transports.
import type { ExecutionOutcome, ExecutionStart, RequestPayload } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { ApiClient } from "../client/api.ts";
import type { ConnectionAuth, IO, TriggerIntegration } from "../io/io.ts";
import type { LogSetting } from "../io/logger.ts";
import { RunIO } from "../io/run-io.ts";
import { describeError } from "../replay/errors.ts";
import { Execution, type ExecutionEnd } from "../replay/execution.ts";
import type { Reporter } from "../replay/outbox.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { toRequest } from "../triggers/request.ts";
import { InvalidPayload, type Parsed, type PayloadIssue, readIssues } from "../triggers/schema.ts";
import type { EventSpecification, Trigger } from "../triggers/trigger.ts";
import { type AuthResolvers, connectionsFor } from "./connections.ts";
import { contextOf, type TriggerContext } from "./context.ts";
import type { Job } from "./job.ts";

export type AnyJob = Job<Trigger<EventSpecification<Anything>>, Anything>;

/** What an execution needs besides its start. */
export interface Surroundings {
  api: ApiClient;
  /** The id of the client. */
  app: string;
  runtime: Runtime;
  logging: LogSetting;
  resolvers: AuthResolvers;
  /** Tests have their own. */
  makeExecution?: ((start: ExecutionStart, reporter: Reporter, runtime: Runtime) => Execution) | undefined;
}

/** An execution under way. `ended` never rejects. */
export interface Performance {
  ended: Promise<ExecutionEnd>;
  abandon(reason: string): void;
  supersede(): void;
}

/** Starts an execution of the job. */
export function perform(
  job: AnyJob,
  start: ExecutionStart,
  reporter: Reporter,
  { api, app, runtime, logging, resolvers, makeExecution }: Surroundings,
): Performance {
  const execution = makeExecution?.(start, reporter, runtime) ?? new Execution(start, reporter, runtime);
  const context = contextOf(start);
  const ended = prepare(job, start, context, resolvers).then((prepared) => {
    if (!prepared.ok) return { kind: "ended" as const, items: [], outcome: prepared.outcome };
    const { payload, auth } = prepared;
    const plain = new RunIO(execution, { api, app, setting: { ...logging, level: job.logLevel ?? logging.level } });
    const io = withIntegrations(plain, job, auth);
    return execution.run(io, () => job.options.run(payload, io, context));
  });
  return { ended, abandon: (reason) => execution.abandon(reason), supersede: () => execution.supersede() };
}

type Auth = Record<string, ConnectionAuth | undefined>;
type Prepared = { ok: true; payload: Anything; auth: Auth } | { ok: false; outcome: ExecutionOutcome };

/** Checks what must hold before the program is called. */
async function prepare(job: AnyJob, start: ExecutionStart, context: TriggerContext, resolvers: AuthResolvers): Promise<Prepared> {
  const connections = await connectionsFor(integrationsOf(job), start.connections ?? {}, context, resolvers);
  if (!connections.ok) return { ok: false, outcome: { status: "UNRESOLVED_AUTH", issues: connections.issues } };
  try {
    const parsed = await parsePayload(job.trigger.event, start.event);
    if (!parsed.ok) return { ok: false, outcome: { status: "INVALID_PAYLOAD", errors: parsed.issues } };
    // Requests at endpoints were verified before there was a run; triggers of programs and of v2's integrations may have more to say.
    const verdict = start.run.isTest ? { success: true } : await job.trigger.verifyPayload(parsed.value);
    if (verdict.success) return { ok: true, payload: parsed.value, auth: connections.auth };
    const { reason } = verdict as { reason?: string };
    const message = ["Payload verification failed.", reason].filter(Boolean).join(" ");
    return { ok: false, outcome: { status: "ERROR", error: { message } } };
  } catch (error) {
    return { ok: false, outcome: { status: "ERROR", error: describeError(error) } };
  }
}

async function parsePayload(
  specification: EventSpecification<Anything>,
  event: ExecutionStart["event"],
): Promise<Parsed<Anything>> {
  const sent: unknown = JSON.parse(event.payload);
  const payload = event.payloadType === "REQUEST" ? toRequest(sent as RequestPayload) : (sent ?? {});
  if (specification.validate) return specification.validate(payload);
  try {
    return { ok: true, value: specification.parsePayload(payload) };
  } catch (error) {
    const issues = issuesOf(error);
    if (!issues) throw error;
    return { ok: false, issues };
  }
}

function issuesOf(error: unknown): PayloadIssue[] | undefined {
  if (error instanceof InvalidPayload) return error.issues;
  return readIssues((error as { issues?: unknown } | null)?.issues);
}

function integrationsOf(job: AnyJob): Record<string, TriggerIntegration> {
  return (job.options.integrations ?? {}) as Record<string, TriggerIntegration>;
}

/** The io with the job's integrations on it, each cloned for this run. */
function withIntegrations(io: RunIO, job: AnyJob, auth: Auth): IO & Record<string, TriggerIntegration> {
  for (const [key, integration] of Object.entries(integrationsOf(job))) {
    const value = integration.cloneForRun(io, key, auth[key]);
    Object.defineProperty(io, key, { value, enumerable: true, configurable: true });
  }
  return io as IO as IO & Record<string, TriggerIntegration>;
}
