// Room: ingest. Hop 1 of the river: a raw request becomes a stored delivery, and an answer. Called by http for every method on an endpoint's URL.
// Promises: a 2xx is on disk first; whatever a sender writes, the answer is never a 5xx of our making; every refusal says why and is kept.
import type { KnownEndpoint } from "../dispatch/registry.ts";
import type { DeliveryRow, EnvironmentRow } from "../store/store.ts";
import { type Deliveries, KEPT_OF_REFUSED } from "./arrival.ts";
import { locate } from "./locate.ts";
import { payloadOf } from "./payload.ts";
import type { InboundRequest, IngestAnswer, IngestParts } from "./ports.ts";
import { readBody } from "./read-body.ts";
import { respond, wantsToRespond } from "./respond.ts";
import { senderIdOf } from "./sender-id.ts";
import { TokenBucket } from "./token-bucket.ts";
import { type Arrived, type Verification, verificationOf, withId } from "./verify.ts";

/** Bytes kept of a request to a URL that names no endpoint. */
const KEPT_OF_UNKNOWN = 4 * 1024;
const UNKNOWN_KEPT_PER_MINUTE = 60;
const ALLOWED = "POST, PUT, PATCH, DELETE";
/** Methods without a body to speak of: no run unless a job asks for them by name. */
const BARE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const RETRY_AFTER = { "retry-after": "5" };

interface Refusal {
  status: number;
  reason: string;
  /** What the sender hears when the reason holds what only the app's owner may know. Default: the reason. */
  told?: string;
  headers?: Record<string, string>;
}

export class Receiver {
  readonly #unknown: TokenBucket;

  constructor(
    private readonly parts: IngestParts,
    private readonly deliveries: Deliveries,
    private readonly verification: Verification,
  ) {
    this.#unknown = new TokenBucket(() => parts.world.now(), {
      burst: UNKNOWN_KEPT_PER_MINUTE,
      perSecond: UNKNOWN_KEPT_PER_MINUTE / 60,
    });
  }

  /**
   * Receives one request.
   *
   * @throws UserFacingError OVERLOADED or DATABASE_UNREACHABLE when it cannot be stored; the sender shall try again
   */
  async receive(request: InboundRequest): Promise<IngestAnswer> {
    const found = locate(this.parts.registry, pathOf(request.url), this.parts.mode);
    if (found.type === "unknown") return this.#unknownEndpoint(request, found.environment, found.reason);
    const closed = closedReason(found.endpoint);
    const { inTurn = (_bytes, act) => act(), reading = (_most, read) => read() } = request;
    const most = closed ? KEPT_OF_REFUSED : this.parts.bodyBytes;
    const { bytes, size, end } = await reading(most, () => readBody(request.body, most));
    if (end === "broken") return json(400, { error: "The request ended before its body did." });
    return inTurn(bytes.length, () => this.#received(request, found, { bytes, size, end, closed }));
  }

  async #received(
    request: InboundRequest,
    { environment, endpoint }: { environment: EnvironmentRow; endpoint: KnownEndpoint },
    { bytes, size, end, closed }: { bytes: Uint8Array; size: number; end: "complete" | "cut"; closed: string | null },
  ): Promise<IngestAnswer> {
    const delivery = this.#row(request, environment, { endpoint, body: bytes, size });
    if (closed) return this.#refuse(delivery, { status: 404, reason: closed });
    if (end === "cut") return this.#refuse(delivery, { status: 413, reason: tooLarge(this.parts.bodyBytes) });
    const built = await payloadOf(delivery, this.parts.bodyBytes);
    if (!built.ok) return this.#refuse(delivery, built);
    return this.#take({ endpoint, delivery, payload: built.payload });
  }

  /** A request that could be read: the app answers it, or it is verified, or its method is not one for this endpoint. */
  async #take(arrived: Arrived): Promise<IngestAnswer> {
    const { endpoint, delivery, payload } = arrived;
    if (wantsToRespond(endpoint, payload)) return this.#respondFirst(arrived);
    const takesGet = endpoint.source !== null && delivery.method === "GET";
    if (BARE_METHODS.has(delivery.method) && !takesGet && !this.#namedByJob(endpoint, delivery.method)) {
      const reason = `${delivery.method} starts no runs here: no job of this endpoint filters for that method, and respondWith does not match.`;
      return this.#refuse(delivery, { status: 405, reason, headers: { allow: ALLOWED } });
    }
    return this.verification.take(arrived, null);
  }

  async #respondFirst(arrived: Arrived): Promise<IngestAnswer> {
    const { endpoint, delivery, payload } = arrived;
    const responded = await respond(this.parts.apps, endpoint, payload);
    if (responded.type === "no-answer") {
      const reason = `The app did not answer respondWith: ${responded.message}`;
      return this.#refuse(delivery, {
        status: 502,
        reason,
        told: "The app could not answer. Send it again later.",
        headers: RETRY_AFTER,
      });
    }
    const { answer } = responded;
    const row: DeliveryRow = { ...delivery, status: answer.status };
    if (answer.status !== 200) {
      await this.deliveries.keep(row, "refused", `The app's respondWith answered ${answer.status}, so nothing was started.`);
      return withId(answer, delivery.id);
    }
    if (endpoint.metadata?.skipTriggeringRuns) {
      await this.deliveries.keep(
        row,
        "verified",
        "Answered by the app's respondWith; this endpoint starts no runs for such requests.",
      );
      return withId(answer, delivery.id);
    }
    return this.verification.take({ ...arrived, delivery: row }, answer);
  }

  /** A job that filters for a bare method by name has asked for it. */
  #namedByJob(endpoint: KnownEndpoint, method: string): boolean {
    return jobsOf(this.parts.registry, endpoint).some(({ metadata }) => {
      const filter = metadata.trigger.type === "static" ? metadata.trigger.rule.payload : undefined;
      const methods = filter && Object.hasOwn(filter, "method") ? filter.method : undefined;
      return Array.isArray(methods) && methods.includes(method);
    });
  }

  async #unknownEndpoint(request: InboundRequest, environment: EnvironmentRow | null, reason: string): Promise<IngestAnswer> {
    const { bytes, size } = await readBody(request.body, KEPT_OF_UNKNOWN);
    const refusal = { status: 404, reason };
    if (!environment || !this.#unknown.take()) return json(404, { error: "There is no such endpoint." });
    return this.#refuse(this.#row(request, environment, { endpoint: null, body: bytes, size }), refusal);
  }

  async #refuse(delivery: DeliveryRow, { status, reason, told = reason, headers = {} }: Refusal): Promise<IngestAnswer> {
    await this.deliveries.refuse(delivery, reason, status);
    const answer = json(status, { error: told });
    return withId({ ...answer, headers: { ...answer.headers, ...headers } }, delivery.id);
  }

  #row(
    request: InboundRequest,
    environment: EnvironmentRow,
    got: { endpoint: KnownEndpoint | null; body: Uint8Array; size: number },
  ): DeliveryRow {
    const v2 = got.endpoint !== null && verificationOf(got.endpoint) === "in-run";
    return {
      id: this.parts.world.newId("delivery"),
      environmentId: environment.id,
      endpointId: got.endpoint?.row.id ?? null,
      receivedAt: this.parts.world.now(),
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: got.body,
      size: got.size,
      verdict: "pending",
      reason: null,
      status: 200,
      senderId: senderIdOf(request.headers, { v2 }),
      eventRowId: null,
    };
  }
}

/** Jobs that listen to an endpoint. */
export function jobsOf(
  registry: IngestParts["registry"],
  endpoint: KnownEndpoint,
): ReturnType<IngestParts["registry"]["listeners"]> {
  return registry.listeners(endpoint.row.environmentId, `httpendpoint.${endpoint.row.slug}`);
}

function closedReason(endpoint: KnownEndpoint): string | null {
  if (!endpoint.metadata) return `The app "${endpoint.app.slug}" no longer defines the endpoint "${endpoint.row.slug}".`;
  return endpoint.metadata.enabled ? null : `The endpoint "${endpoint.row.slug}" is disabled by its app.`;
}

function tooLarge(limit: number): string {
  return `The body is larger than the ${limit} bytes accepted.`;
}

function pathOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? url;
}

function json(status: number, body: { error: string } | { id: string }): IngestAnswer {
  const whole = "error" in body ? { error: body.error, message: body.error } : body;
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(whole) };
}
