// Room: client. Which server, and with which key: options first, then HOLDFAST_*, then v2's TRIGGER_*. Read when used, not when defined,
// so that building an app needs no key.
import { UserFacingError } from "@holdfast/protocol";
import type { Runtime } from "../runtime/runtime.ts";

const DEFAULT_URL = "http://127.0.0.1:3040";

export interface Credentials {
  apiKey: string | undefined;
  /** Without a slash at the end. */
  apiUrl: string;
}

export function credentials(given: { apiKey?: string | undefined; apiUrl?: string | undefined }, runtime: Runtime): Credentials {
  const apiKey = given.apiKey || runtime.env("HOLDFAST_API_KEY") || runtime.env("TRIGGER_API_KEY") || undefined;
  const apiUrl = given.apiUrl || runtime.env("HOLDFAST_API_URL") || runtime.env("TRIGGER_API_URL") || DEFAULT_URL;
  return { apiKey, apiUrl: apiUrl.replace(/\/+$/, "") };
}

/** The key, or a clear error: missing, public instead of secret, or not a key at all. Never shows the key. */
export function requireKey({ apiKey }: Credentials): string {
  if (!apiKey) {
    throw new UserFacingError("UNAUTHORIZED", "Missing API key.", "Set HOLDFAST_API_KEY, or give TriggerClient an apiKey.");
  }
  if (apiKey.startsWith("pk_")) {
    throw new UserFacingError(
      "UNAUTHORIZED",
      "Invalid API key: this is a public key.",
      "Use the environment's secret key, which starts with tr_; the dashboard shows it under Environments.",
    );
  }
  if (!/^tr_[a-z]+_[a-zA-Z0-9]+$/.test(apiKey)) {
    throw new UserFacingError(
      "UNAUTHORIZED",
      "Invalid API key: it does not have the form tr_<environment>_<letters and digits>.",
      "Copy the environment's secret key from the dashboard; look for spaces, quotes or a cut-off end.",
    );
  }
  return apiKey;
}
