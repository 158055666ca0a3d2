// Simulation: virtual time. One heap of events; popping one is the only way anything inside happens, and after each one all that became ready runs.
// Promises: no real timer, the same events in the same order for the same seed; an actor that is dead gets no events, one that is paused gets them later.

interface Event {
  time: number;
  order: number;
  actor: Actor | null;
  act: (() => void) | null;
}

/** One process: a server, an app, a sender. A restart makes a new one. */
export class Actor {
  alive = true;
  /** Set while it is stopped like by SIGSTOP: what was due meanwhile happens, in order, when it goes on. */
  paused = false;
  readonly backlog: Event[] = [];
  /** Called when a named place in its code is passed; may kill it. */
  onPoint: (name: string) => void = () => {};

  constructor(readonly name: string) {}

  point(name: string): void {
    if (this.alive) this.onPoint(name);
  }
}

export class Timeline {
  /** Virtual milliseconds since the simulation began. */
  now = 0;
  /** Events handled so far. */
  steps = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** Calls `act` in the actor after `ms`; without an actor it always happens. */
  after(ms: number, actor: Actor | null, act: () => void): () => void {
    const event: Event = { time: this.now + Math.max(0, ms), order: this.#order++, actor, act };
    this.#push(event);
    return () => {
      event.act = null;
    };
  }

  pause(actor: Actor): void {
    actor.paused = true;
  }

  resume(actor: Actor): void {
    actor.paused = false;
    for (const event of actor.backlog.splice(0)) {
      event.time = this.now;
      event.order = this.#order++;
      this.#push(event);
    }
  }

  /** Lets time pass up to `until`, or to the first moment after an event at which `done` holds. */
  async run(until: number, done: () => boolean = () => false): Promise<void> {
    for (;;) {
      const event = this.#heap[0];
      if (!event || event.time > until) break;
      this.#pop();
      if (event.act === null || event.actor?.alive === false) continue;
      if (event.actor?.paused) {
        event.actor.backlog.push(event);
        continue;
      }
      this.now = event.time;
      this.steps += 1;
      event.act();
      await ready();
      if (done()) return;
    }
    this.now = Math.max(this.now, until);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, heap[parent])) break;
      heap[i] = heap[parent] as Event;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (before(heap[child + 1], heap[child])) child += 1;
      if (!before(heap[child], last)) break;
      heap[i] = heap[child] as Event;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Event | undefined, b: Event | undefined): boolean {
  if (!a || !b) return a !== undefined;
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

/** Resolves when every promise that can settle has, and what follows from it has run. */
function ready(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
