// Room: store. v2's create-or-return, batched like reports. Called by Store.openTask.
import { storableRow, storableTask } from "../storable.ts";
import type { OpenedTask, TaskRow } from "../store.ts";
import { AGAIN, type BatchKind } from "./batcher.ts";
import { BATCH, byId, NO_WEEK, taskKey, weekOfRun } from "./groups.ts";
import type { Link } from "./link.ts";
import { type DbRow, taskColumns, taskOf } from "./rows.ts";
import { statementOfWeek } from "./statements.ts";

export interface OpenRequest {
  environmentId: string;
  task: TaskRow;
}

export function taskOpenings(link: Link): BatchKind<OpenRequest, OpenedTask | null> {
  return {
    kind: "open-task",
    ...BATCH,
    patienceMs: 60_000,
    lanes: 1,
    groupOf: ({ task }) => weekOfRun(task.runId),
    keyOf: ({ task }) => taskKey(task.runId, task.key),
    bytesOf: ({ task }) => 400 + (task.detailsText?.length ?? 0),
    flush: (requests, week) => open(link, requests, week),
    missing: async () => ({ result: null }),
    confirm: async (_, opened) => opened,
  };
}

async function open(link: Link, requests: OpenRequest[], week: number): Promise<(OpenedTask | null | typeof AGAIN)[]> {
  if (week === NO_WEEK) return requests.map(() => null);
  const rows = requests.map(({ environmentId, task }): DbRow => {
    const storable = { ...storableTask({ task, failureText: null }), failuresText: task.failuresText };
    return { ...taskColumns(storableRow(storable)), environment_id: environmentId };
  });
  rows.sort(byId((row) => row.run_id as string));
  const answers = await link.query<DbRow>(statementOfWeek("open-task", week), [JSON.stringify(rows)]);
  const byTask = new Map(answers.map((row) => [taskKey(row.asked_run_id as string, row.asked_key as string), row]));
  return requests.map(({ task }) => {
    const row = byTask.get(taskKey(task.runId, task.key));
    if (!row) return null;
    return row.run_id === null ? AGAIN : { task: taskOf(row), created: row.created as boolean };
  });
}
