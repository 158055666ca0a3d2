// Tests: real child processes. Used by every test and bench that needs a server, an app or the CLI as a program of its own.
// Promises: whatever was started here is killed by its own pid when the test file ends, also when a test failed or the worker is told to stop;
// embedded databases of the data directories made here go with it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

/** Root of the checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** stdout and stderr so far, as they came. */
  output(): string;
  stdout(): string;
  /** Hears stdout from now on. */
  onStdout(listener: (chunk: string) => void): void;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end; SIGKILL after 30 s. */
  stop(): Promise<Exit>;
  /** Waits for output that matches; fails with the whole output when the program ends or time is up. */
  says(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>;
}

const programs = new Set<ChildProcess>();
const directories = new Set<string>();
const supervised = new Set<() => Promise<void>>();

/** Environment of a child: only what it needs of ours, so that no setting of the machine decides a test. */
export function cleanEnv(extra: Record<string, string | undefined> = {}): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR } = process.env;
  const entries = Object.entries({ PATH, HOME, TMPDIR, NODE_NO_WARNINGS: "1", ...extra });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * Starts a program.
 *
 * @param args for node: `["--import", "tsx", "app.ts"]`
 * @param options `file` is the program when it is not node
 * @example const app = startProgram(["app.mjs"], { env: { PORT: "0" } }); await app.says(/listening/)
 */
export function startProgram(
  args: readonly string[],
  options: { env?: Record<string, string | undefined>; cwd?: string; file?: string } = {},
): Program {
  const child = spawn(options.file ?? process.execPath, args, {
    cwd: options.cwd ?? ROOT,
    env: cleanEnv(options.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  programs.add(child);
  child.once("error", () => programs.delete(child));
  const text = { all: "", out: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text.all += chunk;
    text.out += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text.all += chunk;
  });
  return programOf(child, text);
}

function programOf(child: ChildProcess, text: { all: string; out: string }): Program {
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      ended = true;
      programs.delete(child);
      resolve({ code, signal });
    });
  });
  const end = async (name: NodeJS.Signals): Promise<Exit> => {
    child.kill(name);
    const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const exit = await exited;
    clearTimeout(late);
    return exit;
  };
  return {
    pid: child.pid ?? -1,
    exited,
    output: () => text.all,
    stdout: () => text.out,
    onStdout: (listener) => void child.stdout?.on("data", listener),
    signal: (name) => void child.kill(name),
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
    says: (pattern, withinMs = 30_000) =>
      until(
        () => {
          const found = pattern.exec(text.all);
          if (!found && ended) throw new Error(`the program ended before it said ${pattern}:\n${text.all}`);
          return found;
        },
        { withinMs, what: () => `${pattern} in:\n${text.all}` },
      ),
  };
}

/** A fresh directory, removed at the end. */
export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  directories.add(directory);
  return directory;
}

/** Has `cleanUp` stop what this process itself supervises, before it kills the rest: killed from behind, it would be started again. */
export function stopAtCleanUp(stop: () => Promise<void>): void {
  supervised.add(stop);
}

/** The postmaster.pid of a data directory's embedded PostgreSQL, or null. */
export function postmasterFile(dataDir: string): string | null {
  const home = join(dataDir, "postgres");
  const data = readdirSafely(home).find((name) => readdirSafely(join(home, name)).includes("postmaster.pid"));
  return data ? join(home, data, "postmaster.pid") : null;
}

/** Pid of the embedded PostgreSQL of a data directory, or null. */
export function postmasterOf(dataDir: string): number | null {
  try {
    const file = postmasterFile(dataDir);
    const pid = file ? Number(readFileSync(file, "utf8").split("\n")[0]) : 0;
    return isPostgres(pid) ? pid : null;
  } catch {
    return null;
  }
}

function readdirSafely(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

// A stale pid file may name a pid that is somebody else's by now.
function isPostgres(pid: number): boolean {
  if (!(pid > 1)) return false;
  if (process.platform !== "linux") return true;
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes("postgres");
  } catch {
    return false;
  }
}

function killEverything(): void {
  for (const child of programs) child.kill("SIGKILL");
  for (const directory of directories) {
    const postmaster = postmasterOf(directory);
    // SIGQUIT: at once, and its children with it.
    if (postmaster) process.kill(postmaster, "SIGQUIT");
  }
}

/** Ends and removes everything that was started here. Call in `afterAll`. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...supervised].map((stop) => stop()));
  supervised.clear();
  killEverything();
  await until(() => programs.size === 0 && [...directories].every((directory) => postmasterOf(directory) === null), {
    withinMs: 20_000,
    what: () => "the end of every child process",
  });
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  directories.clear();
}

process.once("exit", killEverything);
process.once("SIGTERM", () => {
  killEverything();
  process.exit(143);
});
