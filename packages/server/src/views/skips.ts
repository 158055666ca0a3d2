// Room: views. Events that started no run of a job, and why, in words for people. Called by http only; reads, never writes.
import type { Page, Skip } from "@holdfast/protocol";
import type { EnvironmentRow } from "../store/store.ts";
import { type Big, iso, isoOrNull, NO_CEILING, type Reader } from "./reader.ts";

interface SkipColumns {
  event_row_id: string;
  job_id: string;
  at: Big;
  reason: Skip["reason"];
  until_at: Big | null;
  by_event_row_id: string | null;
  event_id: string | null;
  event_name: string | null;
  delivery_id: string | null;
  by_id: string | null;
}

export class SkipViews {
  constructor(private readonly reader: Reader) {}

  /** One page of those of a job, newest first. */
  async ofJob(
    environment: EnvironmentRow,
    job: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Page<Skip>> {
    const values = [environment.id, job, page.cursor ?? `evt_${NO_CEILING}`, page.limit + 1];
    const rows = await this.reader.rows<SkipColumns>("skips-of-job", values);
    const items = rows.slice(0, page.limit).map(skipOf);
    const last = items.at(-1);
    return rows.length > page.limit && last ? { items, nextCursor: last.eventRowId } : { items };
  }

  /** By job. @param eventRowId its row id, evt_… */
  async ofEvent(environment: EnvironmentRow, eventRowId: string): Promise<Skip[]> {
    return (await this.reader.rows<SkipColumns>("skips-of-event", [environment.id, eventRowId])).map(skipOf);
  }
}

function skipOf(row: SkipColumns): Skip {
  const until = isoOrNull(row.until_at);
  const replacedBy = row.by_event_row_id === null ? null : (row.by_id ?? row.by_event_row_id);
  return {
    job: row.job_id,
    reason: row.reason,
    why: until
      ? `The job's rateLimit was used up until ${until}.`
      : `Another event came within the period of the job's debounce and took its place: ${replacedBy}.`,
    at: iso(row.at),
    until,
    replacedBy,
    eventId: row.event_id ?? row.event_row_id,
    eventRowId: row.event_row_id,
    eventName: row.event_name ?? "",
    delivery: row.delivery_id,
  };
}
