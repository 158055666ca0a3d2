// Room: platform. Everything the rooms above may know of the outside: clock, chance, ids, timers, network, signing, log.
// Built once by main (realWorld) and by the simulator (a seeded one); every other room takes it as a parameter and touches nothing else.
import { createHmac } from "node:crypto";
import { chanceSource } from "./chance.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import { idSource, type NewId } from "./ids.ts";
import { createLogger, type Logger, type LoggerOptions } from "./log.ts";

/** Undoes a timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

export interface World {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds that never go backwards; only differences mean anything. */
  monotonic(): number;
  /** Unpredictable bytes. */
  random(bytes: number): Uint8Array;
  newId: NewId;
  /** Calls `fn` once, not before `ms` milliseconds have passed; any length, months included. */
  after(ms: number, fn: () => void): Cancel;
  /** Calls `fn` in the next turn of the event loop: after everything that came in with this one was taken in. */
  turn(fn: () => void): void;
  /** One HTTP request; failures are values, redirects are answers. */
  fetch: HttpClient["fetch"];
  /** HMAC-SHA256. */
  sign(key: Uint8Array | string, data: Uint8Array | string): Uint8Array;
  log: Logger;
  /** Closes pooled connections. Call once, last. */
  close(): Promise<void>;
}

export interface RealWorldOptions {
  log?: LoggerOptions;
}

const LONGEST_TIMER = 2 ** 31 - 1;

function afterReal(ms: number, fn: () => void): Cancel {
  const due = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = due - performance.now();
    timer = left > 0 ? setTimeout(arm, Math.min(Math.ceil(left), LONGEST_TIMER)) : setTimeout(fn, 0);
  };
  arm();
  return () => clearTimeout(timer);
}

/**
 * The World as it is: system clock, system randomness, real network, log on stderr.
 *
 * @example const world = realWorld({ log: { level: "info" } }); world.newId("run") // "run_01k…"
 */
export function realWorld(options: RealWorldOptions = {}): World {
  const now = (): number => Date.now();
  const http = createHttpClient();
  return {
    now,
    monotonic: () => performance.now(),
    random: chanceSource(),
    newId: idSource(now),
    after: afterReal,
    turn: (fn) => void setImmediate(fn),
    fetch: http.fetch,
    sign: (key, data) => createHmac("sha256", key).update(data).digest(),
    log: createLogger(options.log),
    close: http.close,
  };
}

/**
 * Waits in the given World's time. Resolves early, without an error, when the signal aborts.
 *
 * @example await sleep(world, 250, stopping)
 */
export function sleep(world: Pick<World, "after">, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = world.after(ms, finish);
    signal?.addEventListener("abort", finish);
  });
}
