// Room: ingest. Forges a sender's request from a catalogue sample, signs it well or badly on purpose, and sends it over real HTTP to the endpoint's own
// URL, so that what is tried is the whole way in. Called by http for the dashboard and the CLI.
import { type SendSampleRequest, type SendSampleResult, UserFacingError } from "@holdfast/protocol";
import type { IngestParts } from "./ports.ts";
import { SCHEMES, type SignatureScheme, signRequest } from "./signatures.ts";

/** What is needed of a catalogue entry. */
export interface SampleSource {
  readonly id: string;
  readonly name: string;
  readonly secretEnv: string | null;
  readonly signature: { readonly scheme: string } | null;
  readonly events: readonly { readonly name: string; readonly title: string; readonly body: unknown }[];
}

export interface SampleOrder {
  url: string;
  source: SampleSource;
  request: SendSampleRequest;
  /** The secret stored for the endpoint, then the one `dev` gave the app: the first present is used when the request names none. */
  secrets: (string | null | undefined)[];
}

/** Older than the five minutes senders' libraries accept. */
const STALE_SECONDS = 6 * 60;
const SEND_TIMEOUT_MS = 30_000;

type World = IngestParts["world"];

/**
 * Sends one sample.
 *
 * @throws UserFacingError NOT_FOUND (no such sample), UNPROCESSABLE (no secret, or not one of the scheme), APP_UNREACHABLE (our own URL did not answer)
 */
export async function sendSample(world: World, order: SampleOrder): Promise<SendSampleResult> {
  const { headers, body } = forge(world, order);
  const sent = await world.fetch({ url: order.url, method: "POST", headers, body, timeoutMs: SEND_TIMEOUT_MS });
  if (!sent.ok) throw new UserFacingError("APP_UNREACHABLE", `The sample could not be sent to ${order.url}: ${sent.message}`);
  return { status: sent.status, deliveryId: sent.headers["x-holdfast-delivery"] ?? null };
}

function forge(world: World, order: SampleOrder): { headers: Record<string, string>; body: Uint8Array } {
  const { source, request } = order;
  const event = source.events.find(({ name }) => name === request.sample);
  if (!event) {
    const known = source.events.map(({ name }) => name).join(", ");
    throw new UserFacingError("NOT_FOUND", `${source.name} has no sample "${request.sample}".`, `Samples: ${known || "none"}.`);
  }
  const body = Buffer.from(JSON.stringify(event.body), "utf8");
  const plain = { "content-type": "application/json", "user-agent": "Holdfast-Sample/1" };
  if (request.forge === "unsigned" || !source.signature) return { headers: plain, body };
  const signed = sign(world, order, body);
  const sent = request.forge === "tampered" ? Buffer.concat([body, Buffer.from(" ")]) : body;
  return { headers: { ...plain, ...signed }, body: sent };
}

function sign(world: World, order: SampleOrder, body: Uint8Array): Record<string, string> {
  const { source, request } = order;
  const scheme = Object.hasOwn(SCHEMES, source.signature?.scheme ?? "") ? SCHEMES[source.signature?.scheme ?? ""] : undefined;
  if (!scheme)
    throw new UserFacingError(
      "UNPROCESSABLE",
      `${source.name}'s way of signing is not known here.`,
      'Send it with forge "unsigned".',
    );
  const secret =
    request.forge === "wrong-secret" ? randomSecret(world, scheme) : (request.secret ?? order.secrets.find((known) => known));
  if (!secret) {
    const hint = source.secretEnv
      ? `Give the secret, store it for the endpoint, or set ${source.secretEnv} where the server runs.`
      : "Give the secret, or store it for the endpoint.";
    throw new UserFacingError("UNPROCESSABLE", `The sample cannot be signed: no signing secret of this endpoint is known.`, hint);
  }
  const seconds = Math.floor(world.now() / 1000) - (request.forge === "stale" ? STALE_SECONDS : 0);
  const id = `msg_${Buffer.from(world.random(16)).toString("hex")}`;
  const headers = signRequest(world.sign, scheme, secret, { id, timestamp: seconds, body });
  if (headers) return headers;
  throw new UserFacingError(
    "UNPROCESSABLE",
    "The secret does not have the form of a signing secret.",
    `It starts with ${scheme.secretPrefix} and goes on in base64.`,
  );
}

function randomSecret(world: World, scheme: SignatureScheme): string {
  return scheme.secretPrefix + Buffer.from(world.random(24)).toString("base64");
}
