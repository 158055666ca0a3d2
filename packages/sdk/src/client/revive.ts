// Room: client. Answers of the API as programs get them: with times as dates. Called by api.ts, and by `io` for what it has recorded.
import type { ApiEventLog, ApiRun, ApiRunTask } from "@holdfast/protocol";
import type { EventDetail, RunDetail, RunTaskDetail, SentEvent } from "./api.ts";

function date(text: unknown): Date | null {
  return text === null || text === undefined ? null : new Date(String(text));
}

/** A sent event with its times as dates. */
export function reviveSentEvent(value: unknown): SentEvent {
  const event = value as ApiEventLog;
  const { deliverAt, deliveredAt, cancelledAt, timestamp, ...rest } = event;
  return {
    ...rest,
    timestamp: new Date(timestamp),
    ...(deliverAt ? { deliverAt: date(deliverAt) } : {}),
    ...(deliveredAt ? { deliveredAt: date(deliveredAt) } : {}),
    ...(cancelledAt ? { cancelledAt: date(cancelledAt) } : {}),
  };
}

/** An event and its runs, with times as dates. */
export function reviveEventDetail(value: unknown): EventDetail {
  const event = value as EventDetail;
  const runs = event.runs.map((run) => ({ ...run, startedAt: date(run.startedAt), completedAt: date(run.completedAt) }));
  return { ...event, createdAt: new Date(event.createdAt), updatedAt: new Date(event.updatedAt), runs };
}

function reviveTask({ subtasks, startedAt, completedAt, ...rest }: ApiRunTask): RunTaskDetail {
  const revived = { ...rest, startedAt: date(startedAt), completedAt: date(completedAt) };
  return subtasks ? { ...revived, subtasks: subtasks.map(reviveTask) } : revived;
}

export function reviveSummary<T extends Omit<ApiRun, "tasks" | "statuses">>(run: T) {
  return { ...run, startedAt: date(run.startedAt), updatedAt: date(run.updatedAt), completedAt: date(run.completedAt) };
}

export function reviveRun(run: ApiRun): RunDetail {
  return { ...reviveSummary(run), tasks: run.tasks.map(reviveTask) };
}
