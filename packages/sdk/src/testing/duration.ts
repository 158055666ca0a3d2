// Room: testing. How long, as tests write it. Used by TestRun.advance.
import { UserFacingError } from "@holdfast/protocol";
import { shown } from "./options.ts";

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Seconds, as in `io.wait`, or a text such as "90s", "3h" or "1d 12h" (ms, s, m, h, d, w). */
export type Duration = number | string;

/** Milliseconds. @throws BAD_REQUEST for what is no duration, or a negative one */
export function milliseconds(duration: Duration): number {
  const ms = typeof duration === "number" ? duration * 1000 : typeof duration === "string" ? ofText(duration) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new UserFacingError(
    "BAD_REQUEST",
    `${shown(duration)} is no duration.`,
    'Write seconds, or a text such as "90s", "3h" or "1d 12h".',
  );
}

function ofText(text: string): number {
  const parts = [...text.matchAll(/\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)(?![a-z])/gy)];
  const whole = parts.map(([part]) => part).join("") === text.trimEnd() && parts.length > 0;
  return whole ? parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? Number.NaN), 0) : Number.NaN;
}
