// Bench of peers: the workloads, one definition for all. Each runs on a Course, checks its result, and only then gives figures.
// Sizes stand here and nowhere else.
import { setTimeout as pause } from "node:timers/promises";
import { median, percentile, sharedClock } from "../statistics.ts";
import type { Course } from "./course.ts";
import { type FigureName, type Round, STEPS_A_RUN } from "./figures.ts";
import type { Told, Written } from "./peer.ts";
import { cpuOf, minus, type PerPart, pssOf, rssOf } from "./process-tree.ts";

const SUBMITTERS = 50;
/** The fastest take a second for these: shorter, and it would be a burst that is measured. */
const JOBS = 5_000;
const LONE_JOBS = 100;
const RUNS = 20;
const CROWDS = 20;
const LONG_RUN = 2_000;
const WINDOW = 200;
const SLEEPERS = 2_000;
const WARM_JOBS = 5_000;
const WARM_STEPS = 200;
const SLEEP_MS = 5_000;
const SETTLE_MS = 1_000;
const SAMPLE_MS = 250;
const LONGEST_MS = 90_000;

type Figures = Partial<Record<FigureName, number>>;
interface Gain {
  figures: Figures;
  curve?: number[];
}
interface Setting {
  course: Course;
  sleepsInside: boolean;
  /** From the first workload, for the pace of the others. */
  jobsASecond: number;
}

const WORKLOADS: Record<string, (setting: Setting) => Promise<Gain>> = {
  idle,
  "warm-up": warmUp,
  jobs,
  memory,
  "lone job": loneJob,
  crowd,
  "lone run": loneRun,
  "long run": longRun,
  naps,
  sleepers,
};

/**
 * All workloads, one after the other. One that fails is written down with its reason, and the others go on; one that hangs is the last.
 *
 * @param soFar hears the round as it stands after each workload
 */
export async function round(course: Course, sleepsInside: boolean, soFar: (round: Round) => void): Promise<Round> {
  const setting: Setting = { course, sleepsInside, jobsASecond: 500 };
  const whole: Round = { figures: {}, curve: [], failures: [] };
  for (const [workload, perform] of Object.entries(WORKLOADS)) {
    const gain = await Promise.race([
      perform(setting).catch(reasonOf),
      pause(LONGEST_MS, `it did not end within ${LONGEST_MS / 1000} s`),
    ]);
    if (typeof gain === "string") {
      whole.failures.push({ workload, reason: [gain, course.peer.complaints()].filter(Boolean).join("; its app: ") });
      await course.takeStock().catch(reasonOf);
      if (gain.startsWith("it did not end")) break;
    } else {
      Object.assign(whole.figures, gain.figures);
      whole.curve.push(...(gain.curve ?? []));
      setting.jobsASecond = gain.figures.jobs ?? setting.jobsASecond;
    }
    soFar(whole);
  }
  return whole;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a peer takes up before it has done anything. */
async function idle({ course }: Setting): Promise<Gain> {
  await pause(SETTLE_MS);
  const [pss, rss] = [pssOf(course.peer.processes()), rssOf(course.peer.processes())];
  return { figures: { idleMemory: pss.server + pss.database, idleAppMemory: pss.app, idleRss: total(rss) } };
}

/**
 * Until a program has done a thing some thousand times it spends most of its time on compiling itself: what is measured is what services that have been up
 * for a minute do.
 */
async function warmUp({ course }: Setting): Promise<Gain> {
  const many = course.make({ kind: "noop" }, WARM_JOBS);
  await course.submit(many, SUBMITTERS);
  await course.settled(many);
  const runs = course.make({ kind: "steps", steps: WARM_STEPS }, RUNS);
  await course.submit(runs, RUNS);
  await course.settled(runs);
  for (const job of course.make({ kind: "noop" }, 10)) await course.peer.submitAndWait(job);
  return { figures: {} };
}

/** What goes on in one piece of work. */
async function spent(course: Course, work: () => Promise<void>): Promise<{ cpu: PerPart; written: Written; ms: number }> {
  const { peer } = course;
  const before = await peer.written();
  const cpu = cpuOf(peer.processes());
  const from = sharedClock();
  await work();
  const ms = sharedClock() - from;
  const used = minus(cpuOf(peer.processes()), cpu);
  const after = await peer.written();
  const written: Written = {};
  for (const key of ["walBytes", "storedBytes", "commits"] as const) {
    const [begin, end] = [before[key], after[key]];
    if (begin !== undefined && end !== undefined) written[key] = end - begin;
  }
  return { cpu: used, written, ms };
}

/** (1) and (8): no-op jobs by 50 submitters, from the first submission until the peer's record has all of them as completed. */
async function jobs({ course }: Setting): Promise<Gain> {
  const all = course.make({ kind: "noop" }, JOBS);
  const { cpu, written, ms } = await spent(course, async () => {
    await course.submit(all, SUBMITTERS);
    await course.settled(all);
  });
  const figures: Figures = {
    jobs: (JOBS * 1000) / ms,
    cpuJob: (cpu.server + cpu.app) / JOBS,
    cpuJobApp: cpu.app / JOBS,
    ...per(JOBS, {
      cpuJobDatabase: databaseOf(course, cpu),
      walJob: written.walBytes,
      storedJob: written.storedBytes,
      commitsJob: written.commits,
    }),
  };
  return { figures };
}

/** Undefined where the store is a part of the server. */
function databaseOf({ peer }: Course, cpu: PerPart): number | undefined {
  return peer.processes().database.length > 0 ? cpu.database : undefined;
}

/** Leaves out what was not counted. */
function per(count: number, totals: Partial<Record<FigureName, number | undefined>>): Figures {
  const known = Object.entries(totals).filter((entry): entry is [FigureName, number] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, value / count]));
}

/** (7): the same jobs again, not timed, with a look at the memory four times a second. */
async function memory({ course }: Setting): Promise<Gain> {
  const all = course.make({ kind: "noop" }, JOBS);
  const done = (async () => {
    await course.submit(all, SUBMITTERS);
    await course.settled(all);
    return true;
  })();
  const peak = { store: 0, app: 0, rss: 0 };
  for (let over = false; !over; over = await Promise.race([done, pause(SAMPLE_MS, false)])) {
    const [pss, rss] = [pssOf(course.peer.processes()), rssOf(course.peer.processes())];
    peak.store = Math.max(peak.store, pss.server + pss.database);
    peak.app = Math.max(peak.app, pss.app);
    peak.rss = Math.max(peak.rss, total(rss));
  }
  return { figures: { peakMemory: peak.store, peakAppMemory: peak.app, peakRss: peak.rss } };
}

const total = ({ server, database, app }: PerPart): number => server + database + app;

/** (2): one job at a time; the clock runs from its submission until a client can see that it has completed. */
async function loneJob({ course }: Setting): Promise<Gain> {
  const all = course.make({ kind: "noop" }, LONE_JOBS);
  const times: number[] = [];
  for (const job of all) {
    const from = sharedClock();
    await course.peer.submitAndWait(job);
    times.push(sharedClock() - from);
  }
  await course.settled(all);
  return { figures: { loneP50: percentile(times, 0.5), loneP99: percentile(times, 0.99) } };
}

/** (3) and (8): 20 runs of 20 steps at once, twenty times; from the first step's start to the last one's record. */
async function crowd({ course }: Setting): Promise<Gain> {
  const rates: number[] = [];
  const { cpu, written } = await spent(course, async () => {
    for (let i = 0; i < CROWDS; i++) {
      const runs = course.make({ kind: "steps", steps: STEPS_A_RUN }, RUNS);
      await course.submit(runs, RUNS);
      rates.push(stepsASecond(await course.settled(runs)));
    }
  });
  const count = CROWDS * RUNS * STEPS_A_RUN;
  const figures: Figures = {
    steps: median(rates),
    cpuStep: (cpu.server + cpu.app) / count,
    cpuStepApp: cpu.app / count,
    ...per(count, {
      cpuStepDatabase: databaseOf(course, cpu),
      walStep: written.walBytes,
      storedStep: written.storedBytes,
      commitsStep: written.commits,
    }),
  };
  return { figures };
}

function stepsASecond(told: readonly Told[]): number {
  const first = Math.min(...told.map(({ firstStepAt = Number.NaN }) => firstStepAt));
  const last = Math.max(...told.map(({ lastStepDoneAt = Number.NaN }) => lastStepDoneAt));
  const count = told.reduce((sum, { steps = [] }) => sum + steps.length, 0);
  return (count * 1000) / (last - first);
}

async function stepsOf(course: Course, steps: number): Promise<number[]> {
  const run = course.make({ kind: "steps", steps }, 1);
  await course.submit(run, 1);
  const [told] = await course.settled(run);
  return told?.steps ?? [];
}

/** (4): the steps of one run, nothing else going on. */
async function loneRun({ course }: Setting): Promise<Gain> {
  return { figures: { loneStep: median(await stepsOf(course, 100)) } };
}

/** (5): what a step costs as the run's history grows. A job a step has no history to grow. */
async function longRun({ course }: Setting): Promise<Gain> {
  if (course.steps === "a job a step") return { figures: {} };
  const times = await stepsOf(course, LONG_RUN);
  const windows = Array.from({ length: LONG_RUN / WINDOW }, (_, i) => median(times.slice(i * WINDOW, (i + 1) * WINDOW)));
  const [first = Number.NaN, last = Number.NaN] = [windows[0], windows.at(-1)];
  return { figures: { longFirst: first, longLast: last, growth: last / first }, curve: windows };
}

/** (9): sleepers that come one after the other, each for five seconds: they wake as they came. */
async function naps({ course }: Setting): Promise<Gain> {
  const all = course.make({ kind: "sleep", due: 0 }, SLEEPERS);
  await course.submit(all, SUBMITTERS, (job) => {
    if (job.kind === "sleep") job.due = Date.now() + SLEEP_MS;
  });
  const late = (await course.settled(all)).map(({ lateMs = Number.NaN }) => lateMs);
  return { figures: { napP50: percentile(late, 0.5), napP99: percentile(late, 0.99) } };
}

/** (6): sleepers due at one moment, far enough away that all sleep by then: twice the time such a crowd took in (1), and three seconds. */
async function sleepers({ course, sleepsInside, jobsASecond }: Setting): Promise<Gain> {
  const due = Date.now() + Math.ceil((2 * SLEEPERS * 1000) / jobsASecond) + 3_000;
  const all = course.make({ kind: "sleep", due }, SLEEPERS);
  await course.submit(all, SUBMITTERS);
  const isAsleep = () => !sleepsInside || all.every(({ id }) => course.asleep.has(id));
  while (!isAsleep() && Date.now() < due) await pause(5);
  if (Date.now() >= due) throw new Error("not all of them slept when they were due");
  const told = await course.settled(all, due - Date.now() + 60_000);
  const late = told.map(({ lateMs = Number.NaN }) => lateMs);
  return { figures: { lateP50: percentile(late, 0.5), lateP99: percentile(late, 0.99) } };
}
