// For tests of the SDK: a Runtime whose time stands still until the test moves it, and whose network is what the test says.
import type { LogLevel, Runtime, Socket, SocketEvents } from "../src/runtime/runtime.ts";

interface Timer {
  due: number;
  callback: () => void;
}

export class VirtualRuntime implements Runtime {
  time = 1000;
  /** Epoch milliseconds at time 0. */
  epoch = Date.UTC(2026, 0, 1);
  chance = 0.5;
  environment: Record<string, string> = {};
  readonly lines: { level: LogLevel; message: string; data: unknown }[] = [];
  readonly timers = new Set<Timer>();
  #ids = 0;

  now(): number {
    return this.epoch + this.time;
  }
  elapsed(): number {
    return this.time;
  }
  random(): number {
    return this.chance;
  }
  uniqueId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.time + ms, callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }
  turn(callback: () => void): void {
    setImmediate(callback);
  }
  fetch(_url: string, _init: RequestInit): Promise<Response> {
    return Promise.reject(new Error("This test has no network."));
  }
  dial(_url: string, _headers: Record<string, string>, _events: SocketEvents): Socket {
    throw new Error("This test has no network.");
  }
  env(name: string): string | undefined {
    return this.environment[name];
  }
  log(level: LogLevel, message: string, data?: unknown): void {
    this.lines.push({ level, message, data });
  }

  /** Moves time on, firing what falls due in order, with everything that follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const next = [...this.timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.time = Math.max(this.time, next.due);
      this.timers.delete(next);
      next.callback();
      await settled();
    }
    this.time = end;
    await settled();
  }
}

/** Lets everything that is ready run: some turns of the event loop. */
export async function settled(turns = 12): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
