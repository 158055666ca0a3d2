// Bench: what is measured. Each measure does one round and answers figures by name; the caller repeats it and takes medians.
import { setTimeout as pause } from "node:timers/promises";
import { blocked } from "./blocked.ts";
import { between } from "./counters.ts";
import type { Figure } from "./figure.ts";
import { pushed } from "./push.ts";
import { BARE_RELAY, BARE_STORE, COMMITS_BY_50, ONE_COMMIT } from "./raw-limits.ts";
import { sleepersAtOnce, sleepersInTurn } from "./sleepers.ts";
import type { Stand } from "./stand.ts";
import { median, percentile, sharedClock } from "./statistics.ts";

export interface Sizes {
  /** Runs that wait at a limit. */
  backlog: number;
  /** Runs that are due at one moment. */
  atOnce: number;
  /** Runs that sleep all together and are due one after the other. */
  sleepers: number;
}

export interface Measure {
  title: string;
  round(stand: Stand, sizes: Sizes): Promise<Figure[]>;
  /** Rounds at most, for the long ones. */
  most?: number;
}

export const MEASURES: Record<string, Measure> = {
  webhooks: { title: "Webhooks: signed, verified by the app, one step", round: webhooks },
  jobs: { title: "Jobs that do nothing, from submission to completion in the database", round: jobs },
  steps: { title: "Steps of 20 runs at once", round: steps },
  "lone-run": { title: "Steps of one run, nothing else going on", round: loneRun, most: 3 },
  "due-at-once": {
    title: "Sleepers that are due at one moment",
    round: (stand, { atOnce }) => sleepersAtOnce(stand, atOnce),
    most: 3,
  },
  sleepers: {
    title: "Sleepers that are due one after the other",
    round: (stand, { sleepers }) => sleepersInTurn(stand, sleepers),
    most: 1,
  },
  push: { title: "Steps of one run of an app reached by push", round: pushed, most: 3 },
  blocked: { title: "Claims beside runs that wait at a limit", round: (stand, { backlog }) => blocked(stand, backlog), most: 3 },
  cost: { title: "What the database is asked to do", round: cost, most: 1 },
};

/** As a service has done that has been up for a minute. */
const WARM_WEBHOOKS = 1_000;

async function webhooks(stand: Stand): Promise<Figure[]> {
  await byMany(10, WARM_WEBHOOKS, () => stand.webhook());
  await stand.finished(WARM_WEBHOOKS);
  const idle: number[] = [];
  const firstSteps: number[] = [];
  for (let i = 0; i < 100; i++) {
    idle.push(await stand.webhook());
    const [told] = await stand.finished(1);
    firstSteps.push((told?.firstStepAt ?? Number.NaN) - (told?.sentAt ?? Number.NaN));
  }
  const rate = await acceptedPerSecond(stand);
  const loaded = await atRate(stand, rate / 2, 2_000);
  return [
    { name: "acknowledged, idle, p50", value: percentile(idle, 0.5), unit: "ms", against: [ONE_COMMIT, BARE_STORE] },
    { name: "acknowledged, idle, p99", value: percentile(idle, 0.99), unit: "ms" },
    { name: "sent to first step, idle, p50", value: percentile(firstSteps, 0.5), unit: "ms", against: ONE_COMMIT },
    { name: "sent to first step, idle, p99", value: percentile(firstSteps, 0.99), unit: "ms" },
    { name: "webhooks to completed runs, 50 senders", value: rate, unit: "/s", against: COMMITS_BY_50 },
    { name: "acknowledged at half of that rate, p50", value: percentile(loaded, 0.5), unit: "ms", against: ONE_COMMIT },
    { name: "acknowledged at half of that rate, p99", value: percentile(loaded, 0.99), unit: "ms" },
  ];
}

/** What the whole river carries: webhooks sent by 50 until the last of their runs has completed. */
async function acceptedPerSecond(stand: Stand): Promise<number> {
  const count = 1_500;
  const from = sharedClock();
  await byMany(50, count, () => stand.webhook());
  await stand.finished(count);
  return (count / (sharedClock() - from)) * 1000;
}

/** An open loop: each is sent at its time, whether or not those before were answered; the wait counts from that time. */
async function atRate(stand: Stand, perSecond: number, forMs: number): Promise<number[]> {
  const count = Math.max(1, Math.floor((perSecond * forMs) / 1000));
  const from = sharedClock();
  const latencies: Promise<number>[] = [];
  while (latencies.length < count) {
    const due = from + (latencies.length * 1000) / perSecond;
    if (due > sharedClock()) await pause(Math.max(1, due - sharedClock()));
    else latencies.push(stand.webhook().then(() => sharedClock() - due));
  }
  const times = await Promise.all(latencies);
  await stand.finished(count);
  return times;
}

async function jobs(stand: Stand): Promise<Figure[]> {
  const count = 2_000;
  const from = sharedClock();
  await byMany(50, count, () => stand.send("no-op"));
  await stand.finished(count);
  const rate = (count / (sharedClock() - from)) * 1000;
  const lone: number[] = [];
  for (let i = 0; i < 100; i++) {
    const since = sharedClock();
    const { id } = await stand.send("no-op");
    await stand.ended(id);
    lone.push(sharedClock() - since);
  }
  await stand.finished(100);
  return [
    { name: "jobs submitted by 50, to completion", value: rate, unit: "/s", against: COMMITS_BY_50 },
    { name: "a lone job, p50", value: percentile(lone, 0.5), unit: "ms", against: [ONE_COMMIT, BARE_RELAY] },
    { name: "a lone job, p99", value: percentile(lone, 0.99), unit: "ms" },
  ];
}

async function byMany(submitters: number, count: number, submit: () => Promise<unknown>): Promise<void> {
  let left = count;
  const submitter = async () => {
    while (left-- > 0) await submit();
  };
  await Promise.all(Array.from({ length: submitters }, submitter));
}

async function steps(stand: Stand): Promise<Figure[]> {
  const short: Awaited<ReturnType<typeof twenty>>[] = [];
  for (let i = 0; i < 5; i++) short.push(await twenty(stand, 20));
  const long = await twenty(stand, 200);
  return [
    { name: "20 runs × 20 steps", value: median(short.map(({ steps }) => steps)), unit: "/s", against: COMMITS_BY_50 },
    { name: "… submission and completion of the runs included", value: median(short.map(({ whole }) => whole)), unit: "/s" },
    { name: "20 runs × 200 steps", value: long.steps, unit: "/s", against: COMMITS_BY_50 },
  ];
}

/** Steps a second of 20 runs at once: from the first step's start to the last one's record, and from submission to completion. */
async function twenty(stand: Stand, each: number): Promise<{ steps: number; whole: number }> {
  const from = sharedClock();
  await Promise.all(Array.from({ length: 20 }, () => stand.send("steps", { steps: each })));
  const told = await stand.finished(20);
  const to = sharedClock();
  const first = Math.min(...told.map(({ firstStepAt = Number.NaN }) => firstStepAt));
  const last = Math.max(...told.map(({ lastStepDoneAt = Number.NaN }) => lastStepDoneAt));
  const perSecond = (ms: number) => (20 * each * 1000) / ms;
  return { steps: perSecond(last - first), whole: perSecond(to - from) };
}

async function loneRun(stand: Stand): Promise<Figure[]> {
  const hundred = await stepsOf(stand, 100);
  const many = await stepsOf(stand, 10_000);
  const [first, last] = [median(many.slice(0, 100)), median(many.slice(-100))];
  return [
    { name: "a step of a run of 100, p50", value: median(hundred), unit: "ms", against: ONE_COMMIT },
    { name: "a step of a run of 10,000, p50", value: median(many), unit: "ms", against: ONE_COMMIT },
    { name: "a step of a run of 10,000, p99", value: percentile(many, 0.99), unit: "ms" },
    { name: "its first 100 steps, p50", value: first, unit: "ms", against: ONE_COMMIT },
    { name: "its last 100 steps, p50", value: last, unit: "ms", against: ONE_COMMIT },
    { name: "the last against the first", value: (last / first) * 100, unit: "%" },
  ];
}

async function stepsOf(stand: Stand, count: number): Promise<number[]> {
  await stand.send("steps", { steps: count });
  const [told] = await stand.finished(1);
  return told?.steps ?? [];
}

async function cost(stand: Stand): Promise<Figure[]> {
  const one = async (work: () => Promise<unknown>) => {
    const before = await stand.counters();
    await work();
    return between(before, await stand.counters());
  };
  const lone = await one(() => stepsOf(stand, 1_000));
  const run = await one(() => stepsOf(stand, 0));
  const crowd = await one(() => twenty(stand, 50));
  return [
    { name: "a step of a lone run", value: (lone.statements - run.statements) / 1_000, unit: "statements" },
    { name: "a step of a lone run ", value: (lone.commits - run.commits) / 1_000, unit: "commits" },
    { name: "a step, 20 runs at once", value: crowd.statements / 1_000, unit: "statements" },
    { name: "a step, 20 runs at once ", value: crowd.commits / 1_000, unit: "commits" },
    { name: "a run without steps, submission included", value: run.statements, unit: "statements" },
    { name: "a run without steps, submission included ", value: run.commits, unit: "commits" },
  ];
}
