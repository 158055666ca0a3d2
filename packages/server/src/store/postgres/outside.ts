// Room: store. What runs wait for outside of them, and requests to be made. Called through Store.outside.
import type { World } from "../../platform/world.ts";
import { storableText } from "../storable.ts";
import type { OutboundRow, OutsideStore, WaiterRow } from "../store.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import { type DbRow, outboundColumns } from "./rows.ts";
import { statement } from "./statements.ts";

const PATIENCE_MS = 20_000;

export class PostgresOutside implements OutsideStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  #rows(name: string, values: unknown[]): Promise<DbRow[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query<DbRow>(statement(name), values));
  }

  async addWaiter({ environmentId, names, id, ruleText, expiresAt }: WaiterRow): Promise<void> {
    await this.#rows("add-waiter", [environmentId, names.map(storableText), id, storableText(ruleText), Math.ceil(expiresAt)]);
  }

  async waiters(environmentId: string, name: string, after: string, limit: number): Promise<Omit<WaiterRow, "names">[]> {
    const rows = await this.#rows("waiters", [environmentId, storableText(name), after, limit]);
    return rows.map((row) => ({
      id: row.id as string,
      environmentId,
      ruleText: row.rule_text as string,
      expiresAt: row.expires_at as number,
    }));
  }

  async dropWaiters(ids: string[]): Promise<void> {
    await this.#rows("drop-waiters", [ids]);
  }

  async tellWaiter(id: string, row: OutboundRow, dueAt: number): Promise<void> {
    await this.#rows("tell-waiter", [id, JSON.stringify(outboundColumns(row)), Math.ceil(dueAt)]);
  }

  async forgetWaiters(before: number): Promise<void> {
    await this.#rows("forget-waiters", [before]);
  }

  async addOutbound(row: OutboundRow, dueAt: number): Promise<void> {
    await this.#rows("add-outbound", [JSON.stringify(outboundColumns(row)), Math.ceil(dueAt)]);
  }

  async dropOutbound(ids: string[]): Promise<void> {
    await this.#rows("drop-outbound", [ids]);
  }

  async finish({ id, token }: { id: string; token: string }): Promise<void> {
    await this.#rows("finish-work", [id, token]);
  }
}
