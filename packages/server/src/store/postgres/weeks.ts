// Room: store. Weeks: how deliveries, events, runs and tasks are cut into tables by the time inside their ids. Pure.
// Called by partitions.ts, which makes the tables, and by everything that names one.
import { ID_PREFIXES, idFloor, idTime, isId } from "@holdfast/protocol";

export const WEEK_MS = 604_800_000;

/** The tables cut into weeks, and the kind of id each is cut by. */
export const WEEKLY = { deliveries: "delivery", events: "event", runs: "run", tasks: "run" } as const;
export type WeeklyTable = keyof typeof WEEKLY;
export const WEEKLY_TABLES = Object.keys(WEEKLY) as WeeklyTable[];

/** Number of the week (from the epoch) a time lies in. */
export function weekAt(time: number): number {
  return Math.floor(time / WEEK_MS);
}

/** Number of the week an id was made in, or null if it is no id of that table: nothing is stored under it. */
export function weekOf(table: WeeklyTable, id: string): number | null {
  return isId(WEEKLY[table], id) ? weekAt(idTime(id)) : null;
}

/** The week's table. */
export function weekName(table: string, week: number): string {
  return `${table}_w${week}`;
}

/** Smallest id of the week, and smallest of the next. */
export function weekBounds(table: WeeklyTable, week: number): [from: string, to: string] {
  const prefix = ID_PREFIXES[WEEKLY[table]];
  return [`${prefix}_${idFloor(week * WEEK_MS)}`, `${prefix}_${idFloor((week + 1) * WEEK_MS)}`];
}
