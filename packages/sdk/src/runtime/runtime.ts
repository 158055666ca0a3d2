// Room: runtime. Every impure thing the SDK uses, behind one small object: clocks, chance, timers, network, environment, log.
// Built once by default (real.ts); tests and the simulator hand in their own. Nothing else in this package touches them directly.

/** What a dialled WebSocket tells its owner. `closed` comes exactly once, also when the connection never opened. */
export interface SocketEvents {
  opened(): void;
  message(text: string): void;
  /** `refusal` is the server's answer when it declined to upgrade (status and body text). */
  closed(reason: string, refusal?: { status: number; body: string }): void;
}

export interface Socket {
  send(text: string): void;
  /** Sends what is queued, then closes. */
  close(): void;
  /** Whether a socket in the background keeps the program alive after all, for as long as an answer is awaited. */
  keepAwake(awake: boolean): void;
}

export type LogLevel = "log" | "error" | "warn" | "info" | "debug";

export interface Runtime {
  /** Epoch milliseconds: only to read dates that users give. */
  now(): number;
  /** Milliseconds of a clock that never jumps. */
  elapsed(): number;
  /** In [0, 1). */
  random(): number;
  /** A text that is unique everywhere. */
  uniqueId(): string;
  /** Calls back after `ms`; the returned function takes it back. In the background it does not keep the program alive. */
  after(ms: number, callback: () => void, background?: boolean): () => void;
  /** Calls back once all that is ready now has run. */
  turn(callback: () => void): void;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** In the background the socket does not keep the program alive. */
  dial(url: string, headers: Record<string, string>, events: SocketEvents, background?: boolean): Socket;
  /** It has no sockets: the server calls the app by its URL. */
  readonly onlyListens?: boolean;
  env(name: string): string | undefined;
  log(level: LogLevel, message: string, data?: unknown): void;
}

/** Resolves after `ms` of the runtime's time. */
export function sleep(runtime: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => runtime.after(ms, resolve));
}
