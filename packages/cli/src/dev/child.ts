// Room: dev. Starts a child process and ends it for sure. Called by app-process.ts and command-process.ts.
// Promise: a child has a process group of its own, so that Ctrl-C reaches only us and ending it ends what it started.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { CliWorld } from "../platform/world.ts";

const ON_WINDOWS = process.platform === "win32";

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; error?: Error }>;
  /** SIGTERM, then SIGKILL after `patienceMs`; resolves when it is gone. */
  stop(patienceMs: number): Promise<void>;
}

export function startChild(world: Pick<CliWorld, "after">, command: [string, ...string[]], options: SpawnOptions): Child {
  const [program, ...rest] = command;
  const child = spawn(program, rest, { detached: !ON_WINDOWS, shell: false, ...options });
  const ended: Child["ended"] = new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return {
    process: child,
    ended,
    async stop(patienceMs) {
      signalGroup(child, "SIGTERM");
      const cancel = world.after(patienceMs, () => signalGroup(child, "SIGKILL"));
      await ended;
      cancel();
      signalGroup(child, "SIGKILL");
    },
  };
}

/** The whole group; what has ended already is no error. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid === undefined) return;
    if (ON_WINDOWS) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}
