// Room home: sums of the overview's hours by tone. Pure; called by the home page's strip and chart, and tested.
import type { Overview, RunStatus } from "@holdfast/protocol";
import { RUN_LOOK, type Tone } from "../parts/status.tsx";

export type Sums = Record<Tone | "all", number>;

export function hourSums(hour: Overview["hours"][number]): Sums {
  const sums: Sums = { all: 0, ok: 0, bad: 0, run: 0, wait: 0, mute: 0 };
  for (const [status, runs] of Object.entries(hour.runs) as [RunStatus, number][]) {
    sums.all += runs;
    sums[RUN_LOOK[status].tone] += runs;
  }
  return sums;
}

/** Joins each `size` hours into one, so bars stay wide enough to hit on a phone. */
export function joinHours(hours: Overview["hours"], size: number): Overview["hours"] {
  return hours.flatMap((hour, at) => {
    if (at % size !== 0) return [];
    const runs: Partial<Record<RunStatus, number>> = {};
    for (const each of hours.slice(at, at + size))
      for (const [status, some] of Object.entries(each.runs) as [RunStatus, number][]) runs[status] = (runs[status] ?? 0) + some;
    return [{ start: hour.start, runs }];
  });
}

export function totals(hours: Overview["hours"]): Sums {
  const sums: Sums = { all: 0, ok: 0, bad: 0, run: 0, wait: 0, mute: 0 };
  for (const hour of hours)
    for (const [tone, runs] of Object.entries(hourSums(hour)) as [keyof Sums, number][]) sums[tone] += runs;
  return sums;
}
