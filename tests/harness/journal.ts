// Tests: an append-only file of JSON lines, each flushed to the disk before the writer goes on, and read back without trusting a torn last line.
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";

export interface Journal<T> {
  write(entry: T): void;
  close(): void;
}

export function openJournal<T>(path: string): Journal<T> {
  const file = openSync(path, "a");
  // Ends a line that an earlier writer was killed in.
  writeSync(file, "\n");
  return {
    write(entry) {
      writeSync(file, `${JSON.stringify(entry)}\n`);
      fdatasyncSync(file);
    },
    close: () => closeSync(file),
  };
}

/** Entries in the order they were written. A line that a kill cut short is left out: its writer never went on. */
export function readJournal<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line): T[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
