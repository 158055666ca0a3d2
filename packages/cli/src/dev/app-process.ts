// Room: dev. The user's files in a child process, started anew on each reload. Called by dev.ts.
// Promise: at most one child at a time; the old one has left before the next one starts; a crash is reported and nothing is retried.
import { fileURLToPath } from "node:url";
import type { CliWorld } from "../platform/world.ts";
import { type Child, startChild } from "./child.ts";
import { isRunnerMessage, type RunnerMessage } from "./runner-messages.ts";

const PATIENCE_MS = 6_000;

export type AppEvent = Exclude<RunnerMessage, { holdfast: "loaded" }> | { holdfast: "crashed"; how: string };

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

export function createAppProcess(world: Pick<CliWorld, "after">, options: AppProcessOptions): AppProcess {
  let child: Child | null = null;
  let turn = Promise.resolve();
  let waiting: Promise<void> | null = null;
  let stopped = false;

  const replace = async () => {
    waiting = null;
    const old = child;
    child = null;
    await old?.stop(PATIENCE_MS);
    if (stopped) return;
    const started = startRunner(world, options);
    child = started;
    void started.ended.then((end) => {
      if (child === started) options.onEvent({ holdfast: "crashed", how: describe(end) });
    });
  };
  return {
    reload() {
      waiting ??= turn = turn.then(replace);
      return waiting;
    },
    async stop() {
      stopped = true;
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

function startRunner(world: Pick<CliWorld, "after">, options: AppProcessOptions): Child {
  const child = startChild(world, [process.execPath, ...RUNNER, ...options.files], {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ["ignore", options.stdout, 2, "ipc"],
  });
  child.process.on("message", (message) => {
    if (!isRunnerMessage(message)) return;
    if (message.holdfast === "loaded") options.onFile(message.path, message.changedAt);
    else options.onEvent(message);
  });
  return child;
}

function describe(end: Awaited<Child["ended"]>): string {
  if (end.error) return end.error.message;
  return end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`;
}
