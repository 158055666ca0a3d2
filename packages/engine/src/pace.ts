// Flow control by time: how many runs may start now at a gate that lets so many start in each period. Called by the memory store; PostgreSQL's functions
// paced_step and paced_room (0008-flow.sql) are the same arithmetic. Promises: pure; in any period at most the limit starts, and a burst less one besides.

/** `period` in milliseconds; `burst`: how many may start at once after a pause. */
export interface Pace {
  readonly period: number;
  readonly burst: number;
}

/** Microseconds between two starts. */
export function pacedStep(limit: number, { period }: Pace): number {
  return Math.ceil((period * 1000) / limit);
}

/**
 * How many may start now. Starts have a schedule, one each step; they may be ahead of it by a burst less one.
 *
 * @param next when the schedule has its next start, in microseconds @param now epoch milliseconds
 */
export function pacedRoom(step: number, { burst }: Pace, next: number, now: number): number {
  const ahead = now * 1000 + (burst - 1) * step - Math.max(next, now * 1000);
  return Math.max(0, Math.floor(ahead / step) + 1);
}

/** The schedule's next start after `count` starts. */
export function pacedNext(step: number, next: number, { now, count }: { now: number; count: number }): number {
  return Math.max(next, now * 1000) + count * step;
}

/**
 * When the next may start for whom nobody was invited yet, epoch milliseconds. Null when as many were invited as may ever start at once: the gate is looked at
 * again when they are claimed, so an app that is away costs nothing.
 *
 * @param invited may start already and have not yet
 */
export function pacedLook(
  step: number,
  { burst }: Pace,
  next: number,
  { now, invited }: { now: number; invited: number },
): number | null {
  if (invited >= burst) return null;
  const opens = Math.max(next, now * 1000) + (invited - burst + 1) * step;
  return Math.max(now + 1, Math.ceil(opens / 1000));
}
