// Room: replay. One line of a run's log as the task v2 makes of it. Used by Execution.log.
import type { TaskReport } from "@holdfast/protocol";
import { taskDetails } from "./details.ts";
import { taskId } from "./key.ts";

interface Line {
  level: string;
  message: string;
  data: unknown;
}

/** @param at the instant on the monotonic clock, and the task it was written in */
export function logReport(
  key: string,
  { level, message, data }: Line,
  { now, parentId }: { now: number; parentId: string | undefined },
): TaskReport {
  const report: TaskReport = {
    key,
    id: taskId(key),
    name: "log",
    status: "COMPLETED",
    attempt: 1,
    startedAgo: now,
    endedAgo: now,
  };
  report.noop = true;
  if (parentId !== undefined) report.parentId = parentId;
  const properties = [{ label: "Level", text: level }];
  const style = { style: "minimal" as const, variant: level.toLowerCase() };
  const details = taskDetails({ icon: "log", description: message, params: data, properties, style }, undefined);
  if (details !== undefined) report.details = details;
  return report;
}
