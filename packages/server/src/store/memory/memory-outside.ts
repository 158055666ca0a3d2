// Room: store. The memory store's waiters and outbound requests, as outside.ts keeps them in PostgreSQL. Made by MemoryStore.
import { eventQueue } from "../queues.ts";
import type { EventRow, OutboundRow, OutsideStore, WaiterRow } from "../store.ts";
import type { Tables } from "./memory-store.ts";

export class MemoryOutside implements OutsideStore {
  constructor(private readonly tables: Tables) {}

  async addWaiter(row: WaiterRow): Promise<void> {
    if (!this.tables.waiters.has(row.id)) this.tables.waiters.set(row.id, { ...row, expiresAt: Math.ceil(row.expiresAt) });
  }

  async waiters(environmentId: string, name: string, after: string, limit: number): Promise<Omit<WaiterRow, "names">[]> {
    const all = [...this.tables.waiters.values()].filter(
      (row) => row.environmentId === environmentId && row.names.includes(name),
    );
    const behind = all.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
    return behind.slice(0, limit).map(({ id, ruleText, expiresAt }) => ({ id, environmentId, ruleText, expiresAt }));
  }

  async dropWaiters(ids: string[]): Promise<void> {
    for (const id of ids) this.tables.waiters.delete(id);
  }

  async tellWaiter(id: string, row: OutboundRow, dueAt: number): Promise<void> {
    if (this.tables.waiters.delete(id)) await this.addOutbound(row, dueAt);
  }

  async forgetWaiters(before: number): Promise<void> {
    for (const { id, expiresAt } of this.tables.waiters.values()) if (expiresAt < before) this.tables.waiters.delete(id);
  }

  async addOutbound(row: OutboundRow, dueAt: number): Promise<void> {
    if (this.tables.outbound.has(row.id)) return;
    this.tables.outbound.set(row.id, { ...row });
    if (!row.awaitsEnd) addWork(this.tables, { id: row.id, kind: "outbound", queue: row.queue, dueAt });
  }

  async dropOutbound(ids: string[]): Promise<void> {
    for (const id of ids) this.tables.outbound.delete(id);
  }

  async finish({ id, token }: { id: string; token: string }): Promise<void> {
    if (this.tables.work.get(id)?.token !== token) return;
    this.tables.work.delete(id);
    this.tables.outbound.delete(id);
  }
}

/** An event was delivered: answers true if somebody may wait for it. */
export function awaken(tables: Tables, event: EventRow): boolean {
  const { environmentId, name, rowId, deliveredAt, canceledAt } = event;
  const awaited = [...tables.waiters.values()].some((row) => row.environmentId === environmentId && row.names.includes(name));
  if (!awaited || deliveredAt === null || canceledAt !== null) return false;
  addWork(tables, { id: `${rowId}:waiters`, kind: "waiters", queue: eventQueue(environmentId), dueAt: deliveredAt });
  return true;
}

/** A run has ended: what awaited that is due. Answers its queues. */
export function tellOfEnd(tables: Tables, runId: string, at: number): string[] {
  const told = [...tables.outbound.values()].filter((row) => row.runId === runId && row.awaitsEnd);
  for (const { id, queue } of told) addWork(tables, { id, kind: "outbound", queue, dueAt: at });
  return [...new Set(told.map(({ queue }) => queue))];
}

function addWork({ work }: Tables, row: { id: string; kind: "outbound" | "waiters"; queue: string; dueAt: number }): void {
  if (work.has(row.id)) return;
  work.set(row.id, { ...row, dueAt: Math.ceil(row.dueAt), token: null, owner: null, attempts: 0 });
}
