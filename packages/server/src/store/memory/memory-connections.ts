// Room: store. Connections, the OAuth apps they are made with, and runs that wait for them, in memory. Part of MemoryStore; copies rows in and out.
import type { AuthorizationRow, ConnectionOwner, ConnectionRow, ConnectionStore, OAuthClientRow } from "../connection-rows.ts";
import { storableRow, storableText } from "../storable.ts";

interface Wait {
  owner: ConnectionOwner;
  runId: string;
  at: number;
}

export class MemoryConnections implements ConnectionStore {
  readonly #clients = new Map<string, OAuthClientRow>();
  readonly #rows = new Map<string, ConnectionRow>();
  readonly #authorizations = new Map<string, AuthorizationRow>();
  #waits: Wait[] = [];

  async client(environmentId: string, integrationId: string): Promise<OAuthClientRow | null> {
    return structuredClone(this.#clients.get(keyOf({ environmentId, integrationId, accountId: null })) ?? null);
  }

  async clients(environmentId: string): Promise<OAuthClientRow[]> {
    const all = [...this.#clients.values()].filter((row) => row.environmentId === environmentId);
    return structuredClone(all.sort((a, b) => (a.integrationId < b.integrationId ? -1 : 1)));
  }

  async saveClient(given: OAuthClientRow): Promise<void> {
    const row = structuredClone(storableRow(given));
    const key = keyOf({ ...row, accountId: null });
    this.#clients.set(key, { ...row, createdAt: this.#clients.get(key)?.createdAt ?? row.createdAt });
  }

  async dropClient(environmentId: string, integrationId: string): Promise<void> {
    this.#clients.delete(keyOf({ environmentId, integrationId, accountId: null }));
  }

  async get(owner: ConnectionOwner): Promise<ConnectionRow | null> {
    return structuredClone(this.#rows.get(keyOf(owner)) ?? null);
  }

  async byId(environmentId: string, id: string): Promise<ConnectionRow | null> {
    const found = [...this.#rows.values()].find((row) => row.id === storableText(id) && row.environmentId === environmentId);
    return structuredClone(found ?? null);
  }

  async list(
    environmentId: string,
    { after, limit }: { after: ConnectionOwner | null; limit: number },
  ): Promise<ConnectionRow[]> {
    const from = after ? keyOf(after) : "";
    const behind = [...this.#rows].filter(([key, row]) => row.environmentId === environmentId && key > from);
    const inOrder = behind.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    return structuredClone(inOrder.slice(0, limit));
  }

  async save(given: ConnectionRow, former: Pick<ConnectionRow, "revision"> | null): Promise<boolean> {
    const row = structuredClone(storableRow(given));
    const known = this.#rows.get(keyOf(row));
    if (known && known.revision !== former?.revision) return false;
    this.#rows.set(keyOf(row), known ? { ...row, id: known.id, createdAt: known.createdAt } : row);
    return true;
  }

  async dueForRefresh(now: number, limit: number): Promise<ConnectionRow[]> {
    const due = [...this.#rows.values()].filter(
      ({ status, refreshAt, leasedUntil }) =>
        status === "connected" && refreshAt !== null && refreshAt <= now && leasedUntil <= now,
    );
    return structuredClone(due.sort((a, b) => (a.refreshAt ?? 0) - (b.refreshAt ?? 0)).slice(0, limit));
  }

  async dueForEnding(now: number, limit: number): Promise<ConnectionRow[]> {
    const due = [...this.#rows.values()].filter(({ endingAt }) => endingAt !== null && endingAt <= now);
    return structuredClone(due.sort((a, b) => (a.endingAt ?? 0) - (b.endingAt ?? 0)).slice(0, limit));
  }

  async addAuthorization(row: AuthorizationRow): Promise<void> {
    if (!this.#authorizations.has(row.stateHash)) this.#authorizations.set(row.stateHash, structuredClone(storableRow(row)));
  }

  async takeAuthorization(stateHash: string): Promise<AuthorizationRow | null> {
    const row = this.#authorizations.get(stateHash) ?? null;
    this.#authorizations.delete(stateHash);
    return row;
  }

  async forgetAuthorizations(before: number): Promise<void> {
    for (const [hash, row] of this.#authorizations) if (row.expiresAt < before) this.#authorizations.delete(hash);
  }

  async addWait(owner: ConnectionOwner, runId: string, at: number): Promise<void> {
    const { environmentId, integrationId, accountId } = storableRow(owner);
    const known = this.#of(owner).some((wait) => wait.runId === runId);
    if (!known) this.#waits.push({ owner: { environmentId, integrationId, accountId }, runId, at });
  }

  async waits(owner: ConnectionOwner, after: string, limit: number): Promise<string[]> {
    const ids = this.#of(owner).map(({ runId }) => runId);
    return ids
      .filter((id) => id > after)
      .sort()
      .slice(0, limit);
  }

  async dropWaits(owner: ConnectionOwner, runIds: string[]): Promise<void> {
    const dropped = new Set(this.#of(owner).filter(({ runId }) => runIds.includes(runId)));
    this.#waits = this.#waits.filter((wait) => !dropped.has(wait));
  }

  async waitCounts(environmentId: string): Promise<(ConnectionOwner & { runs: number })[]> {
    const counts = new Map<string, ConnectionOwner & { runs: number }>();
    for (const { owner } of this.#waits) {
      if (owner.environmentId !== environmentId) continue;
      const key = keyOf(owner);
      counts.set(key, { ...owner, runs: (counts.get(key)?.runs ?? 0) + 1 });
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
  }

  async unwoken(limit: number): Promise<ConnectionRow[]> {
    const keys = new Set(this.#waits.map(({ owner }) => keyOf(owner)));
    const found = [...keys].flatMap((key) => this.#rows.get(key) ?? []).filter(({ status }) => status === "connected");
    return structuredClone(found.slice(0, limit));
  }

  async forgetWaits(before: number): Promise<void> {
    this.#waits = this.#waits.filter(({ at }) => at >= before);
  }

  #of(owner: ConnectionOwner): Wait[] {
    const key = keyOf(owner);
    return this.#waits.filter((wait) => keyOf(wait.owner) === key);
  }
}

/** In the order of PostgreSQL's: NUL is in no stored text and lies before everything else. */
function keyOf({ environmentId, integrationId, accountId }: ConnectionOwner): string {
  return [environmentId, storableText(integrationId), storableText(accountId ?? "")].join("\0");
}
