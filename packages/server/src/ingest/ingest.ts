// Room: ingest. The room's door: everything http and the worker may ask of it. Built once by main.
import type { DeliveryRow } from "../store/store.ts";
import { Deliveries } from "./arrival.ts";
import type { InboundRequest, IngestAnswer, IngestParts } from "./ports.ts";
import { Receiver } from "./receive.ts";
import { Replays } from "./replay.ts";
import { type SampleOrder, sendSample } from "./sample.ts";
import { Verification } from "./verify.ts";

export interface Ingest {
  /** A request at an endpoint's URL; see {@link Receiver.receive}. */
  receive(request: InboundRequest): Promise<IngestAnswer>;
  /** For the worker: asks the app of a claimed delivery to verify it, and writes the verdict. "no-answer": it stays pending, ask again later. */
  verify(delivery: DeliveryRow, token: string): Promise<"settled" | "no-answer">;
  /** Resolves when no app is being asked about a delivery that was answered already. */
  idle(): Promise<void>;
  /** Answers the id of the new delivery; see {@link Replays.replay}. */
  replay(environmentId: string, deliveryId: string): Promise<string>;
  sendSample(order: SampleOrder): ReturnType<typeof sendSample>;
}

/**
 * Builds the room.
 *
 * @example const ingest = createIngest({ world, registry, store, bus, apps, connections, planRuns, vault, meter, owner, mode: "dev", bodyBytes: DEFAULT_BODY_BYTES })
 */
export function createIngest(parts: IngestParts): Ingest {
  const deliveries = new Deliveries(parts);
  const verification = new Verification(parts, deliveries);
  const receiver = new Receiver(parts, deliveries, verification);
  const replays = new Replays(parts, deliveries, verification);
  return {
    receive: (request) => receiver.receive(request),
    verify: (delivery, token) => verification.verify(delivery, token),
    idle: () => verification.idle(),
    replay: (environmentId, deliveryId) => replays.replay(environmentId, deliveryId),
    sendSample: (order) => sendSample(parts.world, order),
  };
}
