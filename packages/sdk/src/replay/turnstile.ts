// Room: replay. Lets recorded results out one at a time, in the order in which they came about, so that a race is won in every replay by whoever won it
// first. Owned by one Execution. Promises: between two results the program gets a whole turn of the event loop to go on, and to ask for more; what it asks
// for then takes its place by its own order.
import type { Runtime } from "../runtime/runtime.ts";

interface Waiting {
  order: number;
  /** Of two with the same order, who came first. */
  ticket: number;
  pass: () => void;
}

/** Comes after everything that is recorded. */
export const LAST = Number.POSITIVE_INFINITY;

export class Turnstile {
  readonly #runtime: Runtime;
  /** Told when somebody waits, and when nobody does any more. */
  readonly #busy: (busy: boolean) => void;
  /** A binary heap, the next to pass at its top. */
  readonly #heap: Waiting[] = [];
  #tickets = 0;
  #turning = false;
  #stopped = false;

  constructor(runtime: Runtime, busy: (busy: boolean) => void) {
    this.#runtime = runtime;
    this.#busy = busy;
  }

  /** Nobody waits: who comes from this very execution may go straight on. */
  get open(): boolean {
    return !this.#turning;
  }

  /** Resolves when all with a smaller order that are here, or come while those pass, have passed. Never after `stop`. */
  pass(order: number): Promise<void> {
    return new Promise((pass) => {
      this.#push({ order, ticket: ++this.#tickets, pass });
      if (this.#turning || this.#stopped) return;
      this.#turning = true;
      this.#busy(true);
      this.#runtime.turn(() => this.#turn());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#heap.length = 0;
  }

  #turn(): void {
    if (this.#stopped) return;
    const next = this.#pop();
    if (next) {
      next.pass();
      this.#runtime.turn(() => this.#turn());
    } else {
      this.#turning = false;
      this.#busy(false);
    }
  }

  #push(item: Waiting): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Waiting;
      if (!isBefore(item, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = item;
  }

  #pop(): Waiting | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const item = heap.pop();
    if (!item || item === top) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Waiting, heap[below] as Waiting)) below += 1;
      const child = heap[below] as Waiting;
      if (!isBefore(child, item)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = item;
    return top;
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.order < b.order || (a.order === b.order && a.ticket < b.ticket);
}
