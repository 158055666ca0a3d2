// Room: ingest. Requests at sources: endpoints that an app registered with another service by itself. The app is given each request, and says whether it is genuine and which
// events are in it (a webhook's app sends them by itself). Called by verify.ts. Promises: events are stored before the delivery is settled, each once,
// however often the app is asked: one without an id gets its place in the delivery as its id.
import type { RequestPayload } from "@holdfast/protocol";
import type { KnownEndpoint } from "../dispatch/registry.ts";
import { type SourceState, sourceOf } from "../dispatch/source.ts";
import type { DeliveryRow } from "../store/store.ts";
import { replayedFrom } from "./arrival.ts";
import type { Found, IngestParts, VerifyAnswer } from "./ports.ts";
import { openSecret } from "./secret.ts";

type Parts = Pick<IngestParts, "apps" | "events" | "registry" | "vault" | "connections">;

/** Asks the app of a source about a request. Credentials that cannot be had at the moment are waited for; of what is not connected there are none, as on v2. */
export async function askSource(
  { apps, vault, connections }: Parts,
  endpoint: KnownEndpoint,
  source: SourceState,
  request: RequestPayload,
): Promise<VerifyAnswer> {
  const secret = openSecret(vault, endpoint.row);
  if (secret === null)
    return { type: "refused", result: { success: false, reason: "The source's stored secret cannot be read." } };
  const { kind, key, params, data, metadata, dynamic, hosted } = source;
  const what = { kind, key, dynamicId: dynamic?.trigger, secret, params, data, metadata };
  if (kind !== "source" || hosted === undefined) return apps.handOver(endpoint.app, what, request);
  const { environmentId } = endpoint.row;
  const found = await connections.find({ environmentId, integrationId: hosted, accountId: dynamic?.accountId ?? null });
  if (found.type === "unavailable") return { type: "no-answer", message: found.message };
  return apps.handOver(endpoint.app, found.type === "found" ? { ...what, auth: found.auth } : what, request);
}

/** Stores the events an app found in a delivery, with the runs they start. */
export async function storeFound(
  { events, registry }: Parts,
  { row, app, source }: KnownEndpoint,
  delivery: DeliveryRow,
  { events: found, metadata }: Found,
): Promise<void> {
  const dynamic = source?.dynamic;
  const jobs = app.index?.dynamicTriggers.find(({ id }) => id === dynamic?.trigger)?.jobs.map(({ id }) => id) ?? [];
  // A replay starts what its first delivery has started.
  const replay = replayedFrom(delivery) === null ? "" : `:${delivery.id}`;
  const idOf = (given: string | undefined, at: number) => (given === undefined ? `${delivery.id}.${at}` : given + replay);
  for (const [at, event] of found.entries()) {
    await events.send(
      delivery.environmentId,
      { ...event, id: idOf(event.id, at) },
      dynamic
        ? {
            registration: { rule: dynamic.rule, jobs },
            sourceText: JSON.stringify({ id: dynamic.registration }),
            accountId: dynamic.accountId ?? undefined,
          }
        : {},
    );
  }
  if (source && metadata !== undefined && metadata !== null) {
    await registry.changeSource(row.id, ({ row: now }) => {
      const sourceText = JSON.stringify({ ...sourceOf(now), metadata });
      return sourceText === now.sourceText ? null : { ...now, sourceText };
    });
  }
}
