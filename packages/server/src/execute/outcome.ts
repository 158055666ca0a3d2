// Room: execute. What an app says at the end of an execution, as an input of the run machine. Two dialects: our SDK's outcomes and v2's responses.
import { isFinalTask, type RunInput } from "@holdfast/engine";
import type { ExecutionOutcome } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import type { Telling } from "../runs/change.ts";
import type { Store, TaskWrite } from "../store/store.ts";

/** What the run is told, and the ids of the tasks it then waits for that something outside completes. */
export interface Ended {
  input: RunInput;
  outside: string[];
}

/**
 * @param now epoch milliseconds the frame arrived at: waits count from it, so none ends early
 * @param waits when the tasks this execution reported as waiting are due, by key: woken before that, a run would only go back to sleep
 */
export function inputOf(token: string, outcome: ExecutionOutcome, now: number, waits: ReadonlyMap<string, number>): Ended {
  const outside = outcome.status === "SUSPENDED" ? (outcome.outside ?? []) : [];
  return { input: told(token, outcome, now, waits), outside };
}

function told(token: string, outcome: ExecutionOutcome, now: number, waits: ReadonlyMap<string, number>): RunInput {
  switch (outcome.status) {
    case "SUCCESS":
      return { type: "succeeded", token, output: outcome.output ?? null };
    case "ERROR":
      return { type: "failed", token, error: outcome.error };
    case "SUSPENDED":
      return { type: "suspended", token, dueAt: wakeAt(outcome, now, waits) };
    case "YIELDED":
      return { type: "yielded", token, key: outcome.key ?? null, dueAt: null };
    case "INVALID_PAYLOAD":
      return { type: "invalidPayload", token, errors: outcome.errors };
    case "UNRESOLVED_AUTH":
      return { type: "unresolvedAuth", token, issues: outcome.issues };
  }
}

/** How `runs` reads an end: of a run that waits for something outside it is looked up whether that has happened meanwhile. */
export function reading(
  { store, world }: { store: Store; world: World },
  runId: string,
  { input, outside }: Ended,
  tasks: TaskWrite[],
): () => Promise<Telling> {
  return async () => {
    if (input.type !== "suspended" || outside.length === 0) return { input, tasks };
    const rows = await store.tasks(runId, { ids: outside });
    const goesOn = rows.some(({ status }) => isFinalTask(status));
    return { input: goesOn ? { ...input, dueAt: world.now() } : input, tasks };
  };
}

type Suspended = Extract<ExecutionOutcome, { status: "SUSPENDED" }>;

function wakeAt({ wakeMs, wakeKey }: Suspended, now: number, waits: ReadonlyMap<string, number>): number | null {
  if (wakeMs === undefined) return null;
  const recorded = wakeKey === undefined ? 0 : (waits.get(wakeKey) ?? 0);
  return Math.ceil(Math.max(now + wakeMs, recorded));
}
