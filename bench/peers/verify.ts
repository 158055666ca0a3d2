// Bench of peers: no figure counts before its workload's result was checked. Pure: what was asked for and what was seen in, complaints out.
import type { Job, StepsBy, Told } from "./peer.ts";

/** How many jobs of the peer's own a job of ours is. */
export function ownJobsOf(job: Job, steps: StepsBy): number {
  return job.kind === "steps" && steps === "a job a step" ? job.steps : 1;
}

/** Durations a job of so many steps tells: a chain of jobs has one fewer, the gaps between them. */
function timesOf(job: Extract<Job, { kind: "steps" }>, steps: StepsBy): number {
  return steps === "a job a step" ? job.steps - 1 : job.steps;
}

export interface Seen {
  told: ReadonlyMap<string, Told>;
  open: number;
  /** Undefined when the peer keeps no record of completed jobs. */
  completed: number | undefined;
  expectedCompleted: number;
}

/** Empty when every job was performed as asked and the peer's record says so. */
export function complaints(jobs: readonly Job[], steps: StepsBy, seen: Seen): string[] {
  const unheard = jobs.filter(({ id }) => !seen.told.has(id)).length;
  const short = jobs.filter((job) => {
    const told = seen.told.get(job.id);
    return job.kind === "steps" && told !== undefined && told.steps?.length !== timesOf(job, steps);
  }).length;
  const early = jobs.filter(({ id }) => (seen.told.get(id)?.lateMs ?? 0) < 0).length;
  return [
    ...(unheard ? [`${unheard} of ${jobs.length} jobs were not performed`] : []),
    ...(short ? [`${short} runs did not perform all their steps`] : []),
    ...(early ? [`${early} sleepers woke before they were due`] : []),
    ...(seen.open !== 0 ? [`its record has ${seen.open} jobs as not completed`] : []),
    ...(seen.completed !== undefined && seen.completed !== seen.expectedCompleted
      ? [`its record has ${seen.completed} completed jobs where there should be ${seen.expectedCompleted}`]
      : []),
  ];
}
