// Room: push. Whether a caller holds this app's key. Called for every action, and by adapters before they read a body.
import { platform } from "#platform";

export type Authorization = "authorized" | "unauthorized" | "missing-client" | "missing-header";

/** As long for every text. */
const digest = (text: string): Uint8Array => platform.decoded(platform.hashed("sha256", text), "hex");

/** Compares in constant time, whatever the lengths. */
export function authorize(given: string | null | undefined, own: string | undefined): Authorization {
  if (!own) return "missing-client";
  if (!given) return "missing-header";
  return platform.sameBytes(digest(given), digest(own)) ? "authorized" : "unauthorized";
}
