// Bench of peers: the list of figures, in the order of the table, and the shape of what was measured. Pure.
import { median } from "../statistics.ts";

export type Unit = "/s" | "ms" | "MB" | "bytes" | "×" | "commits";

export interface FigureKind {
  title: string;
  unit: Unit;
  /** Which way is good; "none" for what only informs. */
  better: "more" | "less" | "none";
  /** Raw limit it is compared with. */
  against?: string;
}

/** Steps of each run of the crowd: workload (3). */
export const STEPS_A_RUN = 20;

/** Workload by workload. */
export const FIGURES = {
  jobs: { title: "no-op jobs by 50 submitters, to completion", unit: "/s", better: "more", against: "commits/s, 50 writers" },
  loneP50: { title: "a lone job until a client sees it completed, p50", unit: "ms", better: "less", against: "one commit" },
  loneP99: { title: "… p99", unit: "ms", better: "less" },
  steps: { title: "steps, 20 runs × 20 steps", unit: "/s", better: "more", against: "commits/s, 50 writers" },
  loneStep: { title: "a step of a lone run of 100, p50", unit: "ms", better: "less", against: "one commit" },
  longFirst: { title: "a run of 2,000 steps: its first 200, median", unit: "ms", better: "less", against: "one commit" },
  longLast: { title: "… its last 200, median", unit: "ms", better: "less", against: "one commit" },
  growth: { title: "… the last against the first", unit: "×", better: "less" },
  napP50: { title: "2,000 sleepers, 5 s each, submitted by 50: late, p50", unit: "ms", better: "less" },
  napP99: { title: "… p99", unit: "ms", better: "less" },
  lateP50: { title: "2,000 sleepers due at once: late, p50", unit: "ms", better: "less" },
  lateP99: { title: "… p99", unit: "ms", better: "less" },
  idleMemory: { title: "memory of server and database, idle (PSS)", unit: "MB", better: "less" },
  idleAppMemory: { title: "… of the app, idle", unit: "MB", better: "less" },
  peakMemory: { title: "memory of server and database under the no-op jobs (PSS, highest)", unit: "MB", better: "less" },
  peakAppMemory: { title: "… of the app", unit: "MB", better: "less" },
  idleRss: { title: "all processes, idle (RSS summed)", unit: "MB", better: "less" },
  peakRss: { title: "all processes under the no-op jobs (RSS summed, highest)", unit: "MB", better: "less" },
  cpuJob: { title: "CPU of server and app per no-op job", unit: "ms", better: "less" },
  cpuJobApp: { title: "… of the app alone", unit: "ms", better: "none" },
  cpuJobDatabase: { title: "CPU of the database per no-op job", unit: "ms", better: "less" },
  cpuStep: { title: "CPU of server and app per step, 20 runs at once", unit: "ms", better: "less" },
  cpuStepApp: { title: "… of the app alone", unit: "ms", better: "none" },
  cpuStepDatabase: { title: "CPU of the database per step", unit: "ms", better: "less" },
  walJob: { title: "PostgreSQL's log per no-op job", unit: "bytes", better: "less" },
  walStep: { title: "PostgreSQL's log per step", unit: "bytes", better: "less" },
  storedJob: { title: "tables and indexes per no-op job", unit: "bytes", better: "less" },
  storedStep: { title: "tables and indexes per step", unit: "bytes", better: "less" },
  commitsJob: { title: "commits per no-op job", unit: "commits", better: "less" },
  commitsStep: { title: "commits per step, 20 runs at once", unit: "commits", better: "less" },
} as const satisfies Record<string, FigureKind>;
export type FigureName = keyof typeof FIGURES;

export interface Failure {
  workload: string;
  reason: string;
}

/** What one round of one peer gave. */
export interface Round {
  figures: Partial<Record<FigureName, number>>;
  /** Median step of each window of the long run, in milliseconds. */
  curve: number[];
  failures: Failure[];
}

/** A peer over all rounds. */
export interface PeerResult extends Round {
  name: string;
  version: string;
  steps: string;
  sleepsInside: boolean;
  records: string;
  settings: string;
}

/** Everything the pages are made of; stands in figures.json. */
export interface Comparison {
  machine: string;
  rounds: number;
  /** Raw limits by name, medians. */
  limits: { name: string; value: number; unit: string }[];
  /** Ours first. */
  peers: PeerResult[];
}

/** Medians of the rounds: a figure that is missing in one round is the median of the others; failures are kept once each. */
export function overRounds(rounds: readonly Round[]): Round {
  const names = Object.keys(FIGURES) as FigureName[];
  const entries = names.flatMap((name) => {
    const values = rounds.flatMap(({ figures }) => figures[name] ?? []);
    return values.length > 0 ? [[name, median(values)] as const] : [];
  });
  const windows = Math.max(0, ...rounds.map(({ curve }) => curve.length));
  const curve = Array.from({ length: windows }, (_, i) => median(rounds.flatMap((round) => round.curve[i] ?? [])));
  const failures = new Map(
    rounds.flatMap((round) => round.failures).map((failure) => [failure.workload + failure.reason, failure]),
  );
  return { figures: Object.fromEntries(entries), curve, failures: [...failures.values()] };
}
