// Room: dispatch. The events this server stored last, so that the executions they start need not read them back. A bounded memory, never the only copy.
// Filled by whoever plans runs; read by execute, which falls back to the store.
import type { EventRow } from "../store/store.ts";

const MOST_EVENTS = 2_000;
/** In characters of payload and context. */
const MOST_SIZE = 16_000_000;

export class RecentEvents {
  readonly #events = new Map<string, EventRow>();
  #size = 0;

  add(event: EventRow): void {
    if (this.#events.has(event.rowId)) return;
    this.#events.set(event.rowId, event);
    this.#size += sizeOf(event);
    for (const [rowId, oldest] of this.#events) {
      if (this.#events.size <= MOST_EVENTS && this.#size <= MOST_SIZE) return;
      this.#events.delete(rowId);
      this.#size -= sizeOf(oldest);
    }
  }

  get(rowId: string): EventRow | null {
    return this.#events.get(rowId) ?? null;
  }
}

function sizeOf({ payloadText, contextText }: EventRow): number {
  return payloadText.length + (contextText?.length ?? 0);
}
