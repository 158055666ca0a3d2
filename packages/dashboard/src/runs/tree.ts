// Room runs: what the task tree shows, computed from the tasks. Pure; called by TaskTree and RunPage and tested.
import type { TaskView } from "@holdfast/protocol";
import { duration } from "../parts/format.ts";
import { type Look, TASK_LOOK, type Tone } from "../parts/status.tsx";

export interface TreeRow {
  task: TaskView;
  /** 1 for a task of the run itself. */
  depth: number;
  children: number;
  open: boolean;
}

/** Rows in the order they show. A task whose parent is not known (yet) stands at the top level. */
export function treeRows(tasks: readonly TaskView[], folded: ReadonlySet<string>): TreeRow[] {
  const known = new Set(tasks.map((task) => task.id));
  const children = new Map<string, TaskView[]>();
  for (const task of tasks) {
    const parent = task.parentId !== null && known.has(task.parentId) ? task.parentId : "";
    const siblings = children.get(parent);
    if (siblings) siblings.push(task);
    else children.set(parent, [task]);
  }
  const rows: TreeRow[] = [];
  const stack = [...(children.get("") ?? [])].reverse().map((task) => ({ task, depth: 1 }));
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { task, depth } = next;
    const below = children.get(task.id) ?? [];
    const open = below.length > 0 && !folded.has(task.id);
    rows.push({ task, depth, children: below.length, open });
    if (open) for (const child of [...below].reverse()) stack.push({ task: child, depth: depth + 1 });
  }
  return rows;
}

export const LOG_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "LOG"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level of a log line (a task `io.logger` made), or null for any other task. */
export function logLevel(task: TaskView): LogLevel | null {
  if (!task.noop || (task.icon !== "log" && task.name !== "log")) return null;
  const said = task.properties.find((property) => property.label === "Level")?.text ?? task.style?.variant ?? "LOG";
  return LOG_LEVELS.find((level) => level === said.toUpperCase()) ?? "LOG";
}

export const LEVEL_TONE: Record<LogLevel, Tone> = {
  TRACE: "mute",
  DEBUG: "mute",
  LOG: "mute",
  INFO: "run",
  WARN: "wait",
  ERROR: "bad",
};

/** A task's status in words, with the two things its status alone does not say: that it is a pause, and that it will try again. */
export function taskLook(task: TaskView): Look {
  if (task.status === "WAITING" && task.failures.length > 0) return { word: "Retrying", icon: "again", tone: "wait" };
  return TASK_LOOK[task.status];
}

export const isWait = (task: TaskView): boolean => task.delayUntil !== null && task.noop;

/** How long a task took or has taken; null before it starts. */
export function taskMs(task: TaskView, now: number): number | null {
  if (task.startedAt === null) return null;
  return Math.max(0, (task.completedAt ? Date.parse(task.completedAt) : now) - Date.parse(task.startedAt));
}

/** A run's time as a sentence's worth of numbers: in all, inside executions, and the rest. */
export function split(run: { startedAt: string | null; completedAt: string | null; executionMs: number }, now: number): string {
  if (run.startedAt === null) return "not started";
  const total = Math.max(0, (run.completedAt ? Date.parse(run.completedAt) : now) - Date.parse(run.startedAt));
  const ran = Math.min(run.executionMs, total);
  return `${duration(total)} (ran ${duration(ran)}, waited ${duration(total - ran)})`;
}
