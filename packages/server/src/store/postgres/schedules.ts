// Room: store. Schedules registered at run time, each call one statement. Called through Store.schedules.
import type { Schedule } from "@holdfast/protocol";
import type { World } from "../../platform/world.ts";
import type { ScheduleOwner, ScheduleRow, ScheduleStore } from "../schedule-rows.ts";
import { storableRow, storableText } from "../storable.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import type { DbRow } from "./rows.ts";
import { statement } from "./statements.ts";

const PATIENCE_MS = 10_000;

export class PostgresSchedules implements ScheduleStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  #rows(name: string, values: unknown[]): Promise<DbRow[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query<DbRow>(statement(name), values));
  }

  async #row(name: string, values: unknown[]): Promise<ScheduleRow | null> {
    const [row] = await this.#rows(name, values);
    return row ? scheduleOf(row) : null;
  }

  get(owner: ScheduleOwner, key: string): Promise<ScheduleRow | null> {
    return this.#row("schedule-by-key", keyOf(owner, key));
  }

  byId(id: string): Promise<ScheduleRow | null> {
    return this.#row("schedule-by-id", [id]);
  }

  async save(row: ScheduleRow, former: ScheduleRow | null): Promise<boolean> {
    const values = [JSON.stringify(columnsOf(row)), former?.revision ?? null, former?.nextAt ?? null];
    return (await this.#rows("save-schedule", values)).length > 0;
  }

  async ticked({ id, revision, lastAt, nextAt }: Parameters<ScheduleStore["ticked"]>[0]): Promise<boolean> {
    return (await this.#rows("tick-schedule", [id, revision, lastAt, nextAt])).length > 0;
  }

  async delete(owner: ScheduleOwner, key: string): Promise<boolean> {
    return (await this.#rows("drop-schedule", keyOf(owner, key))).length > 0;
  }

  async overdue(environmentIds: string[], before: number, limit: number): Promise<ScheduleRow[]> {
    return (await this.#rows("overdue-schedules", [environmentIds, before, limit])).map(scheduleOf);
  }
}

function keyOf({ environmentId, appId, scheduleId }: ScheduleOwner, key: string): string[] {
  return [environmentId, appId, storableText(scheduleId), storableText(key)];
}

function columnsOf(row: ScheduleRow): DbRow {
  const { id, environmentId, appId, scheduleId, key, schedule, accountId, metadataText } = storableRow(row);
  return {
    id,
    environment_id: environmentId,
    app_id: appId,
    schedule_id: scheduleId,
    key,
    schedule_text: JSON.stringify(schedule),
    account_id: accountId,
    metadata_text: metadataText,
    revision: row.revision,
    anchor_at: row.anchorAt,
    last_at: row.lastAt,
    next_at: row.nextAt,
    updated_at: row.updatedAt,
  };
}

function scheduleOf(row: DbRow): ScheduleRow {
  return {
    id: row.id as string,
    environmentId: row.environment_id as string,
    appId: row.app_id as string,
    scheduleId: row.schedule_id as string,
    key: row.key as string,
    schedule: JSON.parse(row.schedule_text as string) as Schedule,
    accountId: row.account_id as string | null,
    metadataText: row.metadata_text as string | null,
    revision: row.revision as number,
    anchorAt: row.anchor_at as number,
    lastAt: row.last_at as number | null,
    nextAt: row.next_at as number | null,
    updatedAt: row.updated_at as number,
  };
}
