// Room: jobs. One execution of a job, from what the server sent to how it ended: payload, context, io, run(). Called by both transports.
import type { ExecutionOutcome, ExecutionStart, RequestPayload } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { ApiClient } from "../client/api.ts";
import type { IO, TriggerIntegration } from "../io/io.ts";
import type { LogSetting } from "../io/logger.ts";
import { RunIO } from "../io/run-io.ts";
import { describeError } from "../replay/errors.ts";
import { Execution, type ExecutionEnd } from "../replay/execution.ts";
import type { Reporter } from "../replay/outbox.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { toRequest } from "../triggers/request.ts";
import { InvalidPayload, type Parsed, type PayloadIssue, readIssues } from "../triggers/schema.ts";
import type { EventSpecification, Trigger } from "../triggers/trigger.ts";
import { contextOf } from "./context.ts";
import type { Job } from "./job.ts";

export type AnyJob = Job<Trigger<EventSpecification<Anything>>, Anything>;

/** What an execution needs besides its start. */
export interface Surroundings {
  api: ApiClient;
  runtime: Runtime;
  logging: LogSetting;
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
  { api, runtime, logging }: Surroundings,
): Performance {
  const execution = new Execution(start, reporter, runtime);
  const ended = prepare(job, start).then((prepared) => {
    if (!prepared.ok) return { kind: "ended" as const, items: [], outcome: prepared.outcome };
    const { payload } = prepared;
    const io = withIntegrations(new RunIO(execution, api, { ...logging, level: job.logLevel ?? logging.level }), job);
    return execution.run(io, () => job.options.run(payload, io, contextOf(start)));
  });
  return { ended, abandon: (reason) => execution.abandon(reason), supersede: () => execution.supersede() };
}

type Prepared = { ok: true; payload: Anything } | { ok: false; outcome: ExecutionOutcome };

/** Checks what must hold before the program is called. */
async function prepare(job: AnyJob, start: ExecutionStart): Promise<Prepared> {
  const issues = missingAuth(job);
  if (issues) return { ok: false, outcome: { status: "UNRESOLVED_AUTH", issues } };
  try {
    const parsed = await parsePayload(job.trigger.event, start.event);
    if (parsed.ok) return { ok: true, payload: parsed.value };
    return { ok: false, outcome: { status: "INVALID_PAYLOAD", errors: parsed.issues } };
  } catch (error) {
    return { ok: false, outcome: { status: "ERROR", error: describeError(error) } };
  }
}

function missingAuth(job: AnyJob): Record<string, { id: string; error: string }> | undefined {
  const hosted = Object.entries(job.integrations).filter(([, { authSource }]) => authSource !== "LOCAL");
  if (hosted.length === 0) return undefined;
  const why = "This integration has no credentials of its own. Give it an API key where it is created.";
  return Object.fromEntries(hosted.map(([key, { id }]) => [key, { id, error: why }]));
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

/** The io with the job's integrations on it, each cloned for this run. */
function withIntegrations(io: RunIO, job: AnyJob): IO & Record<string, TriggerIntegration> {
  const given = Object.entries((job.options.integrations ?? {}) as Record<string, TriggerIntegration>);
  for (const [key, integration] of given) {
    Object.defineProperty(io, key, { value: integration.cloneForRun(io, key), enumerable: true, configurable: true });
  }
  return io as IO as IO & Record<string, TriggerIntegration>;
}
