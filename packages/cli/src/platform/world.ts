// Room: platform. What a command may touch of the outside: environment, streams, clock, chance, network, signals.
// Built once in main.ts from the real process, and by tests from plain values; no other file of the CLI reads these directly.

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface CliWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  /** Node's version without the v: "20.20.0". */
  readonly nodeVersion: string;
  /** True when a person reads stdout: colour is allowed. */
  readonly terminal: boolean;
  readonly fetch: typeof fetch;
  /** Data. */
  out(text: string): void;
  /** Commentary. */
  err(text: string): void;
  readStdin(): Promise<string>;
  /** Puts a question to the person at the terminal; undefined when there is none. */
  ask(question: string): Promise<string | undefined>;
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `act` after `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, act: () => void): () => void;
  random(bytes: number): Uint8Array;
  /** Calls `act` on every such signal, until the returned function is called. */
  onSignal(signal: StopSignal, act: () => void): () => void;
  /** Calls `act` when the program that started us over an IPC channel is gone, or nobody reads our output any more. */
  onAlone(act: () => void): () => void;
  /** Leaves at once, without cleaning up: the second Ctrl-C. */
  exit(code: number): void;
}

/** Resolves after `ms`, or as soon as `signal` is aborted. */
export function pause(world: Pick<CliWorld, "after">, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const cancel = world.after(ms, done);
    signal?.addEventListener("abort", done);
    function done() {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
