// Room runs: maps moments of a run to a 0–1 axis on which long idle times are folded, so a day's wait does not hide the work.
// Pure; called by TaskTree and tested.
import type { TaskView } from "@holdfast/protocol";
import { isWait } from "./tree.ts";

export interface Fold {
  /** Where on the axis, 0–1. */
  from: number;
  to: number;
  /** Milliseconds it stands for. */
  ms: number;
}
export interface TimeScale {
  at(moment: number): number;
  folds: Fold[];
}

type Interval = [start: number, end: number];

const FOLD_SHARE = 0.3;
const FOLD_LEAST_MS = 1_000;
const FOLDED_WIDTH = 0.09;

/** The times something ran: tasks without children that are not pauses, joined where they overlap. */
export function busyTimes(tasks: readonly TaskView[], now: number): Interval[] {
  const parents = new Set(tasks.map((task) => task.parentId));
  const times: Interval[] = [];
  for (const task of tasks) {
    if (task.startedAt === null || parents.has(task.id) || isWait(task)) continue;
    const start = Date.parse(task.startedAt);
    const waiting = task.status === "WAITING";
    times.push([start, task.completedAt ? Date.parse(task.completedAt) : waiting ? start : now]);
  }
  return joined(times.sort((a, b) => a[0] - b[0]));
}

function joined(times: readonly Interval[]): Interval[] {
  const out: Interval[] = [];
  for (const [start, end] of times) {
    const last = out.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else out.push([start, end]);
  }
  return out;
}

interface Segment {
  start: number;
  end: number;
  folded: boolean;
}

function segments(busy: readonly Interval[], from: number, to: number): Segment[] {
  const total = Math.max(1, to - from);
  const out: Segment[] = [];
  let end = from;
  const idle = (until: number) => {
    const gap = until - end;
    if (gap > 0) out.push({ start: end, end: until, folded: gap > FOLD_LEAST_MS && gap > total * FOLD_SHARE });
  };
  for (const [start, stop] of busy) {
    idle(Math.min(Math.max(start, end), to));
    const from = Math.max(start, end);
    if (stop > from) out.push({ start: from, end: stop, folded: false });
    end = Math.max(end, stop);
  }
  idle(to);
  return out;
}

/**
 * @example timeScale([[0, 100], [60_100, 60_200]], 0, 60_200).folds.length // 1
 */
export function timeScale(busy: readonly Interval[], from: number, to: number): TimeScale {
  const parts = segments(busy, from, to);
  const folds = parts.filter((part) => part.folded).length;
  const open = parts.reduce((sum, part) => sum + (part.folded ? 0 : part.end - part.start), 0);
  const openShare = open === 0 ? 0 : 1 - folds * FOLDED_WIDTH;
  const foldShare = folds === 0 ? 0 : (1 - openShare) / folds;
  let left = 0;
  const placed = parts.map((part) => {
    const width = part.folded ? foldShare : ((part.end - part.start) / open) * openShare;
    const here = { ...part, left, width };
    left += width;
    return here;
  });
  return {
    folds: placed
      .filter((part) => part.folded)
      .map((part) => ({ from: part.left, to: part.left + part.width, ms: part.end - part.start })),
    at(moment) {
      const part = placed[firstEndingAfter(placed, moment)];
      if (!part) return placed.length === 0 ? 0 : 1;
      return part.left + (part.width * Math.max(0, moment - part.start)) / (part.end - part.start);
    },
  };
}

/** Room a fold's label takes on the axis. */
const LABEL_WIDTH = 0.24;

/** The folds whose labels have room: of those that stand too close to each other, the longest. */
export function labelledFolds(folds: readonly Fold[]): Fold[] {
  const middle = (fold: Fold) => Math.min(1 - LABEL_WIDTH / 2, Math.max(LABEL_WIDTH / 2, (fold.from + fold.to) / 2));
  const chosen: Fold[] = [];
  for (const fold of [...folds].sort((a, b) => b.ms - a.ms)) {
    if (chosen.every((other) => Math.abs(middle(other) - middle(fold)) >= LABEL_WIDTH)) chosen.push(fold);
  }
  return chosen;
}

/** Binary search: the axis is asked for every bar on screen, and a run of 10,000 tasks has as many segments. */
function firstEndingAfter(parts: readonly { end: number }[], moment: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((parts[middle]?.end ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
