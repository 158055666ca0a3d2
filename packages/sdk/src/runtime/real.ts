// Room: runtime. The real clocks, chance, timers, network and log of a Node process: the SDK's only impure leaf (with its neighbours).
import { randomUUID } from "node:crypto";
import { log } from "./log.ts";
import type { Runtime } from "./runtime.ts";
import { dial } from "./socket.ts";

export const realRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  uniqueId: () => randomUUID(),
  after(ms, callback, background) {
    const timer = setTimeout(callback, ms);
    if (background) timer.unref();
    return () => clearTimeout(timer);
  },
  turn: (callback) => void setImmediate(callback),
  fetch: (url, init) => fetch(url, init),
  dial,
  env: (name) => process.env[name],
  log,
};
