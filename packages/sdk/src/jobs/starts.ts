// Room: jobs. How often runs of a job may start. Called by Job when it is defined; read by the index document. Promises: what the server would refuse is refused here.
import { type JobMetadata, UserFacingError } from "@holdfast/protocol";

/** At most `limit` runs start in each `period`. Further ones wait. */
export interface Throttle {
  /** Runs, from 1 to 1,000,000. */
  limit: number;
  /** Seconds, from 0.001 to a year. */
  period: number;
  /** How many may start at once after a pause, 1 to 1,000,000. Default 1: starts are spaced evenly. A period may then have `burst - 1` starts more. */
  burst?: number | undefined;
  /** A path into the payload, such as "user.id" (of a request: "body.user.id"): the limit then holds for each value by itself. */
  key?: string | undefined;
}

/** Events start at most `limit` runs in any `period`. Further ones start none; they are kept, and say so. */
export interface RateLimit {
  /** Runs, from 1 to 1,000,000. */
  limit: number;
  /** Seconds, from 0.001 to a year. */
  period: number;
  /** A path into the payload, such as "user.id" (of a request: "body.user.id"): the limit then holds for each value by itself. */
  key?: string | undefined;
}

/** Events that follow each other within `period` start one run, of the last of them. */
export interface Debounce {
  /** Seconds, from 0.001 to a year: how long nothing must come before the run starts. */
  period: number;
  /** Seconds, `period` or more: how long after the first event it starts at the latest. Default: however long events keep coming. */
  timeout?: number | undefined;
  /** A path into the payload, such as "document.id" (of a request: "body.document.id"): the events of each value are debounced by themselves. */
  key?: string | undefined;
}

interface Limits {
  throttle?: Throttle | undefined;
  rateLimit?: RateLimit | undefined;
  debounce?: Debounce | undefined;
}

const YEAR_SECONDS = 31_536_000;
const EXAMPLES = {
  throttle: "Write throttle: { limit: 5, period: 60 }, which lets five runs start a minute.",
  rateLimit: "Write rateLimit: { limit: 5, period: 60 }: five runs a minute, and what is over is not run.",
  debounce: "Write debounce: { period: 10 }: one run, of the last event, once nothing came for ten seconds.",
};

/** Without what was left out. @throws BAD_REQUEST naming the job and what is wrong */
export function checkedStarts({ throttle, rateLimit, debounce }: Limits, job: string): Pick<JobMetadata, keyof Limits> {
  if (rateLimit && debounce)
    throw new UserFacingError(
      "BAD_REQUEST",
      `Job "${job}" has both rateLimit and debounce, which do not go together.`,
      "Choose one: a debounced job starts at most one run a period anyhow. A throttle goes with either.",
    );
  const given = { ...(throttle ? { throttle } : {}), ...(rateLimit ? { rateLimit } : {}), ...(debounce ? { debounce } : {}) };
  for (const [name, option] of Object.entries(given)) {
    const problem = problemOf(option);
    if (problem === null) continue;
    const example = EXAMPLES[name as keyof Limits];
    throw new UserFacingError("BAD_REQUEST", `The ${name} of job "${job}" cannot be used: ${problem}`, example);
  }
  return JSON.parse(JSON.stringify(given)) as Pick<JobMetadata, keyof Limits>;
}

function problemOf(option: Partial<Throttle & Debounce>): string | null {
  const { limit, burst, period, timeout, key } = option;
  if ("limit" in option && !counts(limit)) return `its limit is ${limit}, and must be a whole number from 1 to 1,000,000.`;
  if (!lasts(period)) return `its period is ${period}, and must be seconds from 0.001 to ${YEAR_SECONDS}.`;
  if (burst !== undefined && !counts(burst)) return `its burst is ${burst}, and must be a whole number from 1 to 1,000,000.`;
  if (timeout !== undefined && !(lasts(timeout) && timeout >= Number(period)))
    return `its timeout is ${timeout}, and must be seconds from the period (${period}) to ${YEAR_SECONDS}.`;
  return key === "" ? "its key is empty." : null;
}

function counts(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1_000_000;
}

function lasts(value: unknown): boolean {
  return typeof value === "number" && value >= 0.001 && value <= YEAR_SECONDS;
}
