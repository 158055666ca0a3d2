// When a failed attempt of a task is tried again: v2's formula (wire §4.4), for retries the server decides itself. Called by the server's task operations.
// Promises: pure, total; nonsense options fall back to the defaults, so a delay is always a whole, finite, non-negative number of milliseconds.

/** v2's retry options. `limit` counts all attempts, the first included. */
export interface RetryOptions {
  readonly limit?: number;
  readonly factor?: number;
  readonly minTimeoutInMs?: number;
  readonly maxTimeoutInMs?: number;
  readonly randomize?: boolean;
}

/** What is left out of a given `retry` option. */
export const RETRY_DEFAULTS: Required<RetryOptions> = {
  limit: 5,
  factor: 1.8,
  minTimeoutInMs: 1000,
  maxTimeoutInMs: 60_000,
  randomize: true,
};

/** The two ready-made options of v2's `retry`. */
export const RETRY_PRESETS = {
  standardBackoff: { limit: 8, factor: 1.8, minTimeoutInMs: 500, maxTimeoutInMs: 30_000, randomize: true },
  exponentialBackoff: { limit: 8, factor: 2, minTimeoutInMs: 1000, maxTimeoutInMs: 30_000, randomize: true },
} as const satisfies Record<string, Required<RetryOptions>>;

/**
 * How many attempts there may be in all; 0 or 1 means no retry, and so does no `retry` option.
 *
 * @example retryLimit({}) // 5
 */
export function retryLimit(options: RetryOptions | undefined): number {
  return options === undefined ? 0 : number(options.limit, RETRY_DEFAULTS.limit);
}

/**
 * Milliseconds to wait after a failed attempt, or null when it was the last one.
 *
 * @param attempt 1-based number of the attempt that failed; attempts 1 and 2 wait the same
 * @param random chance in [0, 1); stretches the wait to at most twice, unless `randomize` is false
 * @example retryDelay({ factor: 2, maxTimeoutInMs: 6000, randomize: false }, 3, 0) // 2000
 */
export function retryDelay(options: RetryOptions | undefined, attempt: number, random: number): number | null {
  if (options === undefined || attempt >= retryLimit(options)) return null;
  const min = Math.max(number(options.minTimeoutInMs, RETRY_DEFAULTS.minTimeoutInMs), 1);
  const max = Math.max(number(options.maxTimeoutInMs, RETRY_DEFAULTS.maxTimeoutInMs), 0);
  const factor = Math.max(number(options.factor, RETRY_DEFAULTS.factor), 0);
  const stretch = (options.randomize ?? RETRY_DEFAULTS.randomize) ? 1 + random : 1;
  return Math.min(Math.round(max), Math.round(stretch * min * factor ** Math.max(attempt - 2, 0)));
}

/** Options arrive over the wire as open objects, so a number is not certain to be one. */
function number(value: unknown, fallback: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}
