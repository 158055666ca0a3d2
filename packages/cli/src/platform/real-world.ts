// Room: platform. The real process as a CliWorld. Called by main.ts only.
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import type { CliWorld } from "./world.ts";

export function realWorld(): CliWorld {
  leaveWhenNobodyReads();
  return {
    env: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    nodeVersion: process.versions.node,
    terminal: process.stdout.isTTY === true && !process.env.NO_COLOR,
    fetch: (input, init) => fetch(input, init),
    out: (data) => void process.stdout.write(data),
    err: (commentary) => void process.stderr.write(commentary),
    readStdin: () => text(process.stdin),
    now: () => Date.now(),
    after(ms, act) {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    random: (bytes) => randomBytes(bytes),
    onSignal(signal, act) {
      process.on(signal, act);
      return () => void process.off(signal, act);
    },
    exit: (code) => process.exit(code),
  };
}

/** `holdfast runs list | head -1` closes our stdout early; that is no failure. */
function leaveWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
    });
  }
}
