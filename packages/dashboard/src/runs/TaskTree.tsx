// Room runs: the tasks of a run as a tree with a timeline beside it. Called by RunPage.
// Promises: only rows in view are in the DOM; j/k select, left/right fold; a log line reads as a log line.
// biome-ignore-all lint/a11y/useSemanticElements: rows are virtual and absolutely placed, which table elements cannot be.
import type { TaskView } from "@holdfast/protocol";
import { useVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { useId, useMemo, useRef, useState } from "react";
import { useNow } from "../browser/clock.ts";
import { useNarrow } from "../browser/device.ts";
import { useKeys } from "../chrome/keys.ts";
import { Button } from "../parts/controls.tsx";
import { clockTime, count, countdown, duration } from "../parts/format.ts";
import { Icon, taskIcon } from "../parts/Icon.tsx";
import { INK, Tag } from "../parts/status.tsx";
import { busyTimes, labelledFolds, type TimeScale, timeScale } from "./timescale.ts";
import { isWait, LEVEL_TONE, logLevel, type TreeRow, taskLook, taskMs, treeRows } from "./tree.ts";

const ROW_HEIGHT = 30;

interface TaskTreeProps {
  tasks: readonly TaskView[];
  span: { from: number; to: number | null };
  selected: string | undefined;
  onSelect(id: string | undefined): void;
}

function useFolding() {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const fold = (id: string, on: boolean) =>
    setFolded((now) => {
      const next = new Set(now);
      if (on) next.add(id);
      else next.delete(id);
      return next;
    });
  return { folded, setFolded, fold };
}

function useScale({ tasks, span }: Pick<TaskTreeProps, "tasks" | "span">): TimeScale {
  const now = useNow();
  const to = span.to ?? now;
  return useMemo(() => timeScale(busyTimes(tasks, to), span.from, to), [tasks, span.from, to]);
}

interface TreeKeys {
  current: TreeRow | undefined;
  move(step: number): void;
  fold(id: string, on: boolean): void;
  leave(): void;
}

function useTreeKeys({ current, move, fold, leave }: TreeKeys): void {
  const parent = current && current.children > 0 ? current.task.id : null;
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    arrowdown: () => move(1),
    arrowup: () => move(-1),
    ...(parent === null ? {} : { arrowleft: () => fold(parent, true), arrowright: () => fold(parent, false) }),
    ...(current ? { escape: leave } : {}),
  });
}

export function TaskTree({ tasks, span, selected, onSelect }: TaskTreeProps) {
  const { folded, setFolded, fold } = useFolding();
  const rows = useMemo(() => treeRows(tasks, folded), [tasks, folded]);
  const scale = useScale({ tasks, span });
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const at = rows.findIndex((row) => row.task.id === selected);
  const id = useId();
  const select = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    onSelect(rows[next]?.task.id);
    virtual.scrollToIndex(next);
  };
  useTreeKeys({ current: rows[at], move: (step) => select(at + step), fold, leave: () => onSelect(undefined) });
  return (
    <div className="card flex min-h-0 flex-1 flex-col overflow-hidden">
      <TreeHead tasks={tasks} rows={rows} scale={scale} span={span} onFold={setFolded} />
      <div
        ref={scroller}
        role="treegrid"
        aria-label="Tasks"
        aria-rowcount={rows.length}
        tabIndex={0}
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        className="min-h-0 flex-1 overflow-auto outline-offset-[-2px]"
      >
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            return (
              <TaskRow
                key={row.task.id}
                id={`${id}-${item.index}`}
                item={item}
                row={row}
                scale={scale}
                selected={row.task.id === selected}
                onSelect={() => onSelect(row.task.id)}
                onFold={() => fold(row.task.id, row.open)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface TreeHeadProps {
  tasks: readonly TaskView[];
  rows: readonly TreeRow[];
  scale: TimeScale;
  span: { from: number; to: number | null };
  onFold(folded: ReadonlySet<string>): void;
}

function TreeHead({ tasks, rows, scale, span, onFold }: TreeHeadProps) {
  const now = useNow();
  const nested = tasks.some((task) => task.parentId !== null);
  const allFolded = nested && rows.every((row) => !row.open);
  const parents = () => new Set(tasks.flatMap((task) => (task.parentId === null ? [] : [task.parentId])));
  return (
    <div className="flex h-7.5 items-center border-b border-line bg-raised">
      <span className="caps flex min-w-0 flex-1 items-center gap-2 px-3">
        {count(tasks.length)} {tasks.length === 1 ? "task" : "tasks"}
        {nested && (
          <Button kind="quiet" className="h-5! text-2xs" onClick={() => onFold(allFolded ? new Set() : parents())}>
            {allFolded ? "Unfold all" : "Fold all"}
          </Button>
        )}
      </span>
      <span className="relative hidden h-full w-2/5 items-center justify-between px-2 text-2xs text-faint sm:flex">
        <span>{(scale.folds[0]?.from ?? 1) < 0.12 ? "" : "0s"}</span>
        {labelledFolds(scale.folds).map((fold) => (
          <span
            key={fold.from}
            className="absolute -translate-x-1/2 whitespace-nowrap"
            style={{ left: `clamp(2.6rem, ${((fold.from + fold.to) / 2) * 100}%, calc(100% - 2.6rem))` }}
            title={`${duration(fold.ms)} without work, folded`}
          >
            ⋯ {duration(fold.ms)} ⋯
          </span>
        ))}
        <span>{(scale.folds.at(-1)?.to ?? 0) > 0.72 ? "" : duration((span.to ?? now) - span.from)}</span>
      </span>
    </div>
  );
}

interface TaskRowProps {
  id: string;
  item: VirtualItem;
  row: TreeRow;
  scale: TimeScale;
  selected: boolean;
  onSelect(): void;
  onFold(): void;
}

function TaskRow({ id, item, row, scale, selected, onSelect, onFold }: TaskRowProps) {
  const narrow = useNarrow();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid handles the keys for its active row.
    <div
      id={id}
      role="row"
      tabIndex={-1}
      aria-level={row.depth}
      aria-rowindex={item.index + 1}
      aria-selected={selected}
      {...(row.children > 0 ? { "aria-expanded": row.open } : {})}
      onClick={onSelect}
      className={`absolute inset-x-0 flex cursor-pointer items-center border-b border-line/60 ${selected ? "bg-selected" : "hover:bg-hover"}`}
      style={{ height: item.size, transform: `translateY(${item.start}px)` }}
    >
      <div
        role="gridcell"
        tabIndex={-1}
        className="flex min-w-0 flex-1 items-center gap-1.5 overflow-hidden pr-2"
        style={{ paddingLeft: 8 + (row.depth - 1) * (narrow ? 10 : 18) }}
      >
        {row.children > 0 ? (
          <button
            type="button"
            tabIndex={-1}
            aria-label={row.open ? "Fold" : "Unfold"}
            className="flex size-5 items-center justify-center rounded text-soft hover:bg-line"
            onClick={(event) => {
              event.stopPropagation();
              onFold();
            }}
          >
            <Icon name={row.open ? "down" : "right"} size={10} />
          </button>
        ) : (
          <span className="size-5 shrink-0" />
        )}
        <Line task={row.task} folded={row.children > 0 && !row.open ? row.children : 0} />
      </div>
      <div role="gridcell" tabIndex={-1} className="w-24 shrink-0 truncate pr-3 text-right text-xs text-soft sm:pr-0">
        <Took task={row.task} />
      </div>
      <div role="gridcell" tabIndex={-1} className="relative ml-3 hidden h-full w-2/5 shrink-0 border-l border-line/60 sm:block">
        <Bar task={row.task} scale={scale} />
      </div>
    </div>
  );
}

function Line({ task, folded }: { task: TaskView; folded: number }) {
  const level = logLevel(task);
  const look = taskLook(task);
  if (level !== null) return <LogLine task={task} />;
  return (
    <>
      <Icon name={look.icon} className={`${INK[look.tone]} ${look.icon === "spinner" ? "spin" : ""}`} />
      <span className="sr-only">{look.word}</span>
      {task.icon && taskIcon(task.icon) !== "step" && <Icon name={taskIcon(task.icon)} size={12} className="text-faint" />}
      <span className={`max-w-3/5 shrink-0 truncate ${task.style?.style === "minimal" ? "text-soft" : "font-medium"}`}>
        {task.name}
      </span>
      {task.attempts > 1 && <Tag tone={task.status === "ERRORED" ? "bad" : "wait"}>{task.attempts} attempts</Tag>}
      {look.word === "Retrying" && <Tag tone="wait">retrying</Tag>}
      {folded > 0 && <Tag>{folded} inside</Tag>}
      {task.error && <span className="min-w-0 truncate text-xs text-bad">{task.error.message}</span>}
      {!task.error && task.key !== null && task.key !== task.name && (
        <span className="mono min-w-0 truncate text-xs text-faint">{task.key}</span>
      )}
    </>
  );
}

const PREVIEW_CHARS = 160;

/** The message and the beginning of its data, on one line. */
export function LogLine({ task }: { task: TaskView }) {
  const level = logLevel(task) ?? "LOG";
  const data = useMemo(
    () => (task.params === undefined || task.params === null ? "" : JSON.stringify(task.params).slice(0, PREVIEW_CHARS)),
    [task.params],
  );
  return (
    <>
      <Tag tone={LEVEL_TONE[level]}>{level}</Tag>
      <span className="max-w-7/10 shrink-0 truncate">{task.description ?? task.name}</span>
      <span className="mono min-w-0 truncate text-xs text-faint">{data}</span>
    </>
  );
}

function Took({ task }: { task: TaskView }) {
  const now = useNow();
  if (logLevel(task) !== null) return <span className="text-faint">{task.startedAt ? clockTime(task.startedAt) : ""}</span>;
  if (task.status === "WAITING" && task.delayUntil)
    return <span className="text-wait">in {countdown(Date.parse(task.delayUntil), now)}</span>;
  const ms = taskMs(task, now);
  return <>{ms === null ? "" : duration(ms)}</>;
}

const LEAST_WIDTH = 0.4;

function Bar({ task, scale }: { task: TaskView; scale: TimeScale }) {
  const now = useNow();
  const ms = taskMs(task, now);
  if (task.startedAt === null || ms === null) return null;
  const start = Date.parse(task.startedAt);
  const left = scale.at(start) * 100;
  const width = Math.max(LEAST_WIDTH, scale.at(start + ms) * 100 - left);
  if (logLevel(task) !== null)
    return (
      <span
        className="absolute top-1/2 size-1.5 -translate-y-1/2 rounded-full bg-faint"
        style={{ left: `min(${left}%, calc(100% - 6px))` }}
      />
    );
  return (
    <>
      <span
        className={`absolute top-1/2 h-2.5 -translate-y-1/2 rounded-sm ${barFill(task)}`}
        style={{ left: `min(${left}%, calc(100% - 3px))`, width: `${Math.min(width, 100 - left)}%`, minWidth: 3 }}
      />
      {task.failures.map((failure) => (
        <span
          key={failure.attempt}
          title={`Attempt ${failure.attempt} failed`}
          className="absolute top-1/2 h-4 w-0.5 -translate-y-1/2 bg-bad"
          style={{ left: `${scale.at(Date.parse(failure.at)) * 100}%` }}
        />
      ))}
    </>
  );
}

function barFill(task: TaskView): string {
  if (isWait(task) || task.status === "WAITING") return "hatch";
  if (task.status === "ERRORED") return "bg-bad";
  if (task.status === "RUNNING") return "bg-run";
  return task.status === "COMPLETED" ? "bg-accent/80" : "bg-faint";
}
