// Room: execute. Gathers what an app needs for one execution: the event, and the tasks recorded so far. A first execution has none, so none are read.
import { CALLBACK_DETAILS, isFinalTask } from "@holdfast/engine";
import type { ConnectionAuth, ExecutionStart, RecordedTask, TaskDetails } from "@holdfast/protocol";
import { TICK } from "../dispatch/schedule.ts";
import type { World } from "../platform/world.ts";
import type { AppRow, EnvironmentRow, EventRow, RunRow, Store, TaskRow } from "../store/store.ts";
import { ORGANIZATION, PROJECT } from "../views/tenant.ts";

/** What is read at a time: bounds the memory of a long run's start, and of many runs' starts at once. */
const PAGE = { limit: 2000, outputBytes: 4 * 1024 * 1024 };

/** What a claimed run's execution begins with. */
export interface Prepared {
  run: RunRow;
  token: string;
  app: AppRow;
  environment: EnvironmentRow;
  event: EventRow;
  /** Credentials of the job's integrations that the server keeps. */
  connections: Record<string, ConnectionAuth>;
}

export async function* recordedPages(store: Store, run: RunRow): AsyncGenerator<TaskRow[]> {
  if (run.executions <= 1) return;
  let after: TaskRow | undefined;
  do {
    const page = await store.tasks(run.id, { after, ...PAGE });
    if (page.length > 0) yield page;
    after = isLast(page) ? undefined : page.at(-1);
  } while (after);
}

/** Counted in characters, of which one has three bytes at most: where it cannot be told there is another look, at an empty page. */
function isLast(page: TaskRow[]): boolean {
  const characters = page.reduce((sum, { outputText }) => sum + (outputText?.length ?? 0), 0);
  return page.length === 0 || (page.length < PAGE.limit && 3 * characters < PAGE.outputBytes);
}

/** The same as our SDK reads them. */
export async function* recordedTasks(
  { store, world }: { store: Store; world: World },
  run: RunRow,
): AsyncGenerator<RecordedTask[]> {
  for await (const rows of recordedPages(store, run)) yield rows.map((row) => recordedTask(row, world.now()));
}

/** @param now for the remaining time of waiting tasks */
export function recordedTask(row: TaskRow, now: number): RecordedTask {
  const task: RecordedTask = {
    id: row.id,
    key: row.key,
    status: row.status === "PENDING" ? "RUNNING" : row.status,
    attempts: usedUp(row),
  };
  if (row.completedAt !== null) task.endedAt = row.completedAt;
  if (row.outputText !== null) task.output = row.outputText;
  if (row.errorText !== null) task.error = JSON.parse(row.errorText) as { message: string };
  if (row.status === "WAITING" && row.delayUntil !== null) task.wakeMs = Math.max(0, row.delayUntil - now);
  if (row.detailsText?.startsWith(CALLBACK_DETAILS) && !isFinalTask(row.status)) {
    const { callbackUrl, handedOut } = JSON.parse(row.detailsText) as TaskDetails;
    if (callbackUrl) task.callbackUrl = callbackUrl;
    if (handedOut) task.handedOut = true;
  }
  return task;
}

/** Failed attempts so far: the failures noted for retries. */
function usedUp(row: TaskRow): number {
  return row.failuresText === null ? 0 : (JSON.parse(row.failuresText) as unknown[]).length;
}

/** `ctx.source` of v2: which schedule a run comes from. */
export function sourceShown(event: EventRow): { source?: { id: string; metadata?: unknown } } {
  if (event.sourceText !== undefined) return { source: JSON.parse(event.sourceText) as { id: string } };
  return event.name === TICK ? { source: { id: event.source } } : {};
}

export interface StartOf extends Omit<Prepared, "app"> {
  tasks: RecordedTask[];
}

/** Nothing where there is none: an older SDK need not know of it. */
export function connectionsGiven({ connections }: Pick<Prepared, "connections">): Pick<ExecutionStart, "connections"> {
  return Object.keys(connections).length > 0 ? { connections } : {};
}

export function executionStart(world: World, start: StartOf): ExecutionStart {
  const { run, token, event, environment, tasks } = start;
  return {
    token,
    run: { id: run.id, isTest: run.isTest, isRetry: false, startedAt: new Date(world.now()).toISOString() },
    job: { id: run.jobId, version: run.jobVersion },
    event: {
      id: event.id,
      name: event.name,
      payload: event.payloadText,
      ...(event.contextText === null ? {} : { context: event.contextText }),
      timestamp: new Date(event.timestamp).toISOString(),
      payloadType: event.payloadType,
    },
    environment: { id: environment.id, slug: environment.slug, type: environment.type },
    organization: ORGANIZATION,
    project: PROJECT,
    ...(event.accountId ? { account: { id: event.accountId } } : {}),
    ...sourceShown(event),
    ...connectionsGiven(start),
    tasks,
    yields: [...run.yields],
  };
}
