// Room: store. News inside one process, for a database nobody else can reach: the embedded one, and the memory store.
// Same promises as the bus over LISTEN/NOTIFY: listeners hear a message while it is published, and one that fails harms nobody else.
import type { Bus, BusMessage } from "./store.ts";

export class LocalBus implements Bus {
  readonly #listeners = new Set<(message: BusMessage) => void>();

  /** @param failed hears what a listener threw */
  constructor(private readonly failed: (error: unknown) => void = () => {}) {}

  publish(message: BusMessage): void {
    for (const listener of this.#listeners) {
      try {
        listener(message);
      } catch (error) {
        this.failed(error);
      }
    }
  }

  subscribe(listener: (message: BusMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
