// Room: views. Every request received, as the dashboard and the CLI list and show them. Called by http only; reads, never writes.
import type { DeliveryDetail, DeliverySummary, DeliveryVerdict, Page } from "@holdfast/protocol";
import type { EnvironmentRow } from "../store/store.ts";
import { type Big, iso, NO_CEILING, type Reader } from "./reader.ts";
import type { SkipViews } from "./skips.ts";

export interface DeliveryQuery {
  /** The endpoint's row id. */
  endpointId?: string | undefined;
  verdict?: DeliveryVerdict | undefined;
  /** Id of the last delivery of the page before. */
  cursor?: string | undefined;
  limit: number;
}

interface DeliveryColumns {
  id: string;
  endpoint_id: string | null;
  endpoint_slug: string | null;
  received_at: Big;
  method: string;
  url: string;
  size: Big;
  verdict: DeliveryVerdict;
  reason: string | null;
  status: number;
  sender_id: string | null;
  event_row_id: string | null;
  runs: string[] | null;
}
interface DetailColumns extends DeliveryColumns {
  headers_text: string;
  body: Uint8Array;
}

export class DeliveryViews {
  constructor(
    private readonly reader: Reader,
    private readonly skips: SkipViews,
  ) {}

  /** One page, newest first. */
  async list(environment: EnvironmentRow, query: DeliveryQuery): Promise<Page<DeliverySummary>> {
    const values = [environment.id, query.verdict ?? null, query.cursor ?? `dlv_${NO_CEILING}`, query.limit + 1];
    const rows =
      query.endpointId === undefined
        ? await this.reader.rows<DeliveryColumns>("deliveries-list", values)
        : await this.reader.rows<DeliveryColumns>("deliveries-of-endpoint", [...values, query.endpointId]);
    const items = rows.slice(0, query.limit).map(summaryOf);
    const last = items.at(-1);
    return rows.length > query.limit && last ? { items, nextCursor: last.id } : { items };
  }

  /** A delivery with headers and bytes, or null. */
  async detail(environment: EnvironmentRow, id: string): Promise<DeliveryDetail | null> {
    const [row] = await this.reader.rows<DetailColumns>("delivery-detail", [environment.id, id]);
    if (!row) return null;
    const headers = JSON.parse(row.headers_text) as [string, string][];
    return {
      ...summaryOf(row),
      url: row.url,
      headers,
      bodyBase64: Buffer.from(row.body).toString("base64"),
      bodyTruncated: Number(row.size) > row.body.length,
      eventId: row.event_row_id,
      skipped: row.event_row_id === null ? [] : await this.skips.ofEvent(environment, row.event_row_id),
    };
  }
}

function summaryOf(row: DeliveryColumns): DeliverySummary {
  return {
    id: row.id,
    endpoint: row.endpoint_slug,
    method: row.method,
    path: row.url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") || "/",
    verdict: row.verdict,
    reason: row.reason,
    status: row.status,
    senderId: row.sender_id,
    size: Number(row.size),
    runs: row.runs ?? [],
    receivedAt: iso(row.received_at),
  };
}
