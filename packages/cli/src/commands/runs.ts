// Room: commands. `holdfast runs list` and `holdfast runs get`. Promise: the JSON shapes of DESIGN §13.
import { type Page, RUN_STATUSES, type RunDetail, type RunStatus, type RunSummary, type TaskView } from "@holdfast/protocol";
import type { Api } from "../api/api.ts";
import type { ServerFlags } from "../api/find-server.ts";
import { CommandError } from "../output/exit-codes.ts";
import { between, oneLine, table } from "../output/table.ts";
import { toCount } from "../settings/settings.ts";
import { apiOf, type Context } from "./context.ts";

export interface RunFilterFlags extends ServerFlags {
  job?: string;
  status?: string[];
}

/** One run as `runs list --json` and `runs tail --json` print it. */
export function runRow({ id, job, status, createdAt, startedAt, completedAt }: RunSummary) {
  return { id, job, status, createdAt, startedAt, completedAt };
}

export async function listRuns(context: Context, flags: RunFilterFlags & { limit: string }): Promise<void> {
  const query = { job: flags.job, status: toStatuses(flags.status) };
  const limit = toCount(flags.limit, "--limit");
  const api = apiOf(context, flags);
  const runs = await api.list<RunSummary>(api.inEnvironment("runs"), query, limit);
  if (runs.length === 0) context.output.note("No runs match.");
  const rows = runs.map((run) => [
    run.id,
    run.job,
    run.status,
    run.createdAt,
    between(run.startedAt, run.completedAt),
    oneLine(run.error),
  ]);
  const text = rows.length ? table(["RUN", "JOB", "STATUS", "CREATED", "TOOK", "ERROR"], rows) : "";
  context.output.result(runs.map(runRow), text);
}

/** Status names in any case; an unknown one is refused. */
export function toStatuses(given: string[] | undefined): RunStatus[] | undefined {
  return given?.map((name) => {
    const status = RUN_STATUSES.find((each) => each === name.toUpperCase());
    if (status) return status;
    throw new CommandError("USAGE", `"${name}" is no status of a run.`, `Statuses: ${RUN_STATUSES.join(", ")}.`);
  });
}

export async function getRun(context: Context, id: string, flags: ServerFlags): Promise<void> {
  const api = apiOf(context, flags);
  const run = await api.get<RunDetail>(api.inEnvironment("runs", id));
  const tasks = await allTasks(api, run);
  const result = {
    ...runRow(run),
    output: run.output ?? null,
    error: run.errorDetail ?? (run.error ? { message: run.error } : null),
    tasks: tasks.map(taskRow),
  };
  context.output.result(result, runText(run, tasks));
}

async function allTasks(api: Api, run: RunDetail): Promise<TaskView[]> {
  const tasks = [...run.tasks.items];
  let cursor = run.tasks.nextCursor;
  while (cursor) {
    const page: Page<TaskView> = await api.get(api.inEnvironment("runs", run.id, "tasks"), { cursor });
    tasks.push(...page.items);
    cursor = page.nextCursor;
  }
  return tasks;
}

function taskRow({ id, parentId, name, key, status, attempts, startedAt, completedAt, output, error }: TaskView) {
  return { id, parentId, name, key, status, attempts, startedAt, completedAt, output: output ?? null, error };
}

function runText(run: RunDetail, tasks: TaskView[]): string {
  const facts = [
    ["run", run.id],
    ["job", `${run.job} ${run.version}`],
    ["status", run.status],
    ["created", run.createdAt],
    ["took", between(run.startedAt, run.completedAt)],
    ["event", `${run.event.name} (${run.event.id})`],
    ["output", oneLine(run.output, 400)],
    ["error", run.errorDetail?.message ?? run.error ?? "–"],
  ].map(([name, value]) => `${name?.padEnd(8)} ${value}`);
  return [...facts, "", tasksText(tasks)].join("\n");
}

/** Tasks in order of start, children below their parent. */
export function tasksText(tasks: TaskView[]): string {
  const depth = new Map<string, number>();
  const rows = tasks.map((task) => {
    const level = task.parentId === null ? 0 : (depth.get(task.parentId) ?? 0) + 1;
    depth.set(task.id, level);
    const outcome = task.error ? task.error.message : task.output;
    const times = between(task.startedAt, task.completedAt);
    return ["  ".repeat(level) + task.name, task.status, String(task.attempts), times, oneLine(outcome ?? task.params, 80)];
  });
  return rows.length ? table(["TASK", "STATUS", "ATTEMPTS", "TOOK", "OUTPUT"], rows) : "No tasks.";
}
