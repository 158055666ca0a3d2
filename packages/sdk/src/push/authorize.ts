// Room: push. Whether a caller holds this app's key. Called for every action, and by adapters before they read a body.
import { createHash, timingSafeEqual } from "node:crypto";

export type Authorization = "authorized" | "unauthorized" | "missing-client" | "missing-header";

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Compares in constant time, whatever the lengths. */
export function authorize(given: string | null | undefined, own: string | undefined): Authorization {
  if (!own) return "missing-client";
  if (!given) return "missing-header";
  return timingSafeEqual(digest(given), digest(own)) ? "authorized" : "unauthorized";
}
