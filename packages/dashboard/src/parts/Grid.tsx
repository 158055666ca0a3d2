// Room parts: a virtual list of rows that open something. Called by the runs and deliveries screens and the job page.
// Promises: a few dozen DOM rows whatever the length; j/k/arrows move, Enter opens; the next page loads as the end comes near.
// biome-ignore-all lint/a11y/useSemanticElements: rows are virtual and absolutely placed, which table elements cannot be.
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useNarrow } from "../browser/device.ts";
import { useKeys } from "../chrome/keys.ts";
import { Button } from "./controls.tsx";

export interface Column<T> {
  title: string;
  /** A track of grid-template-columns. */
  width: string;
  /** Its track on phones; left out there when absent. */
  narrow?: string;
  cell(row: T): ReactNode;
}

interface GridProps<T extends { id: string }> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  /** Where a row leads. */
  href(row: T): string;
  more: { has: boolean; busy: boolean; load(): void };
}

const ROW_HEIGHT = 46;
const NEAR_END = 12;

/** Rows fetch themselves as the last ones come into view. */
function useNearEnd(last: number | undefined, length: number, more: { has: boolean; busy: boolean; load(): void }): void {
  useEffect(() => {
    if (more.has && !more.busy && last !== undefined && last >= length - NEAR_END) more.load();
  }, [last, length, more]);
}

export function Grid<T extends { id: string }>({ label, rows, columns, href, more }: GridProps<T>) {
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const narrow = useNarrow();
  const [at, setAt] = useState(-1);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  useNearEnd(items.at(-1)?.index, rows.length, more);
  const open = (row: T | undefined) => row && void navigate({ to: href(row) });
  const move = (step: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at + step));
    setAt(next);
    virtual.scrollToIndex(next);
  };
  useKeys({ j: () => move(1), k: () => move(-1), arrowdown: () => move(1), arrowup: () => move(-1) });
  useKeys(at >= 0 ? { enter: (event) => isOnControl(event) || open(rows[at]) } : {});
  const shown = columns.filter((column) => !narrow || column.narrow);
  const template = shown.map((column) => (narrow ? column.narrow : column.width)).join(" ");
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-auto border-t border-line">
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={more.has ? -1 : rows.length + 1}
        aria-activedescendant={rows[at] ? `${id}-${at}` : undefined}
        tabIndex={0}
        className="outline-offset-[-2px]"
      >
        <Head columns={shown} template={template} />
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => (
            <Row
              key={rows[item.index]?.id ?? item.key}
              id={`${id}-${item.index}`}
              item={item}
              columns={shown}
              template={template}
              row={rows[item.index]}
              selected={item.index === at}
              onOpen={open}
            />
          ))}
        </div>
      </div>
      {more.has && <MoreButton more={more} />}
    </div>
  );
}

const MoreButton = ({ more }: { more: { busy: boolean; load(): void } }) => (
  <p className="flex justify-center p-3">
    <Button onClick={more.load} disabled={more.busy}>
      {more.busy ? "Loading more…" : "Load more"}
    </Button>
  </p>
);

/** Enter on a focused link or button is theirs. */
const isOnControl = (event: KeyboardEvent): boolean => {
  const control = event.target instanceof Element ? event.target.closest<HTMLElement>("a, button") : null;
  control?.click();
  return control !== null;
};

function Head<T>({ columns, template }: { columns: readonly Column<T>[]; template: string }) {
  return (
    <div role="rowgroup" className="sticky top-0 z-10 bg-bg">
      <div
        role="row"
        tabIndex={-1}
        className="grid h-7 items-center gap-3 border-b border-line px-4"
        style={{ gridTemplateColumns: template }}
      >
        {columns.map((column) => (
          <div role="columnheader" tabIndex={-1} key={column.title} className="caps truncate">
            {column.title}
          </div>
        ))}
      </div>
    </div>
  );
}

interface RowProps<T> {
  id: string;
  item: VirtualItem;
  columns: readonly Column<T>[];
  template: string;
  row: T | undefined;
  selected: boolean;
  onOpen(row: T): void;
}

function Row<T>({ id, item, columns, template, row, selected, onOpen }: RowProps<T>) {
  if (row === undefined) return null;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys; the click is the mouse's larger target for the row's own link.
    <div
      id={id}
      role="row"
      tabIndex={-1}
      aria-rowindex={item.index + 2}
      aria-selected={selected}
      onClick={(event) => {
        const onLink = event.target instanceof Element && event.target.closest("a, button") !== null;
        if (!onLink && window.getSelection()?.isCollapsed !== false) onOpen(row);
      }}
      className={`absolute inset-x-0 grid cursor-pointer items-center gap-3 border-b border-line px-4 ${selected ? "bg-selected" : "hover:bg-hover"}`}
      style={{ height: item.size, transform: `translateY(${item.start}px)`, gridTemplateColumns: template }}
    >
      {columns.map((column) => (
        <div role="gridcell" tabIndex={-1} key={column.title} className="min-w-0 truncate">
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}
