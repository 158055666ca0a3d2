// Room: ingest. Verification comes before runs: decides a delivery's verdict, by a preset here, by the app's `verify`, or (published v2 SDKs) not before
// the run. Called by receive while the sender waits, by the worker for deliveries stored as pending, and by replay.
// Promises: only a verified delivery gets an event; one whose app cannot be asked stays pending and is asked again.
import type { RequestPayload } from "@holdfast/protocol";
import type { KnownEndpoint } from "../dispatch/registry.ts";
import { verifyQueue } from "../store/queues.ts";
import type { DeliveryRow } from "../store/store.ts";
import { type Accepted, type Deliveries, replayedFrom, replayReason } from "./arrival.ts";
import { bodyOf, payloadOf } from "./payload.ts";
import type { Found, IngestAnswer, IngestParts, VerifyAnswer } from "./ports.ts";
import { openSecret } from "./secret.ts";
import { SCHEMES, type SignatureCheck, verifySignature } from "./signatures.ts";
import { askSource, storeFound } from "./sources.ts";

/** A request that was read and understood, at an endpoint that takes it. */
export interface Arrived {
  endpoint: KnownEndpoint;
  delivery: DeliveryRow;
  payload: RequestPayload;
}

/** How long an inline verification holds its delivery; after that a worker takes it up. */
const INLINE_LEASE_MS = 30_000;
/** Deliveries whose apps are asked at once without a claim; more wait for the worker. */
const ASK_AT_ONCE = 100;
/** When a worker takes up a delivery whose app did not answer inline. */
const TAKE_UP_MS = 1000;
const LONGEST_REASON = 1000;
export const IN_RUN = "Verified inside the run by the app's SDK.";
const GONE = "The app no longer defines this endpoint, so nobody can verify the request.";

const UNREADABLE = "The endpoint's preset or its stored secret cannot be read: store the secret again.";

/** Who verifies requests of an endpoint. */
export function verificationOf(endpoint: KnownEndpoint): "preset" | "app" | "in-run" {
  if (endpoint.source) return "app";
  if (endpoint.row.preset && endpoint.row.secretSealed) return "preset";
  return endpoint.app.index?.holdfast ? "app" : "in-run";
}

export class Verification {
  /** Apps being asked about deliveries that were answered already. */
  readonly #asking = new Set<Promise<unknown>>();

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

  /** Answered once stored; then the app is asked from here if it can be, else by whoever claims the delivery. */
  async #askLater(arrived: Arrived, responded: IngestAnswer | null): Promise<IngestAnswer> {
    const { endpoint, delivery } = arrived;
    const work = this.workOf(endpoint, delivery);
    if (this.#asking.size < ASK_AT_ONCE && this.parts.apps.reachable(endpoint.app)) {
      const held = this.#holdLeased(delivery, work);
      const asked = this.#askWhileStoring(arrived);
      this.#inBackground(arrived, held, asked);
      await held;
    } else {
      await this.deliveries.hold(delivery, work);
    }
    return stored(delivery, responded);
  }

  /**
   * The app's `verify` changes nothing, so it may be asked before the request is on disk: right after it is on its way there, which is what its sender waits
   * for. What handles a source's request may do anything.
   */
  #askWhileStoring({ endpoint, payload }: Arrived): Promise<VerifyAnswer> | null {
    if (endpoint.source) return null;
    const asked = new Promise<void>((next) => this.parts.world.turn(next)).then(() => this.#askApp(endpoint, payload));
    // Whether it failed counts only once the request is stored.
    asked.catch(() => {});
    return asked;
  }

  /** @param held fails when the request could not be stored: then nothing follows from it, and its sender is told */
  #inBackground(arrived: Arrived, held: Promise<string>, asked: Promise<VerifyAnswer> | null): void {
    const settle = async (token: string | null): Promise<void> => {
      if (token === null) return;
      try {
        await this.#settleNow(arrived, token, { asked });
      } catch (error) {
        const note = { delivery: arrived.delivery.id, error };
        this.parts.world.log.warn("a delivery's verdict could not be written; it will be verified again", note);
      }
    };
    const asking = held.catch(() => null).then(settle);
    this.#asking.add(asking);
    void asking.finally(() => this.#asking.delete(asking));
  }

  /** Resolves when no app is being asked from here. */
  async idle(): Promise<void> {
    await Promise.all(this.#asking);
  }

  /**
   * Answered once stored and judged; a crash before loses nothing, and the lease keeps workers away meanwhile. Its status is 503 until there is a verdict:
   * that is what the sender sees if none comes.
   */
  async #askNow(arrived: Arrived, responded: IngestAnswer | null): Promise<IngestAnswer> {
    const { delivery } = arrived;
    const held = this.#holdLeased({ ...delivery, status: 503 }, this.workOf(arrived.endpoint, delivery));
    const asked = this.#askWhileStoring(arrived);
    const answer = await this.#settleNow(arrived, await held, { asked, refusedStatus: 401 });
    if (answer.type === "no-answer") {
      // Why it could not is the app owner's business, not the sender's.
      const reason = "The app could not be asked to verify it. It is kept and will be verified later.";
      return refusal(503, reason, delivery.id, { "retry-after": "10" });
    }
    return answer.type === "refused" ? refusal(401, reasonOf(answer), delivery.id) : stored(delivery, responded);
  }

  /** Stores a delivery as this server's to verify: nobody else takes it up before the lease ends. Answers the lease's token. */
  async #holdLeased(delivery: DeliveryRow, work: ReturnType<Verification["workOf"]>): Promise<string> {
    const { world, owner } = this.parts;
    const token = world.newId("execution");
    await this.deliveries.hold(delivery, { ...work, dueAt: work.dueAt + INLINE_LEASE_MS, token, owner });
    return token;
  }

  /**
   * Asks the app about a delivery leased to this server, if it was not asked yet, and writes the verdict; without an answer a worker takes it up soon.
   *
   * @param how `refusedStatus`: the status the sender is told when the app refuses it
   */
  async #settleNow(
    { endpoint, delivery, payload }: Arrived,
    token: string,
    { asked, refusedStatus = delivery.status }: { asked: Promise<VerifyAnswer> | null; refusedStatus?: number },
  ): Promise<VerifyAnswer> {
    const { owner, store, world } = this.parts;
    const answer = await (asked ?? this.#askApp(endpoint, payload));
    if (answer.type === "no-answer") await store.renew([token], world.now() + TAKE_UP_MS, owner);
    const told = answer.type === "refused" ? { ...delivery, status: refusedStatus } : delivery;
    await this.settle({ delivery: told, payload }, token, answer);
    return answer;
  }

  /** The work of verifying a stored delivery, at once. */
  workOf(endpoint: KnownEndpoint, delivery: DeliveryRow): { id: string; kind: "delivery"; queue: string; dueAt: number } {
    return { id: delivery.id, kind: "delivery", queue: verifyQueue(endpoint.app.id), dueAt: this.parts.world.now() };
  }

  /** Asks the app about a stored delivery. @returns its answer; refused here when nobody can be asked any more */
  async #ask(delivery: DeliveryRow): Promise<{ answer: VerifyAnswer; payload: RequestPayload | null }> {
    const refused = (reason: string) => ({
      answer: { type: "refused", result: { success: false, reason } } as const,
      payload: null,
    });
    const endpoint = this.#endpointOf(delivery);
    if (!endpoint?.metadata) return refused(GONE);
    const built = await payloadOf(delivery, this.parts.bodyBytes);
    if (!built.ok) return refused(built.reason);
    return { answer: await this.#askApp(endpoint, built.payload), payload: built.payload };
  }

  #askApp(endpoint: KnownEndpoint, payload: RequestPayload): Promise<VerifyAnswer> {
    const { app, row, source } = endpoint;
    return source ? askSource(this.parts, endpoint, source, payload) : this.parts.apps.verify(app, row.slug, payload);
  }

  #endpointOf({ endpointId }: DeliveryRow): KnownEndpoint | null {
    return endpointId === null ? null : this.parts.registry.endpoint(endpointId);
  }

  /** For the worker: asks the app about a claimed delivery and writes the verdict. "no-answer": it stays pending, ask again later. */
  async verify(delivery: DeliveryRow, token: string): Promise<"settled" | "no-answer"> {
    const { answer, payload } = await this.#ask(delivery);
    return this.settle({ delivery, payload }, token, answer);
  }

  /** Writes the verdict of a stored delivery, if the claim still holds. */
  async settle(
    { delivery, payload }: { delivery: DeliveryRow; payload: RequestPayload | null },
    token: string,
    answer: VerifyAnswer,
  ): Promise<"settled" | "no-answer"> {
    if (answer.type === "no-answer") return "no-answer";
    const done = { id: delivery.id, token };
    const root = replayedFrom(delivery);
    const said = (reason: string): string => (root ? replayReason(root, reason) : reason);
    const endpoint = this.#endpointOf(delivery);
    const refuse = async (reason: string): Promise<"settled"> => {
      await this.deliveries.refuse(delivery, said(reason), delivery.status, { whole: true, done });
      return "settled";
    };
    if (answer.type === "refused") return refuse(reasonOf(answer));
    if (!endpoint || !payload) return refuse(GONE);
    const reason = root ? said("verified again.") : null;
    if (endpoint.source) return this.#takeFound({ endpoint, delivery, payload, reason, done }, answer.found);
    await this.deliveries.accept({ endpoint, delivery, payload, reason, done });
    return "settled";
  }

  /** A source's request is no event itself: those that are in it are stored first. */
  async #takeFound({ endpoint, delivery, reason, done }: Accepted, found: Found | undefined): Promise<"settled"> {
    if (found) await storeFound(this.parts, endpoint, delivery, found);
    await this.deliveries.keep(delivery, "verified", reason ?? foundReason(found), done);
    return "settled";
  }
}

function foundReason(found: Found | undefined): string {
  if (!found) return "Handed to the app, which sends the events by itself.";
  const { length } = found.events;
  return `The app found ${length} ${length === 1 ? "event" : "events"} in it.`;
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
