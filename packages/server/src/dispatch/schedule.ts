// Room: dispatch. What a schedule is: which event its ticks are, when the next one is due, and what is wrong with one that cannot be used. Pure.
// A tick is an event delivered later. Its source names the schedule, so that a tick of one that was changed or removed meanwhile starts nothing;
// its id names the moment too, so that any number of servers store it once.
import type { JobMetadata, Schedule } from "@holdfast/protocol";
import { Cron } from "croner";
import type { ScheduleRow } from "../store/schedule-rows.ts";
import type { KnownJob } from "./registry.ts";

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

const REGISTERED = "registered";

/** Source of the ticks of a schedule registered at run time: which, in which revision, and for whose jobs. */
export function registeredSource({ id, revision, appId, scheduleId }: ScheduleRow): string {
  return [REGISTERED, id, revision, appId, scheduleId].join(":");
}

/** Which schedule a tick is of; null when it is none of those registered at run time. */
export function registrationOf(source: string): { id: string; revision: number } | null {
  const [kind, id = "", revision] = source.split(":");
  return kind === REGISTERED ? { id, revision: Number(revision) } : null;
}

/** True when ticks of this source start the job: those of its own schedule, or of those registered on its dynamic one. */
export function startsAtTick(job: KnownJob, source: string): boolean {
  const { trigger } = job.metadata;
  if (trigger.type === "scheduled") return source === sourceOf(job);
  if (trigger.type !== "dynamic" || !registrationOf(source)) return false;
  return source.split(":").slice(3).join(":") === `${job.app.id}:${trigger.id}`;
}

/**
 * When a schedule is due next, in milliseconds since 1970; null when it never is again.
 * Cron: 5 fields, or 6 with seconds, in UTC. Intervals keep to multiples of themselves since 1970, so that every server finds the same moments,
 * whenever it started and however often the app was indexed.
 *
 * @param anchor what an interval counts from, if not from 1970: its first tick is one period later
 * @example nextTick({ type: "interval", options: { seconds: 60 } }, 90_000) // 120_000
 */
export function nextTick({ type, options }: Schedule, after: number, anchor = 0): number | null {
  if (type === "cron") return cronOf(options.cron).nextRun(new Date(after))?.getTime() ?? null;
  const period = Number(options.seconds) * 1000;
  return anchor + (Math.floor((after - anchor) / period) + 1) * period;
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
