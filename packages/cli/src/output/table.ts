// Room: output. Plain text a person reads: columns, durations, values. Called by the commands.

/** Rows as aligned columns, a heading above them; the last column is not padded. */
export function table(headings: string[], rows: string[][]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Milliseconds as a person says them: "312 ms", "4.2 s", "3 min", "5 h". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** From one ISO time to another, or a dash while either is missing. */
export function between(start: string | null, end: string | null): string {
  return start && end ? duration(Date.parse(end) - Date.parse(start)) : "–";
}

/** A value on one line, cut to `width` characters. */
export function oneLine(value: unknown, width = 100): string {
  const text = value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  const flat = text.replace(/\s+/g, " ");
  return flat.length > width ? `${flat.slice(0, width - 1)}…` : flat;
}
