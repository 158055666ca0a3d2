// Room: store. Changes of runs: state, work row, travelling reports and what becomes of the other tasks, many runs a statement.
// Called by Store.changeRun through the batcher, and by claim.ts, which writes its changes inside its own transaction.
import { sameState, travellingTasks } from "../storable.ts";
import type { RunChange, RunRow } from "../store.ts";
import type { BatchKind } from "./batcher.ts";
import { BATCH, byId, NO_WEEK, weekOfRun } from "./groups.ts";
import type { Link } from "./link.ts";
import { type DbRow, runStateColumns, taskColumns } from "./rows.ts";
import { type Prepared, statementOfWeek } from "./statements.ts";

export function runChanges(link: Link, read: (id: string) => Promise<RunRow | null>): BatchKind<RunChange, boolean> {
  return {
    kind: "change-run",
    ...BATCH,
    patienceMs: 60_000,
    lanes: 1,
    groupOf: ({ before }) => weekOfRun(before.id),
    keyOf: ({ before }) => before.id,
    bytesOf: bytesOfChange,
    flush: async (changes, week) => {
      if (week === NO_WEEK) return changes.map(() => false);
      const { prepared, values } = changeStatement(changes, week, false);
      const changed = new Set((await link.query<{ id: string }>(prepared, values)).map(({ id }) => id));
      return changes.map(({ before }) => changed.has(before.id));
    },
    missing: async () => ({ result: false }),
    confirm: async (change, done) => done || isThere(change, await read(change.before.id)),
  };
}

/** After an attempt of unknown outcome: is the run exactly what this change made of it? */
function isThere({ before, after, at }: RunChange, now: RunRow | null): boolean {
  return now !== null && now.revision === before.revision + 1 && now.updatedAt === at && sameState(now.state, after.state);
}

function bytesOfChange({ after, tasks }: RunChange): number {
  const outcome = after.state.kind === "finished" && after.state.outcome.status === "SUCCESS" ? after.state.outcome.output : null;
  return tasks.reduce((sum, { task }) => sum + 400 + (task.outputText?.length ?? 0), 600 + (outcome?.length ?? 0));
}

/**
 * The statement that applies these changes.
 *
 * @param changes all of one week
 * @param claimed true inside a claim: the lease counts as one more attempt
 */
export function changeStatement(changes: RunChange[], week: number, claimed: boolean): { prepared: Prepared; values: string[] } {
  const sorted = [...changes].sort(byId(({ before }) => before.id));
  const rows = sorted.map((change) => changeColumns(change, claimed));
  const tasks = sorted.flatMap((change) => travellingTasks(change).map(taskColumns));
  return { prepared: statementOfWeek("change-run", week), values: [JSON.stringify(rows), JSON.stringify(tasks)] };
}

function changeColumns({ before, after, at, work, ...change }: RunChange, claimed: boolean): DbRow {
  const lease = work && "token" in work ? { work_token: work.token, owner: work.owner, work_due_at: work.until } : null;
  const row = {
    id: before.id,
    revision: before.revision,
    at,
    queue: before.appId,
    claimed: claimed && lease !== null,
    settle_at: change.settleTasksAt,
    cancel_at: change.cancelTasksAt,
    reopen: change.reopenTasks,
  };
  const due = lease ?? { work_due_at: work && "dueAt" in work ? Math.ceil(work.dueAt) : null };
  return Object.assign(row, runStateColumns(after), due);
}
