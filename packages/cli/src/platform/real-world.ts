// Room: platform. The real process as a CliWorld. Called by main.ts only.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import type { CliWorld } from "./world.ts";

export function realWorld(): CliWorld {
  const alone = new Set<() => void>();
  noticeWhenNobodyReads(alone);
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
    ask: askPerson,
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
    onAlone(act) {
      alone.add(act);
      // A listener keeps the channel open, and there is one only when we were started with it.
      if (process.connected) process.on("disconnect", act);
      return () => {
        alone.delete(act);
        process.off("disconnect", act);
      };
    },
    exit: (code) => process.exit(code),
  };
}

/** Ctrl-D, and any other end of the input, is an empty answer; Ctrl-C ends the program as everywhere. */
async function askPerson(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on("SIGINT", () => process.exit(130));
  try {
    return await Promise.race([
      lines.question(question),
      new Promise<string>((resolve) => lines.once("close", () => resolve(""))),
    ]);
  } finally {
    lines.close();
  }
}

/** `holdfast runs list | head -1` closes our stdout early; that is no failure. What runs long wants to stop in order. */
function noticeWhenNobodyReads(alone: Set<() => void>): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") return;
      if (alone.size === 0) process.exit(0);
      for (const act of alone) act();
    });
  }
}
