// Room: dev. The user's own command (`holdfast dev -- npm run dev`) as a child, its output prefixed. Called by dev.ts.
// Promise: resolves with the exit code `dev` then ends with; a command that cannot be started says so.
import { constants } from "node:os";
import { basename } from "node:path";
import { CommandError } from "../output/exit-codes.ts";
import type { Output } from "../output/output.ts";
import type { CliWorld } from "../platform/world.ts";
import { startChild } from "./child.ts";
import { prefixLines } from "./prefix.ts";

const PATIENCE_MS = 8_000;

export interface CommandProcess {
  ended: Promise<number>;
  stop(): Promise<void>;
}

export function startCommand(
  world: CliWorld,
  output: Output,
  command: [string, ...string[]],
  env: Record<string, string | undefined>,
): CommandProcess {
  const child = startChild(world, command, {
    cwd: world.cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  const prefix = output.paint("dim", `[${basename(command[0])}] `);
  const forward = (from: NodeJS.ReadableStream | null, write: (text: string) => void) => {
    const lines = prefixLines(prefix, write);
    from?.setEncoding("utf8");
    from?.on("data", (text: string) => lines.push(text));
    from?.on("end", () => lines.end());
  };
  forward(child.process.stdout, output.json ? world.err : world.out);
  forward(child.process.stderr, world.err);
  const ended = child.ended.then(({ code, signal, error }) => {
    if (error) throw new CommandError("FAILED", `"${command.join(" ")}" could not be started: ${error.message}.`);
    return code ?? 128 + (signal ? constants.signals[signal] : 0);
  });
  ended.catch(() => {});
  return { ended, stop: () => child.stop(PATIENCE_MS) };
}
