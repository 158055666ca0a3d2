// Room: ingest. One received request on its way to being a delivery: the row it becomes, and the ways it can be stored.
// Called by receive, settle and replay. Promises: nothing is answered 2xx before one of these functions has resolved.
import type { DeliveryVerdict, RequestPayload } from "@holdfast/protocol";
import { storing } from "../dispatch/first-claim.ts";
import type { KnownEndpoint } from "../dispatch/registry.ts";
import type { DeliveryRow, EventRow, Intake, IntakeResult, NewWork } from "../store/store.ts";
import type { IngestParts } from "./ports.ts";

/** Bytes kept of a refused request's body. */
export const KEPT_OF_REFUSED = 64 * 1024;

export type Claim = { id: string; token: string } | null;

/** A verified request: what the event is made of. */
export interface Accepted {
  endpoint: KnownEndpoint;
  delivery: DeliveryRow;
  payload: RequestPayload;
  reason: string | null;
  /** The work row this finishes, when it was stored before. */
  done: Claim;
  /** What has run is run again on purpose: an event of its own, whether or not its message was seen before. */
  anew?: boolean;
}

export class Deliveries {
  constructor(private readonly parts: IngestParts) {}

  /**
   * Stores a refused request. Its body is cut, unless it was refused by verification: then it can be verified again once the secret is mended,
   * and needs all of it.
   */
  async refuse(
    delivery: DeliveryRow,
    reason: string,
    status: number,
    keep: { whole?: boolean; done?: Claim } = {},
  ): Promise<void> {
    const body = keep.whole ? delivery.body : delivery.body.subarray(0, KEPT_OF_REFUSED);
    const row: DeliveryRow = { ...delivery, body, reason, status, verdict: "refused" };
    await this.#store({ delivery: row, done: keep.done ?? null });
  }

  /** Stores a request that still has to be verified, with the work of doing so. */
  async hold(delivery: DeliveryRow, work: NewWork): Promise<void> {
    await this.#store({ delivery: { ...delivery, verdict: "pending" }, work: [work] });
    if (!work.token) this.parts.bus.publish({ type: "work", queues: [work.queue] });
  }

  /** Stores a request that starts nothing by itself, as answered. */
  async keep(delivery: DeliveryRow, verdict: DeliveryVerdict, reason: string, done: Claim = null): Promise<void> {
    await this.#store({ delivery: { ...delivery, verdict, reason }, done });
  }

  /** Stores a verified request with its event and runs, or finds that its message was received before. */
  async accept(accepted: Accepted): Promise<DeliveryRow> {
    const event = this.#eventOf(accepted);
    const delivery: DeliveryRow = { ...accepted.delivery, verdict: "verified", reason: accepted.reason, eventRowId: event.rowId };
    const stored = await storing(this.parts.planRuns(event), event.environmentId, ({ runs, work }) =>
      this.#store({ delivery, event, runs, work, done: accepted.done }),
    );
    return stored.type === "duplicate" ? { ...delivery, verdict: "duplicate", eventRowId: stored.eventRowId } : delivery;
  }

  async #store(intake: Partial<Intake> & { delivery: DeliveryRow }): Promise<IntakeResult> {
    const { delivery } = intake;
    const result = await this.parts.store.intake({ event: null, runs: [], work: [], done: null, ...intake });
    if (result.type === "stale") return result;
    const { bus, meter } = this.parts;
    const { id, environmentId } = delivery;
    const verdict = result.type === "duplicate" ? "duplicate" : delivery.verdict;
    meter.count("holdfast_deliveries_total", { verdict });
    bus.publish({ type: "live", environmentId, message: { type: "delivery", id, verdict } });
    return result;
  }

  /** A message's event id is the endpoint's and the sender's id of it; one without, or one that is run anew, is an event of its own. */
  #eventOf({ endpoint, delivery, payload, anew = false }: Accepted): EventRow {
    const { world } = this.parts;
    const now = world.now();
    const own = delivery.senderId !== null && !anew ? delivery.senderId : delivery.id;
    return {
      rowId: world.newId("event"),
      environmentId: delivery.environmentId,
      id: `${endpoint.row.id}.${own}`,
      name: `httpendpoint.${endpoint.row.slug}`,
      source: endpoint.metadata?.source ?? endpoint.row.slug,
      payloadText: JSON.stringify(payload),
      contextText: null,
      payloadType: "REQUEST",
      timestamp: delivery.receivedAt,
      createdAt: now,
      deliverAt: null,
      deliveredAt: now,
      canceledAt: null,
      accountId: null,
      isTest: false,
      deliveryId: delivery.id,
    };
  }
}

const REPLAY = /^Replay of (dlv_[0-9a-z]{26})\b/;

/** What a replay's reason starts with. */
export function replayReason(rootId: string, rest: string): string {
  return `Replay of ${rootId}: ${rest}`;
}

/** The delivery this one replays, or null. Only our own words are read: the reason of a pending delivery never comes from a sender. */
export function replayedFrom(delivery: Pick<DeliveryRow, "reason">): string | null {
  return REPLAY.exec(delivery.reason ?? "")?.[1] ?? null;
}
