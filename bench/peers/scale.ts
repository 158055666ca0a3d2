// Bench of peers: from what one step and one run cost us here, what hardware a rate needs. Pure arithmetic, linear on purpose; docs/scale.md is made of it.
import { type Comparison, type FigureName, STEPS_A_RUN } from "./figures.ts";
import { formatted } from "./report.ts";

/** What is assumed and not measured. */
export const ASSUMED = {
  stepsPerRun: 10,
  /** Part of a core's time that is planned for, so that a burst finds room. */
  busy: 0.6,
  /** The largest primary that is planned with. */
  coresPerPrimary: 32,
  logBytesPerPrimary: 150e6,
} as const;
const RATES = [1_000, 10_000, 100_000] as const;

/** What one step and one run cost. CPU in milliseconds. */
export interface Costs {
  step: Cost;
  run: Cost;
}
interface Cost {
  server: number;
  app: number;
  database: number;
  commits: number;
  walBytes: number;
  storedBytes: number;
}

export interface Needs {
  runs: number;
  serverCores: number;
  appCores: number;
  databaseCores: number;
  commits: number;
  walBytes: number;
  storedBytesADay: number;
  primaries: number;
}

/** Ours out of the comparison, the runs' own part taken off the steps; undefined while a figure is missing. */
export function costsOf({ peers }: Comparison): Costs | undefined {
  const figures = peers.find(({ name }) => name === "Holdfast")?.figures ?? {};
  const cost = (whole: FigureName, app: FigureName, rest: readonly FigureName[]): Cost => {
    const [database, commits, walBytes, storedBytes] = rest.map((name) => figures[name] ?? Number.NaN);
    const ofApp = figures[app] ?? Number.NaN;
    const server = (figures[whole] ?? Number.NaN) - ofApp;
    return { server, app: ofApp, database, commits, walBytes, storedBytes } as Cost;
  };
  const step = cost("cpuStep", "cpuStepApp", ["cpuStepDatabase", "commitsStep", "walStep", "storedStep"]);
  const run = cost("cpuJob", "cpuJobApp", ["cpuJobDatabase", "commitsJob", "walJob", "storedJob"]);
  const known = [...Object.values(step), ...Object.values(run)].every(Number.isFinite);
  return known ? { step: less(step, run), run } : undefined;
}

/** Steps were measured in runs of so many, so each carries its part of a run. */
function less(step: Cost, run: Cost): Cost {
  const keys = Object.keys(step) as (keyof Cost)[];
  return Object.fromEntries(keys.map((key) => [key, Math.max(0, step[key] - run[key] / STEPS_A_RUN)])) as unknown as Cost;
}

/** What so many steps a second need. */
export function needsOf(stepsASecond: number, { step, run }: Costs): Needs {
  const runs = stepsASecond / ASSUMED.stepsPerRun;
  const each = (key: keyof Cost) => stepsASecond * step[key] + runs * run[key];
  const cores = (key: "server" | "app" | "database") => each(key) / 1000 / ASSUMED.busy;
  const walBytes = each("walBytes");
  const primaries = Math.max(
    1,
    Math.ceil(cores("database") / ASSUMED.coresPerPrimary),
    Math.ceil(walBytes / ASSUMED.logBytesPerPrimary),
  );
  return {
    runs,
    serverCores: cores("server"),
    appCores: cores("app"),
    databaseCores: cores("database"),
    commits: each("commits"),
    walBytes,
    storedBytesADay: each("storedBytes") * 86_400,
    primaries,
  };
}

const cores = (value: number): string => (value < 10 ? value.toFixed(1) : Math.ceil(value).toLocaleString("en"));

function costRows({ step, run }: Costs): string[] {
  const ms = (key: "server" | "app" | "database") => `${formatted(step[key], "ms")} | ${formatted(run[key], "ms")}`;
  return [
    `| CPU of the server | ${ms("server")} |`,
    `| CPU of the app | ${ms("app")} |`,
    `| CPU of PostgreSQL | ${ms("database")} |`,
    `| commits, shared with what happens at the same time | ${step.commits.toFixed(2)} | ${run.commits.toFixed(2)} |`,
    `| bytes of PostgreSQL's log | ${formatted(step.walBytes, "bytes")} | ${formatted(run.walBytes, "bytes")} |`,
    `| bytes of tables and indexes | ${formatted(step.storedBytes, "bytes")} | ${formatted(run.storedBytes, "bytes")} |`,
  ];
}

/** Everything between the marks of docs/scale.md. */
export function scaleReport(comparison: Comparison): string {
  const costs = costsOf(comparison);
  if (!costs) return "The last bench did not give every figure this is derived from.";
  const needs = RATES.map((rate) => needsOf(rate, costs));
  const line = (title: string, show: (need: Needs) => string) => `| ${[title, ...needs.map(show)].join(" | ")} |`;
  return [
    `Measured: ${comparison.machine}; medians of ${comparison.rounds} rounds.`,
    "",
    "| what one costs | a step | a run without steps |",
    "|---|---:|---:|",
    ...costRows(costs),
    "",
    `Derived, with ${ASSUMED.stepsPerRun} steps a run and cores ${ASSUMED.busy * 100} % busy:`,
    "",
    `| steps/s | ${RATES.map((rate) => rate.toLocaleString("en")).join(" | ")} |`,
    "|---|---:|---:|---:|",
    line("runs/s", (need) => need.runs.toLocaleString("en")),
    line("cores for servers", (need) => cores(need.serverCores)),
    line("cores for apps, their own work not counted", (need) => cores(need.appCores)),
    line("cores for PostgreSQL, all primaries", (need) => cores(need.databaseCores)),
    line("commits/s at most", (need) => Math.ceil(need.commits).toLocaleString("en")),
    line("log, MB/s", (need) => (need.walBytes / 1e6).toFixed(1)),
    line("stored, GB a day, until retention drops it", (need) => Math.ceil(need.storedBytesADay / 1e9).toLocaleString("en")),
    line("primaries", (need) => String(need.primaries)),
  ].join("\n");
}
