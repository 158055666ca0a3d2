// Bench of peers: CPU time and memory of process trees, from /proc. The parts that read text are pure; where there is no /proc nothing is measured.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Processes } from "./peer.ts";

export interface ProcessStat {
  pid: number;
  parent: number;
  /** Clock ticks of its own and of children it has waited for, so that a sum over a tree counts each tick once. */
  ticks: number;
  rssPages: number;
}
export type Part = keyof Processes;
const PARTS = ["server", "database", "app"] as const;

/** Reads /proc/<pid>/stat, whose second field may hold spaces and parentheses. */
export function parsedStat(text: string): ProcessStat {
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  // Counted from field 3 (state): parent is 4, utime to cstime are 14 to 17, rss is 24.
  const [, parent = 0] = fields;
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { pid: Number.parseInt(text, 10), parent, ticks, rssPages: fields[21] ?? 0 };
}

/** Pids of the trees below the roots, without the trees below `except`. */
export function treeOf(all: readonly ProcessStat[], roots: readonly number[], except: readonly number[]): number[] {
  const left = new Set(except);
  const tree = new Set(roots);
  // A child may stand before its parent in the list.
  for (let before = -1; before !== tree.size; ) {
    before = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent) && !left.has(pid)) tree.add(pid);
  }
  return all.flatMap(({ pid }) => (tree.has(pid) ? [pid] : []));
}

/** Kilobytes in /proc/<pid>/smaps_rollup. */
export function parsedPss(text: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? Number.NaN);
}

export type PerPart = Record<Part, number>;

function readAll(): ProcessStat[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const text = textOf(`/proc/${name}/stat`);
    return text ? [parsedStat(text)] : [];
  });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended meanwhile, or is not ours to read.
    return undefined;
  }
}

function perPart(processes: Processes, of: (pids: ReadonlySet<number>, all: readonly ProcessStat[]) => number): PerPart {
  const all = readAll();
  const roots = PARTS.flatMap((part) => processes[part]);
  const entries = PARTS.map((part) => {
    const own = processes[part];
    const others = roots.filter((root) => !own.includes(root));
    return [part, of(new Set(treeOf(all, own, others)), all)] as const;
  });
  return Object.fromEntries(entries) as PerPart;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const getconf = (name: string): number => Number(execFileSync("getconf", [name], { encoding: "utf8" }));
const TICKS_A_SECOND = process.platform === "linux" ? getconf("CLK_TCK") : Number.NaN;
const PAGE_BYTES = process.platform === "linux" ? getconf("PAGESIZE") : Number.NaN;

/** Milliseconds of CPU each part has used since it began. */
export function cpuOf(processes: Processes): PerPart {
  return perPart(processes, (pids, all) => {
    const ticks = sum(all.flatMap((stat) => (pids.has(stat.pid) ? [stat.ticks] : [])));
    return (ticks * 1000) / TICKS_A_SECOND;
  });
}

/** Megabytes resident, each process counted by itself: pages that processes share count in each. */
export function rssOf(processes: Processes): PerPart {
  return perPart(processes, (pids, all) => {
    const pages = sum(all.flatMap((stat) => (pids.has(stat.pid) ? [stat.rssPages] : [])));
    return (pages * PAGE_BYTES) / 1e6;
  });
}

/** Megabytes resident, shared pages divided among those who share them; NaN where the system does not tell. */
export function pssOf(processes: Processes): PerPart {
  return perPart(processes, (pids) => {
    const kilobytes = [...pids].map((pid) => textOf(`/proc/${pid}/smaps_rollup`)).map((text) => (text ? parsedPss(text) : 0));
    return (sum(kilobytes) * 1024) / 1e6;
  });
}

/** Part by part. */
export function minus(after: PerPart, before: PerPart): PerPart {
  return { server: after.server - before.server, database: after.database - before.database, app: after.app - before.app };
}
