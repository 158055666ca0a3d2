// Room: runtime. Clocks, chance, timers, network and log of what has no Node: real.ts beside it, without sockets, and without timers that let a process end.
import { UserFacingError } from "@holdfast/protocol";
import { log } from "./log.ts";
import type { Runtime } from "./runtime.ts";

type Process = { env?: Record<string, string | undefined> };

function dial(): never {
  const message = "a runtime without Node cannot dial out; the server calls the app by its URL (`holdfast dev --app-url …`)";
  throw new UserFacingError("BAD_CONFIGURATION", message, "Register its URL, and leave out connect().");
}

export const webRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  uniqueId: () => crypto.randomUUID(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  turn: (callback) => void setTimeout(callback, 0),
  fetch: (url, init) => fetch(url, init),
  dial,
  onlyListens: true,
  env: (name) => (globalThis as { process?: Process }).process?.env?.[name],
  log,
};
