// Room: dispatch. What a schedule is: which event its ticks are, when the next one is due, and what is wrong with one that cannot be used. Pure.
// A tick is an event delivered later. Its source names the schedule, so that a tick of one that was changed or removed meanwhile starts nothing;
// its id names the moment too, so that any number of servers store it once.
import type { JobMetadata } from "@holdfast/protocol";
import { Cron } from "croner";
import type { KnownJob } from "./registry.ts";

export type Schedule = Extract<JobMetadata["trigger"], { type: "scheduled" }>["schedule"];

/** What v2 names the events of schedules. */
export const TICK = "dev.trigger.scheduled";

/** v2's bounds of an interval, in seconds (wire §1.4). */
const SECONDS = { least: 20, most: 2_592_000 };

export function scheduleOf(job: JobMetadata): Schedule | null {
  return job.trigger.type === "scheduled" ? job.trigger.schedule : null;
}

/** Source of a schedule's ticks: app, job, and the schedule itself. */
export function sourceOf({ app, metadata }: KnownJob): string {
  const schedule = scheduleOf(metadata);
  const when = schedule && (schedule.type === "cron" ? schedule.options.cron : schedule.options.seconds);
  return `schedule:${app.id}:${metadata.id}:${schedule?.type}:${when}`;
}

/**
 * When a schedule is due next, in milliseconds since 1970; null when it never is again.
 * Cron: 5 fields, or 6 with seconds, in UTC. Intervals keep to multiples of themselves since 1970, so that every server finds the same moments,
 * whenever it started and however often the app was indexed.
 *
 * @example nextTick({ type: "interval", options: { seconds: 60 } }, 90_000) // 120_000
 */
export function nextTick({ type, options }: Schedule, after: number): number | null {
  if (type === "cron") return cronOf(options.cron).nextRun(new Date(after))?.getTime() ?? null;
  const period = Number(options.seconds) * 1000;
  return (Math.floor(after / period) + 1) * period;
}

/** What is wrong with a schedule, or null. */
export function scheduleProblem({ type, options }: Schedule): string | null {
  if (type === "interval") {
    const seconds = Number(options.seconds);
    const fits = Number.isInteger(seconds) && seconds >= SECONDS.least && seconds <= SECONDS.most;
    return fits ? null : `seconds must be a whole number from ${SECONDS.least} to ${SECONDS.most}.`;
  }
  try {
    return cronOf(options.cron).nextRun(new Date(0)) ? null : `"${options.cron}" never comes.`;
  } catch (error) {
    return `"${options.cron}" is no cron expression: ${(error as Error).message}`;
  }
}

// Without a function to call, it only computes.
function cronOf(expression: unknown): Cron {
  return new Cron(String(expression), { timezone: "UTC", mode: "5-or-6-parts" });
}
