// Room: store. The hot path of a step: reports of all executions of this server that arrive together become one statement and one commit.
// Called by Store.recordTask. Promises: answered means on disk; a repeated report changes nothing.
import { storableTask } from "../storable.ts";
import type { TaskVerdict, TaskWrite } from "../store.ts";
import type { BatchKind } from "./batcher.ts";
import { BATCH, byId, NO_WEEK, taskKey, weekOfRun } from "./groups.ts";
import type { Link } from "./link.ts";
import { type DbRow, TASK_COLUMNS, taskColumns } from "./rows.ts";
import { statementOfWeek } from "./statements.ts";

interface Answer {
  run_id: string;
  key: string;
  written: boolean;
}

/** Bytes a report takes besides its texts. */
const FIXED_BYTES = 400;

/**
 * The batch kind of reports.
 *
 * @param name record-task (fenced by token) or record-unfenced-task (v2)
 * @param links one a lane
 */
export function taskReports(name: "record-task" | "record-unfenced-task", links: Link[]): BatchKind<TaskWrite, TaskVerdict> {
  return {
    kind: name,
    ...BATCH,
    patienceMs: 60_000,
    lanes: links.length,
    groupOf: ({ task }) => weekOfRun(task.runId),
    keyOf: ({ task }) => taskKey(task.runId, task.key),
    bytesOf: ({ task }) =>
      FIXED_BYTES +
      task.name.length +
      (task.outputText?.length ?? 0) +
      (task.detailsText?.length ?? 0) +
      (task.errorText?.length ?? 0),
    flush: (writes, week, lane) => record(name, links[lane] as Link, writes, week),
    missing: async () => ({ result: "stale" }),
    confirm: async (_, verdict) => verdict,
  };
}

async function record(name: string, link: Link, writes: TaskWrite[], week: number): Promise<TaskVerdict[]> {
  if (week === NO_WEEK) return writes.map(() => "stale");
  const [only] = writes;
  if (name === "record-task" && only && writes.length === 1 && (await recordLone(link, only, week))) return ["recorded"];
  const rows = writes.map((write): DbRow => ({ ...taskColumns(storableTask(write)), token: write.token }));
  if (rows.length > 1) rows.sort(byId((row) => row.run_id as string));
  const answers = await link.query<Answer>(statementOfWeek(name, week), [JSON.stringify(rows)]);
  const held = new Set<string>();
  const written = new Set<string>();
  for (const { run_id, key, written: changed } of answers) (changed ? written : held).add(taskKey(run_id, key));
  return writes.map(({ task }): TaskVerdict => {
    const at = taskKey(task.runId, task.key);
    return written.has(at) ? "recorded" : held.has(at) ? "kept" : "stale";
  });
}

/** Answers true if the report changed something. */
async function recordLone(link: Link, write: TaskWrite, week: number): Promise<boolean> {
  const task = taskColumns(storableTask(write));
  const values = [...TASK_COLUMNS.map((column) => task[column]), write.token];
  return (await link.query(statementOfWeek("record-lone-task", week), values)).length > 0;
}
