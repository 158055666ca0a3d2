// Room: execute. What a published v2 SDK answers to EXECUTE_JOB, as an input of the run machine and the task writes that travel with it (wire §1.7).
// The echoed task is client-controlled: only its id is trusted, the rest is read from the store.
import { awaitsCallback, type RunInput } from "@holdfast/engine";
import type { DisplayProperty, ErrorShape, ExecuteJobResponse, TaskDetails } from "@holdfast/protocol";
import type { Telling } from "../runs/change.ts";
import type { Store, TaskRow, TaskWrite } from "../store/store.ts";
import { type Branch, branchesOf } from "./v2-branches.ts";

/** `awaits`: a branch whose callback the SDK calls again in every execution, so that there should be none before it was answered. */
interface V2Outcome extends Telling {
  awaits?: boolean;
}

/** After an API outage the SDK yields at once; this keeps such yields from spinning. */
const FAILED_TASK_RUN_PAUSE_MS = 1000;

export class V2Outcomes {
  constructor(private readonly store: Store) {}

  /** @param token the execution's; @param now epoch milliseconds */
  async read(runId: string, token: string, response: ExecuteJobResponse, now: number): Promise<Telling> {
    if (response.status === "SUCCESS") {
      return { input: { type: "succeeded", token, output: JSON.stringify(response.output) ?? null }, tasks: [] };
    }
    const branches = branchesOf(response);
    const ids = branches.flatMap((one) => taskIdsOf(one));
    const rows = ids.length > 0 ? await this.store.tasks(runId, { ids }) : [];
    const known = new Map(rows.map((row) => [row.id, row]));
    const outcomes = branches.map((one) => readOne(token, one, known, now));
    return {
      input: combine(token, outcomes, now),
      tasks: outcomes.flatMap(({ tasks }) => tasks),
    };
  }
}

function taskIdsOf(response: Branch): string[] {
  if (response.status === "AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK") return [response.id];
  return "task" in response && response.task ? [response.task.id] : [];
}

/**
 * Branches of a parallel task: a failure decides; otherwise the run resumes when its first branch can go on, or, while one awaits a callback, when no
 * branch waits any more. Of branches that yield, one has its key noted; the others yield again.
 */
function combine(token: string, outcomes: V2Outcome[], now: number): RunInput {
  const inputs = outcomes.map(({ input }) => input);
  const final = inputs.find(({ type }) => type === "failed" || type === "invalidPayload" || type === "unresolvedAuth");
  const [only] = inputs;
  if (final) return final;
  if (inputs.length === 1 && only) return only;
  const due = inputs.map((input) => ("dueAt" in input ? (input.dueAt ?? (input.type === "yielded" ? now : null)) : now));
  const times = due.filter((time) => time !== null);
  if (outcomes.some(({ awaits }) => awaits))
    return { type: "suspended", token, dueAt: times.length < due.length ? null : Math.max(...times) };
  const yielded = inputs.find((input) => input.type === "yielded" && input.key !== null);
  if (yielded) return yielded;
  return { type: "suspended", token, dueAt: times.length > 0 ? Math.min(...times) : null };
}

function readOne(token: string, response: Branch, known: Map<string, TaskRow>, now: number): V2Outcome {
  switch (response.status) {
    case "ERROR": {
      const row = response.task && known.get(response.task.id);
      return {
        input: { type: "failed", token, error: response.error },
        tasks: row ? [erroredWrite(row, response.error, now)] : [],
      };
    }
    case "RESUME_WITH_TASK": {
      const row = known.get(response.task.id);
      const awaits = row !== undefined && awaitsCallback(row);
      return {
        input: { type: "suspended", token, dueAt: resumeAt(row, now) },
        tasks: shownWrites(row, response.task.outputProperties),
        awaits,
      };
    }
    case "RETRY_WITH_TASK": {
      const row = known.get(response.task.id);
      const dueAt = response.retryAt.getTime();
      return { input: { type: "suspended", token, dueAt }, tasks: row ? [retryWrite(row, response.error, dueAt, now)] : [] };
    }
    case "YIELD_EXECUTION":
      return { input: { type: "yielded", token, key: response.key, dueAt: null }, tasks: [] };
    case "AUTO_YIELD_EXECUTION": {
      const dueAt = response.location === "failed_task_run" ? now + FAILED_TASK_RUN_PAUSE_MS : null;
      return { input: { type: "yielded", token, key: null, dueAt }, tasks: [] };
    }
    case "AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK": {
      const row = known.get(response.id);
      const tasks = row ? [completedWrite(row, response.output ?? null, now)] : [];
      return { input: { type: "yielded", token, key: null, dueAt: null }, tasks };
    }
    case "AUTO_YIELD_RATE_LIMIT":
      return { input: { type: "yielded", token, key: null, dueAt: response.reset }, tasks: [] };
    case "CANCELED":
      return { input: { type: "yielded", token, key: null, dueAt: null }, tasks: [] };
    case "INVALID_PAYLOAD":
      return { input: { type: "invalidPayload", token, errors: response.errors }, tasks: [] };
    case "UNRESOLVED_AUTH_ERROR":
      return { input: { type: "unresolvedAuth", token, issues: response.issues }, tasks: [] };
  }
}

/** A waiting task resumes at its own time, one the server performs when that is done, anything else (settled meanwhile) at once. */
function resumeAt(row: TaskRow | undefined, now: number): number | null {
  if (row?.status === "WAITING") return row.delayUntil;
  return row?.status === "RUNNING" && operationOf(row) ? null : now;
}

function operationOf({ detailsText }: TaskRow): string | undefined {
  return detailsText === null ? undefined : (JSON.parse(detailsText) as TaskDetails).operation;
}

const RUN_METADATA = "x-trigger-run-metadata";

/** What a published SDK wants to hear of the run's end (wire §4.9). */
export function listensOf(headers: Record<string, string>): { success: boolean; failure: boolean } | null {
  const text = headers[RUN_METADATA];
  if (!text) return null;
  try {
    const { successSubscription, failedSubscription } = JSON.parse(text) as Record<string, unknown>;
    const listens = { success: successSubscription === true, failure: failedSubscription === true };
    return listens.success || listens.failure ? listens : null;
  } catch {
    return null;
  }
}

function write(row: TaskRow, changed: Partial<TaskRow>, failureText: string | null = null): TaskWrite {
  return { task: { ...row, failuresText: null, ...changed }, token: null, failureText };
}
/** What a task shows while it waits: the published SDK says so only here. */
function shownWrites(row: TaskRow | undefined, outputProperties: DisplayProperty[] | null | undefined): TaskWrite[] {
  if (row?.status !== "WAITING" || !outputProperties?.length) return [];
  const details = JSON.parse(row.detailsText ?? "{}") as TaskDetails;
  return [write(row, { detailsText: JSON.stringify({ ...details, outputProperties }) })];
}
function erroredWrite(row: TaskRow, error: ErrorShape, now: number): TaskWrite {
  return write(row, { status: "ERRORED", completedAt: now, errorText: JSON.stringify(error) });
}
function completedWrite(row: TaskRow, outputText: string | null, now: number): TaskWrite {
  return write(row, { status: "COMPLETED", completedAt: now, outputText });
}
function retryWrite(row: TaskRow, error: ErrorShape, dueAt: number, now: number): TaskWrite {
  const failure = JSON.stringify({ attempt: row.attempts, at: new Date(now).toISOString(), error });
  return write(row, { status: "WAITING", delayUntil: dueAt }, failure);
}
