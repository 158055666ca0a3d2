// Room browser: the clock and timers. The only file of the dashboard that touches them, so everything above it takes time as a value.
// Called by components (useNow), the live stream (after) and the toasts (after).
import { useSyncExternalStore } from "react";

/** Milliseconds since 1970. */
export const now = (): number => Math.round(performance.timeOrigin + performance.now());

/** Calls `then` once after `ms`; the answer cancels it. */
export function after(ms: number, then: () => void): () => void {
  const timer = window.setTimeout(then, ms);
  return () => window.clearTimeout(timer);
}

/** Calls `then` every `ms`; the answer stops it. */
export function every(ms: number, then: () => void): () => void {
  const timer = window.setInterval(then, ms);
  return () => window.clearInterval(timer);
}

const listeners = new Set<() => void>();
let current = now();
let stop: (() => void) | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  stop ??= every(1000, () => {
    current = now();
    for (const each of listeners) each();
  });
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      stop?.();
      stop = undefined;
    }
  };
}

/** The time, again every second: one timer for the whole page. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => current);
