// Room runs: the log lines of a run, in order, with their data in full. Called by RunPage.
import type { TaskView } from "@holdfast/protocol";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { Code } from "../parts/Code.tsx";
import { Select } from "../parts/controls.tsx";
import { clockTime, plural } from "../parts/format.ts";
import { Empty } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";
import { LEVEL_TONE, LOG_LEVELS, type LogLevel, logLevel } from "./tree.ts";

const ESTIMATE = 40;
const severity = (level: LogLevel): number => ["TRACE", "DEBUG", "LOG", "INFO", "WARN", "ERROR"].indexOf(level);

interface Line {
  task: TaskView;
  level: LogLevel;
}

export function LogsTab({ tasks }: { tasks: readonly TaskView[] }) {
  const [least, setLeast] = useState<LogLevel>("TRACE");
  const all = useMemo(
    () =>
      tasks.flatMap((task): Line[] => {
        const level = logLevel(task);
        return level === null ? [] : [{ task, level }];
      }),
    [tasks],
  );
  const lines = useMemo(() => all.filter((line) => severity(line.level) >= severity(least)), [all, least]);
  if (all.length === 0)
    return (
      <Empty
        title="No log lines"
        why="A job writes them with io.logger; they are kept with the run, in order."
        command={'await io.logger.info("Body", body);'}
      />
    );
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex items-center gap-3 pb-2">
        <Select label="Least level" value={least} onChange={(event) => setLeast(event.target.value as LogLevel)}>
          {LOG_LEVELS.filter((level) => level !== "LOG").map((level) => (
            <option key={level} value={level}>
              {level === "TRACE" ? "All levels" : `${level} and above`}
            </option>
          ))}
        </Select>
        <span className="text-xs text-soft">{plural(lines.length, "line")}</span>
      </div>
      <Lines lines={lines} />
    </div>
  );
}

function Lines({ lines }: { lines: readonly Line[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ESTIMATE,
    overscan: 10,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a log that scrolls must be reachable by keyboard.
    <section ref={scroller} aria-label="Log lines" tabIndex={0} className="card min-h-60 flex-1 overflow-auto">
      <ol className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <li
              key={line.task.id}
              ref={virtual.measureElement}
              data-index={item.index}
              className="absolute inset-x-0 border-b border-line px-3 py-1.5"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <LogEntry line={line} />
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function LogEntry({ line: { task, level } }: { line: Line }) {
  return (
    <>
      <p className="flex flex-wrap items-baseline gap-x-2.5">
        <span className="mono text-xs text-faint">{task.startedAt ? clockTime(task.startedAt) : ""}</span>
        <Tag tone={LEVEL_TONE[level]}>{level}</Tag>
        <span className="[overflow-wrap:anywhere]">{task.description ?? task.name}</span>
      </p>
      {task.params !== undefined && task.params !== null && (
        <Code text={JSON.stringify(task.params, null, 2)} language="json" label="log data" wrap className="mt-1.5" />
      )}
    </>
  );
}
