// Room: execute. The branches of a parallel task as a published v2 SDK answers them. A parallel task inside another that suspends is none of its answers: it reports that branch as an
// error whose message is what it would have thrown, as JSON (on v2 the run then failed). Here it is read back, so that the run goes on. Pure; called by v2-outcome.ts.
import { type ExecuteJobResponse, executeJobResponseSchema } from "@holdfast/protocol";

/** An answer that can be one of several. */
export type Branch = Exclude<ExecuteJobResponse, { status: "SUCCESS" | "RESUME_WITH_PARALLEL_TASK" }>;

/** What the published SDK throws to end an execution, as JSON shows it. */
interface Thrown {
  task?: { status?: unknown };
  childErrors?: unknown;
  retryAt?: unknown;
  cause?: unknown;
  key?: unknown;
  id?: unknown;
  resetAtTimestamp?: unknown;
}

/** Nested deeper than any program: where it ends, the branch stays the error it is told as. */
const MOST_DEEP = 16;

/** The answers of one execution, those of parallel tasks inside parallel tasks among them. */
export function branchesOf(response: Exclude<ExecuteJobResponse, { status: "SUCCESS" }>): Branch[] {
  return response.status === "RESUME_WITH_PARALLEL_TASK" ? response.childErrors.flatMap(unfolded) : [response];
}

function unfolded(branch: Branch): Branch[] {
  if (branch.status !== "ERROR" || branch.error.name !== "Unknown error") return [branch];
  return inside(parsed(branch.error.message), 0) ?? [branch];
}

/** The branches a parallel task ended with; null when it is none, or one of them cannot be read. */
function inside(thrown: unknown, depth: number): Branch[] | null {
  const { childErrors } = isThrown(thrown) ? thrown : {};
  if (!Array.isArray(childErrors) || childErrors.length === 0 || depth >= MOST_DEEP) return null;
  const branches: Branch[] = [];
  for (const child of childErrors) {
    const read = isThrown(child) && child.childErrors !== undefined ? inside(child, depth + 1) : one(child);
    if (!read) return null;
    branches.push(...read);
  }
  return branches;
}

function one(thrown: unknown): Branch[] | null {
  const { data } = executeJobResponseSchema.safeParse(isThrown(thrown) ? answerOf(thrown) : undefined);
  return data && data.status !== "SUCCESS" && data.status !== "RESUME_WITH_PARALLEL_TASK" ? [data] : null;
}

function isThrown(value: unknown): value is Thrown {
  return typeof value === "object" && value !== null;
}

/** As the SDK would have answered it, had it been thrown at the top. */
function answerOf(thrown: Thrown): object {
  const { task, retryAt, cause, key, id, resetAtTimestamp } = thrown;
  if (retryAt !== undefined) return { status: "RETRY_WITH_TASK", task, error: cause, retryAt };
  if (task) return { status: task.status === "CANCELED" ? "CANCELED" : "RESUME_WITH_TASK", task };
  if (key !== undefined) return { status: "YIELD_EXECUTION", key };
  if (id !== undefined) return { ...thrown, status: "AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK" };
  if (resetAtTimestamp !== undefined) return { status: "AUTO_YIELD_RATE_LIMIT", reset: resetAtTimestamp };
  return { ...thrown, status: "AUTO_YIELD_EXECUTION" };
}

function parsed(text: string): unknown {
  try {
    return text.startsWith('{"task":') ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
