// Room: store. Schedules registered at run time, in memory. Part of MemoryStore; copies rows in and out.
import type { ScheduleOwner, ScheduleRow, ScheduleStore } from "../schedule-rows.ts";
import { storableRow, storableText } from "../storable.ts";

export class MemorySchedules implements ScheduleStore {
  /** By id. */
  readonly #rows = new Map<string, ScheduleRow>();

  async get(owner: ScheduleOwner, key: string): Promise<ScheduleRow | null> {
    return structuredClone(this.#find(owner, key) ?? null);
  }

  async byId(id: string): Promise<ScheduleRow | null> {
    return structuredClone(this.#rows.get(id) ?? null);
  }

  async save(row: ScheduleRow, former: ScheduleRow | null): Promise<boolean> {
    const known = this.#find(row, row.key);
    if (known ? known.revision !== former?.revision || known.nextAt !== former.nextAt : former) return false;
    const id = known?.id ?? row.id;
    this.#rows.set(id, structuredClone(storableRow({ ...row, id })));
    return true;
  }

  async ticked({ id, revision, lastAt, nextAt }: Parameters<ScheduleStore["ticked"]>[0]): Promise<boolean> {
    const row = this.#rows.get(id);
    if (row?.revision !== revision) return false;
    this.#rows.set(id, { ...row, lastAt, nextAt });
    return true;
  }

  async delete(owner: ScheduleOwner, key: string): Promise<boolean> {
    const known = this.#find(owner, key);
    return known !== undefined && this.#rows.delete(known.id);
  }

  async overdue(environmentIds: string[], before: number, limit: number): Promise<ScheduleRow[]> {
    const late = [...this.#rows.values()].filter(
      ({ environmentId, nextAt }) => environmentIds.includes(environmentId) && nextAt !== null && nextAt < before,
    );
    return structuredClone(late.sort((a, b) => (a.nextAt ?? 0) - (b.nextAt ?? 0)).slice(0, limit));
  }

  #find({ environmentId, appId, scheduleId }: ScheduleOwner, key: string): ScheduleRow | undefined {
    const [schedule, name] = [storableText(scheduleId), storableText(key)];
    return [...this.#rows.values()].find(
      (row) => row.environmentId === environmentId && row.appId === appId && row.scheduleId === schedule && row.key === name,
    );
  }
}
