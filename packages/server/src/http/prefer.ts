// Room: http. The request header `Prefer` (RFC 7240): how long a caller wants to wait for what it started. Called by the routes that start runs.
import { UserFacingError } from "@holdfast/protocol";

/** Proxies rarely hold a request longer. */
const MOST_SECONDS = 300;

/**
 * Seconds to wait; null: not at all.
 *
 * @example secondsToWait("respond-async, wait=30") → 30
 * @throws UserFacingError BAD_REQUEST for a wait that is no whole number of seconds
 */
export function secondsToWait(prefer: string | undefined): number | null {
  const wish = prefer?.split(",").find((part) => /^\s*wait\s*(=|;|$)/i.test(part));
  if (wish === undefined) return null;
  const seconds = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(;|$)/i.exec(wish)?.[1];
  if (seconds !== undefined) return Math.min(Number(seconds), MOST_SECONDS);
  throw new UserFacingError(
    "BAD_REQUEST",
    `\`Prefer: ${wish.trim()}\` does not say how long to wait.`,
    "For example `Prefer: wait=30`, in seconds.",
  );
}
