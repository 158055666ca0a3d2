// Room: ingest. The sender's own id of a message, which is what makes a repeated request a duplicate. Called by receive and settle.
// Promises: an id is only ever taken from a header meant to stay the same when the sender tries again; without one nothing is a duplicate.
import { createHash } from "node:crypto";
import { headerOf } from "./payload.ts";

/** Headers that name a message, in order of trust. Svix's come first: its libraries read them first when both families are present. */
const SENDER_IDS = ["svix-id", "webhook-id", "idempotency-key", "x-github-delivery", "x-shopify-webhook-id", "linear-delivery"];
/** v2 also took this one. Proxies write it anew for every try, so it is read only for apps that rely on v2's behaviour. */
const V2_ALSO = ["x-request-id"];
const LONGEST = 255;

/**
 * The sender's id of a message, or null.
 *
 * @example senderIdOf([["Svix-Id", "msg_1"]], { v2: false }) // "msg_1"
 */
export function senderIdOf(headers: readonly (readonly [string, string])[], options: { v2: boolean }): string | null {
  for (const name of options.v2 ? [...SENDER_IDS, ...V2_ALSO] : SENDER_IDS) {
    const value = headerOf(headers, name)?.trim();
    if (value) return value.length <= LONGEST ? value : `sha256:${createHash("sha256").update(value).digest("hex")}`;
  }
  return null;
}
