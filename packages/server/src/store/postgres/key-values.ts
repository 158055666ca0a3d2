// Room: store. The values users' code keeps by key, each in a statement of its own: their rate is that of user code, and a later one wins. Called through
// Store.values.
import type { World } from "../../platform/world.ts";
import type { ValueStore } from "../kept-rows.ts";
import { storableText } from "../storable.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import { statement } from "./statements.ts";

const PATIENCE_MS = 10_000;

export class PostgresValues implements ValueStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  #rows(name: string, values: unknown[]): Promise<{ value_text: string | null }[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query(statement(name), values));
  }

  async get(environmentId: string, key: string): Promise<{ text: string | null } | null> {
    const [row] = await this.#rows("key-value", [environmentId, storableText(key)]);
    return row ? { text: row.value_text } : null;
  }

  async set(environmentId: string, key: string, value: { text: string | null; at: number }): Promise<void> {
    const text = value.text === null ? null : storableText(value.text);
    await this.#rows("save-key-value", [environmentId, storableText(key), text, value.at]);
  }

  async delete(environmentId: string, key: string): Promise<boolean> {
    return (await this.#rows("drop-key-value", [environmentId, storableText(key)])).length > 0;
  }
}
