// Room: store. Part of the interface: schedules that programs register at run time. Few writes a row: one when it is registered, one a tick.
import type { Schedule } from "@holdfast/protocol";

/** Whose schedule: one dynamic schedule of one app; its keys are its own. */
export interface ScheduleOwner {
  environmentId: string;
  appId: string;
  /** The id of the app's dynamic schedule. */
  scheduleId: string;
}

export interface ScheduleRow extends ScheduleOwner {
  id: string;
  /** The name its registrant gave it; unique for its owner. */
  key: string;
  schedule: Schedule;
  accountId: string | null;
  metadataText: string | null;
  /** Grows with every change of what stands above. */
  revision: number;
  /** What an interval counts from. */
  anchorAt: number;
  /** The moment of the last tick that came. */
  lastAt: number | null;
  /** The moment of the tick stored ahead; 0 as long as none is known to be, null when none comes any more. */
  nextAt: number | null;
  updatedAt: number;
}

export interface ScheduleStore {
  get(owner: ScheduleOwner, key: string): Promise<ScheduleRow | null>;
  byId(id: string): Promise<ScheduleRow | null>;
  /** Inserts a row (`former` null), or replaces the one that still is as `former`. False: it is not, or there is one already. The id of the first stays. */
  save(row: ScheduleRow, former: ScheduleRow | null): Promise<boolean>;
  /** Notes a row's ticks if it is still at `revision`; false if it is not, or is no more. */
  ticked(row: Pick<ScheduleRow, "id" | "revision" | "lastAt" | "nextAt">): Promise<boolean>;
  delete(owner: ScheduleOwner, key: string): Promise<boolean>;
  /** Rows of these environments whose tick stored ahead was due before that moment, longest overdue first. */
  overdue(environmentIds: string[], before: number, limit: number): Promise<ScheduleRow[]>;
}
