// Room: store. Changes of runs: state, work row, travelling reports and what becomes of the other tasks, many runs a statement.
// Called by Store.changeRun through the batcher, and by claim.ts, which writes its changes inside its own transaction.
import { sameState, travellingTasks } from "../storable.ts";
import type { RunChange, RunRow } from "../store.ts";
import type { BatchKind } from "./batcher.ts";
import { freeSlots, gatesOf, inviteParked, lockGates, lockWork, watchGates } from "./gates.ts";
import { BATCH, byId, NO_WEEK, weekOfRun } from "./groups.ts";
import type { Link } from "./link.ts";
import { type DbRow, runStateColumns, taskColumns } from "./rows.ts";
import { type Prepared, statementOfWeek } from "./statements.ts";
import { BEGIN, COMMIT, inOrder, type Query, withClient } from "./transaction.ts";

/** Added to the week of changes that have their own statement: above any week. */
const GATED = 1_000_000;
const ENDING = 2 * GATED;

/** `due`: queues in which what awaited the run's end became due; null if it did not end, or nothing did. */
interface Changed {
  id: string;
  due: string[] | null;
}

export function runChanges(
  link: Link,
  read: (id: string) => Promise<RunRow | null>,
): BatchKind<RunChange, false | { due: string[] }> {
  return {
    kind: "change-run",
    ...BATCH,
    patienceMs: 60_000,
    lanes: 1,
    groupOf,
    keyOf: ({ before }) => before.id,
    bytesOf: bytesOfChange,
    flush: async (changes, group) => {
      if (group === NO_WEEK) return changes.map(() => false);
      const rows = await changeAll(link, changes, group);
      const changed = new Map(rows.map(({ id, due }) => [id, { due: due ?? [] }]));
      return changes.map(({ before }) => changed.get(before.id) ?? false);
    },
    missing: async () => ({ result: false }),
    confirm: async (change, done) => done || (isThere(change, await read(change.before.id)) && { due: [] }),
  };
}

/** Runs with gates share a transaction of several statements, and runs that just end a narrow one, so that the others need not. */
function groupOf(change: RunChange): number {
  const week = weekOfRun(change.before.id);
  if (week === NO_WEEK) return week;
  if (change.before.flow) return GATED + week;
  return justEnds(change) ? ENDING + week : week;
}

/** Its tasks were reported before, and nothing is left to do for it. */
function justEnds({ after, work, tasks, settleTasksAt, cancelTasksAt, reopenTasks }: RunChange): boolean {
  const alone = work === null && tasks.length === 0 && settleTasksAt === null && !reopenTasks;
  return alone && after.state.kind === "finished" && cancelTasksAt !== null;
}

function changeAll(link: Link, changes: RunChange[], group: number): Promise<Changed[]> {
  const week = group % GATED;
  const kind = group - week;
  if (kind === GATED) return changeGated(link, changes, week);
  const { prepared, values } = kind === ENDING ? endStatement(changes, week) : changeStatement(changes, week, false);
  return link.query<Changed>(prepared, values);
}

/** As one statement does for runs without gates; then slots are freed and parked work is invited. One round trip before the commit. */
function changeGated(link: Link, changes: RunChange[], week: number): Promise<Changed[]> {
  const gates = gatesOf(changes.map(({ before }) => before));
  const now = Math.max(...changes.map(({ at }) => at));
  const change = changeStatement(changes, week, false);
  const queries: Query[] = [
    BEGIN,
    lockWork(changes),
    lockGates(gates, now),
    change,
    freeSlots(changes, week),
    inviteParked(gates, now),
    ...watchGates(gates, now),
    COMMIT,
  ];
  return withClient(link, async (send) => {
    const answers = await inOrder(queries.map((query) => send<Changed>(query)));
    return answers[queries.indexOf(change)] ?? [];
  });
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
 * The statement that applies these changes. Claims use it as it is: of 47 µs a run that wakes, in hundreds, 44 go to its three rows and their indexes, so one
 * of their own would save nothing.
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

function endStatement(changes: RunChange[], week: number): { prepared: Prepared; values: string[] } {
  const rows = [...changes].sort(byId(({ before }) => before.id)).map(({ before, after, at, cancelTasksAt }) => {
    const row: DbRow = { id: before.id, revision: before.revision, at, cancel_at: cancelTasksAt };
    return Object.assign(row, runStateColumns(after));
  });
  return { prepared: statementOfWeek("end-run", week), values: [JSON.stringify(rows)] };
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
    ...(work && "held" in work ? { held: true } : {}),
  };
  const due = lease ?? { work_due_at: work && "dueAt" in work ? Math.ceil(work.dueAt) : null };
  return Object.assign(row, runStateColumns(after), due);
}
