// Room: replay. Counts which tasks can still go on, in constant time a change, and tells when none can. Owned by one Execution.
// A task whose children are all suspended cannot go on; code outside tasks does not count. "Stuck" is only believed after a few quiet
// turns of the event loop, so that whatever just resolved (a task's result, the body of a request) may start more tasks first.
import type { Runtime } from "../runtime/runtime.ts";
import type { Frame } from "./frame.ts";

/** Turns without a new task before the execution counts as stuck. Reading a small request body takes more than one. */
const QUIET_TURNS = 4;

export class Liveness {
  /** Tasks whose callback is in progress or whose report is under way. */
  readonly open = new Set<Frame>();
  /** The suspended task that is due first, and when; none if nothing is ever due by itself. */
  first: { due: number; key: string } | undefined;
  readonly #runtime: Runtime;
  readonly #stuck: () => void;
  readonly #lastChances = new Set<() => void>();
  /** Open tasks that wait for no child of theirs. */
  #live = 0;
  /** Something waits: a suspended task, or a yield. */
  #held = false;
  #checking = false;
  #stopped = false;
  /** Grows with every task that starts. */
  #started = 0;

  constructor(runtime: Runtime, stuck: () => void) {
    this.#runtime = runtime;
    this.#stuck = stuck;
  }

  enter(frame: Frame): void {
    const { parent } = frame;
    this.#started += 1;
    this.#live += 1;
    this.open.add(frame);
    if (parent?.state !== "running") return;
    frame.holds = parent.generation;
    if (parent.openChildren === 0) this.#live -= 1;
    parent.openChildren += 1;
  }

  /** The task's callback has failed: it waits for none of the children it left behind, but may start more. */
  orphan(frame: Frame): void {
    if (frame.openChildren > 0) this.#live += 1;
    frame.openChildren = 0;
    frame.generation += 1;
  }

  /** The task's callback has settled: from now on it waits for no child. False if it was not running any more. */
  finishing(frame: Frame): boolean {
    if (frame.state !== "running") return false;
    this.orphan(frame);
    frame.state = "finishing";
    return true;
  }

  /** The task is over; its parent may go on. */
  leave(frame: Frame): void {
    frame.state = "done";
    this.open.delete(frame);
    this.#live -= 1;
    const { parent } = frame;
    if (parent?.state === "running" && frame.holds === parent.generation) {
      parent.openChildren -= 1;
      if (parent.openChildren === 0) this.#live += 1;
    }
    this.#check();
  }

  /** The task waits until `due`, an instant of the monotonic clock. */
  suspend(frame: Frame, due: number): void {
    frame.state = "suspended";
    this.open.delete(frame);
    this.#live -= 1;
    if (due < (this.first?.due ?? Number.POSITIVE_INFINITY)) this.first = { due, key: frame.idempotencyKey };
    this.hold();
  }

  /** Recorded results are on their way to the program: it goes on. */
  busy(busy: boolean): void {
    this.#live += busy ? 1 : -1;
    this.#check();
  }

  /** Makes the execution end as soon as nothing can go on. */
  hold(): void {
    this.#held = true;
    this.#check();
  }

  stop(): void {
    this.#stopped = true;
    this.open.clear();
    this.#lastChances.clear();
  }

  whenStuck(callback: () => void): () => void {
    this.#lastChances.add(callback);
    return () => void this.#lastChances.delete(callback);
  }

  #check(): void {
    if (this.#checking || !this.#held || this.#stopped || this.#live > 0) return;
    this.#checking = true;
    this.#wait(QUIET_TURNS, this.#started);
  }

  #wait(turns: number, started: number): void {
    this.#runtime.turn(() => {
      if (!this.#stopped && this.#live === 0) {
        if (this.#started !== started) return this.#wait(QUIET_TURNS, this.#started);
        if (turns > 1) return this.#wait(turns - 1, started);
      }
      this.#checking = false;
      if (this.#stopped || this.#live > 0) return;
      if (!this.#takeLastChance()) this.#stuck();
    });
  }

  #takeLastChance(): boolean {
    if (this.#lastChances.size === 0) return false;
    const chances = [...this.#lastChances];
    this.#lastChances.clear();
    for (const chance of chances) chance();
    this.#check();
    return true;
  }
}
