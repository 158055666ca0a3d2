// Room: store. The values users' code keeps by key, in memory. Part of MemoryStore.

import type { ValueStore } from "../kept-rows.ts";
import { storableText } from "../storable.ts";

export class MemoryValues implements ValueStore {
  /** By environment, then by key. */
  readonly #values = new Map<string, Map<string, string | null>>();

  async get(environmentId: string, key: string): Promise<{ text: string | null } | null> {
    const text = this.#values.get(environmentId)?.get(storableText(key));
    return text === undefined ? null : { text };
  }

  async set(environmentId: string, key: string, { text }: { text: string | null }): Promise<void> {
    const values = this.#values.get(environmentId) ?? new Map<string, string | null>();
    this.#values.set(environmentId, values.set(storableText(key), text === null ? null : storableText(text)));
  }

  async delete(environmentId: string, key: string): Promise<boolean> {
    return this.#values.get(environmentId)?.delete(storableText(key)) ?? false;
  }
}
