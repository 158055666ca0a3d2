// Room: testing. The Runtime of a job under test: time moves only when the test moves it, the network is the test's memory. Made once a run.
// Promises: nothing here waits in real time; the event loop's turns are taken before anybody can replace them by fake ones.
import { realRuntime } from "../runtime/real.ts";
import type { LogLevel, Runtime, Socket } from "../runtime/runtime.ts";

const realTurn = setImmediate;

interface Timer {
  due: number;
  callback: () => void;
}

export interface ClockSetting {
  /** Epoch milliseconds at the start. */
  origin: number;
  /** The wall clock goes on by itself between two moves, as the Date of the program does; without, it stands still, too. */
  running: boolean;
}

export class Clock implements Runtime {
  /** Milliseconds since the start. */
  time = 0;
  /** Who answers calls of the API. */
  answer: Runtime["fetch"] = () => Promise.reject(new Error("A job under test has no server."));
  readonly #setting: ClockSetting;
  readonly #timers = new Set<Timer>();
  #ids = 0;

  constructor(setting: ClockSetting) {
    this.#setting = setting;
  }

  /** Epoch milliseconds, as the run is told them. */
  get virtualNow(): number {
    return this.#setting.origin + this.time;
  }
  /** Dates of the program are measured by the clock it read them from. */
  now(): number {
    return this.#setting.running ? realRuntime.now() + this.time : this.virtualNow;
  }
  elapsed(): number {
    return this.time;
  }
  /** Always the middle, so that no test depends on luck. */
  random(): number {
    return 0.5;
  }
  uniqueId(): string {
    this.#ids += 1;
    return `test-${this.#ids}`;
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.time + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
  turn(callback: () => void): void {
    realTurn(callback);
  }
  fetch(url: string, init: RequestInit): Promise<Response> {
    return this.answer(url, init);
  }
  dial(): Socket {
    throw new Error("A job under test has no connection to a server.");
  }
  env(name: string): string | undefined {
    return realRuntime.env(name);
  }
  log(level: LogLevel, message: string, data?: unknown): void {
    realRuntime.log(level, message, data);
  }

  /** Moves on to an instant, never back. */
  moveTo(time: number): void {
    this.time = Math.max(this.time, time);
    for (const timer of [...this.#timers]) {
      if (timer.due > this.time) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
