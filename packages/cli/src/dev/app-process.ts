// Room: dev. The user's files in a child process, started anew on each reload. Called by dev.ts.
// Promise: at most one child at a time; the old one has left before the next one starts. One that crashes after it had connected is started again, since
// its runs wait for it; one that never connected, or ended by itself, waits for the next reload.
import { fileURLToPath } from "node:url";
import type { CliWorld } from "../platform/world.ts";
import { type Child, startChild } from "./child.ts";
import { isRunnerMessage, type RunnerMessage } from "./runner-messages.ts";

const PATIENCE_MS = 6_000;
/** Before the second start after crashes; doubled with each further crash, up to the longest. A reload, or a long life, forgets them. */
const PAUSE = { firstMs: 500, longestMs: 30_000, longLifeMs: 60_000 };

export type AppEvent = Exclude<RunnerMessage, { holdfast: "loaded" }> | { holdfast: "crashed"; how: string; again: boolean };

export interface AppProcessOptions {
  /** Absolute paths. */
  files: string[];
  cwd: string;
  env: Record<string, string | undefined>;
  /** Where the child's output goes: a file descriptor of ours, stdout or stderr. */
  stdout: 1 | 2;
  onEvent(event: AppEvent): void;
  /** A file the child loaded, as an absolute path, and when it was last changed then. */
  onFile(path: string, changedAt: number): void;
}

export interface AppProcess {
  /** Starts the child, or replaces the one that runs. Calls while a change is under way count as one. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

export function createAppProcess(world: Pick<CliWorld, "after" | "now">, options: AppProcessOptions): AppProcess {
  let child: Child | null = null;
  let turn = Promise.resolve();
  let waiting: Promise<void> | null = null;
  let stopped = false;
  let crashes = 0;
  let cancelAgain = () => {};

  const replace = async () => {
    waiting = null;
    cancelAgain();
    const old = child;
    child = null;
    await old?.stop(PATIENCE_MS);
    if (stopped) return;
    const startedAt = world.now();
    let connected = false;
    const started = startRunner(world, options, () => {
      connected = true;
    });
    child = started;
    void started.ended.then((end) => {
      if (child !== started) return;
      const again = connected && end.code !== 0;
      options.onEvent({ holdfast: "crashed", how: describe(end), again });
      if (again) startAgain(world.now() - startedAt);
    });
  };
  const queue = () => {
    waiting ??= turn = turn.then(replace);
    return waiting;
  };
  const startAgain = (livedMs: number) => {
    crashes = livedMs > PAUSE.longLifeMs ? 1 : crashes + 1;
    cancelAgain = world.after(Math.min(PAUSE.longestMs, PAUSE.firstMs * 2 ** (crashes - 1)), () => void queue());
  };
  return {
    reload() {
      crashes = 0;
      return queue();
    },
    async stop() {
      stopped = true;
      cancelAgain();
      const last = child;
      child = null;
      await Promise.all([last?.stop(PATIENCE_MS), turn]);
    },
  };
}

/** The runner beside this file; as source (in our tests) it needs a loader for itself. */
const RUNNER = import.meta.url.endsWith(".ts")
  ? ["--import", import.meta.resolve("tsx"), fileURLToPath(new URL("./app-runner.ts", import.meta.url))]
  : [fileURLToPath(new URL("./app-runner.js", import.meta.url))];

function startRunner(world: Pick<CliWorld, "after">, options: AppProcessOptions, onConnected: () => void): Child {
  const child = startChild(world, [process.execPath, ...RUNNER, ...options.files], {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ["ignore", options.stdout, 2, "ipc"],
  });
  child.process.on("message", (message) => {
    if (!isRunnerMessage(message)) return;
    if (message.holdfast === "connected") onConnected();
    if (message.holdfast === "loaded") options.onFile(message.path, message.changedAt);
    else options.onEvent(message);
  });
  return child;
}

function describe(end: Awaited<Child["ended"]>): string {
  if (end.error) return end.error.message;
  return end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`;
}
