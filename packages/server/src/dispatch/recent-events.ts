// Room: dispatch. The events this server stored last, so that the executions they start need not read them back. A bounded memory, never the only copy.
// Filled by whoever plans runs; read by execute, which falls back to the store.
import type { EventRow } from "../store/store.ts";

const MOST_EVENTS = 2_000;
/** In characters of payload and context. */
const MOST_SIZE = 16_000_000;

export class RecentEvents {
  readonly #events = new Map<string, EventRow>();
  /** Row ids, oldest first, from `#first` on: a map that loses its oldest entries again and again is slow to find the next. */
  #order: string[] = [];
  #first = 0;
  #size = 0;

  add(event: EventRow): void {
    if (this.#events.has(event.rowId)) return;
    this.#events.set(event.rowId, event);
    this.#order.push(event.rowId);
    this.#size += sizeOf(event);
    while (this.#events.size > MOST_EVENTS || this.#size > MOST_SIZE) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const rowId = this.#order[this.#first++] ?? "";
    const oldest = this.#events.get(rowId);
    if (oldest) this.#size -= sizeOf(oldest);
    this.#events.delete(rowId);
    if (this.#first < MOST_EVENTS) return;
    this.#order = this.#order.slice(this.#first);
    this.#first = 0;
  }

  get(rowId: string): EventRow | null {
    return this.#events.get(rowId) ?? null;
  }
}

function sizeOf({ payloadText, contextText }: EventRow): number {
  return payloadText.length + (contextText?.length ?? 0);
}
