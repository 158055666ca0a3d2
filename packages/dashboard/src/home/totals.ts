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

export function totals(hours: Overview["hours"]): Sums {
  const sums: Sums = { all: 0, ok: 0, bad: 0, run: 0, wait: 0, mute: 0 };
  for (const hour of hours)
    for (const [tone, runs] of Object.entries(hourSums(hour)) as [keyof Sums, number][]) sums[tone] += runs;
  return sums;
}
