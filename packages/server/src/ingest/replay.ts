// Room: ingest. Takes a stored delivery up again: a new delivery with the same bytes, verified anew unless it was verified before. Called by http.
// Promises: what was verified before runs again, because its event has an id of its own; what was not runs as the message it is, once, however often it came.
import { type DeliveryId, UserFacingError } from "@holdfast/protocol";
import type { DeliveryRow } from "../store/store.ts";
import { type Deliveries, replayedFrom, replayReason } from "./arrival.ts";
import { payloadOf } from "./payload.ts";
import type { IngestParts } from "./ports.ts";
import { type Arrived, IN_RUN, type Verification, verificationOf } from "./verify.ts";

export class Replays {
  constructor(
    private readonly parts: IngestParts,
    private readonly deliveries: Deliveries,
    private readonly verification: Verification,
  ) {}

  /**
   * Replays a delivery; answers the new one's id.
   *
   * @throws UserFacingError NOT_FOUND, CONFLICT (only part of its body was kept), UNPROCESSABLE (it reached no endpoint)
   */
  async replay(environmentId: string, deliveryId: string): Promise<DeliveryId> {
    const original = await this.parts.store.delivery(environmentId, deliveryId);
    if (!original) throw new UserFacingError("NOT_FOUND", `There is no delivery ${deliveryId} in this environment.`);
    const arrived = await this.#again(original);
    const root = replayedFrom(original) ?? original.id;
    const isVerified = original.verdict === "verified" || original.verdict === "duplicate";
    // What is in a source's request only its app can tell.
    if (isVerified && !arrived.endpoint.source) {
      return this.#accept(arrived, replayReason(root, "of a verified delivery, not verified again."), { anew: true });
    }
    switch (verificationOf(arrived.endpoint)) {
      case "in-run":
        return this.#accept(arrived, replayReason(root, IN_RUN));
      case "preset":
        return this.#checkAgain(arrived, root);
      case "app": {
        const pending = { ...arrived.delivery, reason: replayReason(root, "waiting for the app to verify it.") };
        await this.deliveries.hold(pending, this.verification.workOf(arrived.endpoint, pending));
        return pending.id as DeliveryId;
      }
    }
  }

  /** Fresh when it came is fresh enough: a replay is judged by the time its bytes were first received. */
  async #checkAgain(arrived: Arrived, root: string): Promise<DeliveryId> {
    const first = await this.parts.store.delivery(arrived.delivery.environmentId, root);
    const checked = this.verification.check(arrived, first?.receivedAt ?? arrived.delivery.receivedAt);
    if (checked.ok) {
      const named = { ...arrived, delivery: { ...arrived.delivery, senderId: checked.id } };
      return this.#accept(named, replayReason(root, "verified again."));
    }
    await this.deliveries.refuse(arrived.delivery, replayReason(root, checked.reason), 200, { whole: true });
    return arrived.delivery.id as DeliveryId;
  }

  async #accept(arrived: Arrived, reason: string, { anew = false } = {}): Promise<DeliveryId> {
    const marked = { ...arrived, delivery: { ...arrived.delivery, reason } };
    return (await this.deliveries.accept({ ...marked, reason, done: null, anew })).id as DeliveryId;
  }

  async #again(original: DeliveryRow): Promise<Arrived> {
    const endpoint = original.endpointId === null ? null : this.parts.registry.endpoint(original.endpointId);
    if (!endpoint?.metadata) {
      throw new UserFacingError("UNPROCESSABLE", "This request reached no endpoint that exists now, so it cannot be replayed.");
    }
    if (original.size > original.body.length) {
      throw new UserFacingError("CONFLICT", "Only the beginning of this request's body was kept, so it cannot be replayed.");
    }
    const built = await payloadOf(original, this.parts.bodyBytes);
    if (!built.ok) throw new UserFacingError("UNPROCESSABLE", built.reason);
    const { world } = this.parts;
    const copy = { ...original, id: world.newId("delivery"), receivedAt: world.now(), status: 200, eventRowId: null };
    return { endpoint, delivery: { ...copy, verdict: "pending", reason: null }, payload: built.payload };
  }
}
