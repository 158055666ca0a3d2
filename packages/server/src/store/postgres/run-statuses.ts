// Room: store. The statuses runs set for people to see, each in a statement of its own: their rate is that of user code. Called through Store.statuses.
import type { World } from "../../platform/world.ts";
import type { StatusChange, StatusRow, StatusStore } from "../kept-rows.ts";
import { storableStatus } from "../storable.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import type { DbRow } from "./rows.ts";
import { statement } from "./statements.ts";

const PATIENCE_MS = 10_000;

export class PostgresStatuses implements StatusStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  #rows(name: string, values: unknown[]): Promise<DbRow[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query(statement(name), values));
  }

  async save(runId: string, change: StatusChange, at: number): Promise<void> {
    const { key, label, state, dataText } = storableStatus(change);
    await this.#rows("save-status", [runId, key, label, state, dataText, at]);
  }

  async of(runId: string): Promise<StatusRow[]> {
    return (await this.#rows("statuses", [runId])).map((row) => ({
      key: row.key as string,
      label: row.label as string,
      state: row.state as string | null,
      dataText: row.data_text as string | null,
      historyText: row.history_text as string,
    }));
  }
}
