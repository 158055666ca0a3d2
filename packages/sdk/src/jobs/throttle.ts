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

const YEAR_SECONDS = 31_536_000;

/** @throws BAD_REQUEST naming the job and what is wrong */
export function checkedThrottle(throttle: Throttle, job: string): NonNullable<JobMetadata["throttle"]> {
  const { limit, period, burst, key } = throttle;
  const problem = problemOf(throttle);
  if (problem === null)
    return { limit, period, ...(burst === undefined ? {} : { burst }), ...(key === undefined ? {} : { key }) };
  throw new UserFacingError(
    "BAD_REQUEST",
    `The throttle of job "${job}" cannot be used: ${problem}`,
    "Write throttle: { limit: 5, period: 60 }, which lets five runs start a minute.",
  );
}

function problemOf({ limit, period, burst = 1, key }: Throttle): string | null {
  const counts = (value: number) => Number.isInteger(value) && value >= 1 && value <= 1_000_000;
  if (!counts(limit)) return `its limit is ${limit}, and must be a whole number from 1 to 1,000,000.`;
  if (!(period >= 0.001 && period <= YEAR_SECONDS))
    return `its period is ${period}, and must be seconds from 0.001 to ${YEAR_SECONDS}.`;
  if (!counts(burst)) return `its burst is ${burst}, and must be a whole number from 1 to 1,000,000.`;
  return key === "" ? "its key is empty." : null;
}
