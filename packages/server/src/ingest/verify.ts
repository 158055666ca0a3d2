// Room: ingest. Verification comes before runs: decides a delivery's verdict, by a preset here, by the app's `verify`, or (published v2 SDKs) not before
// the run. Called by receive while the sender waits, by the worker for deliveries stored as pending, and by replay.
// Promises: only a verified delivery gets an event; one whose app cannot be asked stays pending and is asked again.
import { type RequestPayload, UserFacingError } from "@holdfast/protocol";
import type { KnownEndpoint } from "../dispatch/registry.ts";
import type { Vault } from "../platform/secrets.ts";
import type { DeliveryRow, EndpointRow } from "../store/store.ts";
import { type Deliveries, replayedFrom, replayReason } from "./arrival.ts";
import { bodyOf, payloadOf } from "./payload.ts";
import type { IngestAnswer, IngestParts, VerifyAnswer } from "./ports.ts";
import { SCHEMES, type SignatureCheck, verifySignature } from "./signatures.ts";

/** A request that was read and understood, at an endpoint that takes it. */
export interface Arrived {
  endpoint: KnownEndpoint;
  delivery: DeliveryRow;
  payload: RequestPayload;
}

/** How long an inline verification holds its delivery; after that a worker takes it up. */
const INLINE_LEASE_MS = 30_000;
/** When a worker takes up a delivery whose app did not answer inline. */
const TAKE_UP_MS = 1000;
const LONGEST_REASON = 1000;
export const IN_RUN = "Verified inside the run by the app's SDK.";
const GONE = "The app no longer defines this endpoint, so nobody can verify the request.";

const UNREADABLE = "The endpoint's preset or its stored secret cannot be read: store the secret again.";

/** What a secret of an endpoint is sealed for, so that sealed texts cannot be swapped between rows. */
export function endpointPurpose(row: Pick<EndpointRow, "id">): string {
  return `endpoint:${row.id}`;
}

/** The signing secret stored for an endpoint; null when there is none, or none this server can open. */
export function openSecret(vault: Pick<Vault, "open">, row: EndpointRow): string | null {
  if (row.secretSealed === null) return null;
  try {
    return vault.open(row.secretSealed, endpointPurpose(row));
  } catch (error) {
    if (error instanceof UserFacingError) return null;
    throw error;
  }
}

/** Who verifies requests of an endpoint. */
export function verificationOf(endpoint: KnownEndpoint): "preset" | "app" | "in-run" {
  if (endpoint.row.preset && endpoint.row.secretSealed) return "preset";
  return endpoint.app.index?.holdfast ? "app" : "in-run";
}

export class Verification {
  constructor(
    private readonly parts: IngestParts,
    private readonly deliveries: Deliveries,
  ) {}

  /**
   * Stores a request as its endpoint's way of verifying demands, and says what to answer.
   *
   * @param responded what the app's respondWith wants answered; null for our own answer
   */
  async take(arrived: Arrived, responded: IngestAnswer | null): Promise<IngestAnswer> {
    switch (verificationOf(arrived.endpoint)) {
      case "preset":
        return this.#byPreset(arrived, responded);
      case "in-run":
        return this.#accepted(arrived, IN_RUN, responded);
      case "app":
        return arrived.endpoint.metadata?.answer === "verified"
          ? this.#askNow(arrived, responded)
          : this.#askLater(arrived, responded);
    }
  }

  /** Judges a request by the endpoint's preset and stored secret. */
  check({ endpoint, delivery, payload }: Arrived, receivedAt: number): SignatureCheck {
    const scheme = endpoint.row.preset && Object.hasOwn(SCHEMES, endpoint.row.preset) ? SCHEMES[endpoint.row.preset] : undefined;
    const secret = openSecret(this.parts.vault, endpoint.row);
    if (!scheme || !secret) return { ok: false, malformed: false, reason: UNREADABLE };
    return verifySignature(
      this.parts.world.sign,
      { scheme, secret },
      { headers: delivery.headers, body: bodyOf(payload) },
      receivedAt,
    );
  }

  async #byPreset(arrived: Arrived, responded: IngestAnswer | null): Promise<IngestAnswer> {
    const { delivery, endpoint } = arrived;
    const checked = this.check(arrived, delivery.receivedAt);
    if (checked.ok) return this.#accepted({ ...arrived, delivery: { ...delivery, senderId: checked.id } }, null, responded);
    const tell = endpoint.metadata?.answer === "verified";
    const status = tell ? (checked.malformed ? 400 : 401) : delivery.status;
    await this.deliveries.refuse(delivery, checked.reason, status, { whole: true });
    return tell ? refusal(status, checked.reason, delivery.id) : stored(delivery, responded);
  }

  async #accepted(arrived: Arrived, reason: string | null, responded: IngestAnswer | null): Promise<IngestAnswer> {
    await this.deliveries.accept({ ...arrived, reason, done: null });
    return stored(arrived.delivery, responded);
  }

  async #askLater({ endpoint, delivery }: Arrived, responded: IngestAnswer | null): Promise<IngestAnswer> {
    await this.deliveries.hold(delivery, this.workOf(endpoint, delivery));
    return stored(delivery, responded);
  }

  /**
   * Stored first, so that a crash while the app is asked loses nothing; the lease keeps workers away meanwhile. Its status is 503 until there is a
   * verdict: that is what the sender sees if none comes.
   */
  async #askNow({ endpoint, delivery, payload }: Arrived, responded: IngestAnswer | null): Promise<IngestAnswer> {
    const { apps, store, world, owner } = this.parts;
    const token = world.newId("execution");
    const work = this.workOf(endpoint, delivery);
    await this.deliveries.hold({ ...delivery, status: 503 }, { ...work, dueAt: work.dueAt + INLINE_LEASE_MS, token, owner });
    const answer = await apps.verify(endpoint.app, endpoint.row.slug, payload);
    if (answer.type === "no-answer") {
      await store.renew([token], world.now() + TAKE_UP_MS);
      // Why it could not is the app owner's business, not the sender's.
      const reason = "The app could not be asked to verify it. It is kept and will be verified later.";
      return refusal(503, reason, delivery.id, { "retry-after": "10" });
    }
    const refused = answer.type === "refused";
    await this.settle({ ...delivery, status: refused ? 401 : delivery.status }, token, answer);
    return refused ? refusal(401, reasonOf(answer), delivery.id) : stored(delivery, responded);
  }

  /** The work of verifying a stored delivery: its app's queue, at once. */
  workOf(endpoint: KnownEndpoint, delivery: DeliveryRow): { id: string; kind: "delivery"; queue: string; dueAt: number } {
    return { id: delivery.id, kind: "delivery", queue: endpoint.app.id, dueAt: this.parts.world.now() };
  }

  /** Asks the app about a stored delivery. @returns its answer; refused here when nobody can be asked any more */
  async #ask(delivery: DeliveryRow): Promise<VerifyAnswer> {
    const endpoint = delivery.endpointId === null ? null : this.parts.registry.endpoint(delivery.endpointId);
    if (!endpoint?.metadata) return { type: "refused", result: { success: false, reason: GONE } };
    const built = await payloadOf(delivery, this.parts.bodyBytes);
    if (!built.ok) return { type: "refused", result: { success: false, reason: built.reason } };
    return this.parts.apps.verify(endpoint.app, endpoint.row.slug, built.payload);
  }

  /** For the worker: asks the app about a claimed delivery and writes the verdict. "no-answer": it stays pending, ask again later. */
  async verify(delivery: DeliveryRow, token: string): Promise<"settled" | "no-answer"> {
    return this.settle(delivery, token, await this.#ask(delivery));
  }

  /** Writes the verdict of a stored delivery, if the claim still holds. */
  async settle(delivery: DeliveryRow, token: string, answer: VerifyAnswer): Promise<"settled" | "no-answer"> {
    if (answer.type === "no-answer") return "no-answer";
    const done = { id: delivery.id, token };
    const root = replayedFrom(delivery);
    const said = (reason: string): string => (root ? replayReason(root, reason) : reason);
    const endpoint = delivery.endpointId === null ? null : this.parts.registry.endpoint(delivery.endpointId);
    const refuse = async (reason: string): Promise<"settled"> => {
      await this.deliveries.refuse(delivery, said(reason), delivery.status, { whole: true, done });
      return "settled";
    };
    if (answer.type === "refused") return refuse(reasonOf(answer));
    if (!endpoint) return refuse(GONE);
    const built = await payloadOf(delivery, this.parts.bodyBytes);
    if (!built.ok) return refuse(built.reason);
    const reason = root ? said("verified again.") : null;
    await this.deliveries.accept({ endpoint, delivery, payload: built.payload, reason, done });
    return "settled";
  }
}

function reasonOf(answer: Exclude<VerifyAnswer, { type: "no-answer" }>): string {
  return clipped(answer.result.reason ?? "") || "The app's verify refused it and gave no reason.";
}

function clipped(text: string): string {
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)}…` : text;
}

function stored(delivery: DeliveryRow, responded: IngestAnswer | null): IngestAnswer {
  const own = { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ id: delivery.id }) };
  return withId(responded ?? own, delivery.id);
}

function refusal(status: number, reason: string, id: string, headers: Record<string, string> = {}): IngestAnswer {
  const body = JSON.stringify({ error: reason, message: reason, id });
  return withId({ status, headers: { "content-type": "application/json", ...headers }, body }, id);
}

/** The answer with the id of its delivery, by which the sender's log and ours are joined. */
export function withId(answer: IngestAnswer, deliveryId: string): IngestAnswer {
  return { ...answer, headers: { ...answer.headers, "x-holdfast-delivery": deliveryId }, deliveryId };
}
