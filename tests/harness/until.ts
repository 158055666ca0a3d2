// Tests: waiting for a condition by asking again, with a deadline. Never a fixed pause.
import { setTimeout as pause } from "node:timers/promises";

export interface Patience {
  /** Milliseconds before it fails. Default 20,000. */
  withinMs?: number;
  /** Milliseconds between two looks. Default 25. */
  everyMs?: number;
  /** What was waited for, for the message. */
  what?: () => string;
}

/**
 * Waits until `look` answers something truthy, and returns it.
 *
 * @throws when time is up, or what `look` throws
 * @example const run = await until(() => api.finished(id), { what: () => "the run's end" })
 */
export async function until<T>(look: () => T | Promise<T>, patience: Patience = {}): Promise<NonNullable<T>> {
  const { withinMs = 20_000, everyMs = 25, what = () => "a condition" } = patience;
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms for ${what()}`);
    await pause(everyMs);
  }
}
