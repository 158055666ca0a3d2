// Room: connections. What is kept of a connection, and every change of it: connected, refreshed, broken, disconnected. Called by authorizations.ts, tokens.ts, endings.ts
// and connections.ts. Promises: tokens are sealed before they are stored, for their row alone; a change made meanwhile by another server is never overwritten unread.
import { UserFacingError } from "@holdfast/protocol";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { ConnectionOwner, ConnectionRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";

export interface KeeperNeeds {
  world: Pick<World, "now" | "newId">;
  store: Pick<Store, "connections">;
  vault: Pick<Vault, "seal" | "open">;
}

export interface Tokens {
  accessToken: string;
  refreshToken: string | null;
}

/** What somebody who connects brings. `lifetime` in seconds. */
export interface Brought {
  provider: string | null;
  tokens: Tokens;
  lifetime: number | null;
  scopes: string[];
  fields: Record<string, string>;
  title: string | null;
}

const MOST_TRIES = 20;
/** Refreshed that long ahead of its end, or, if it lives shorter, when a quarter of its life is left. */
const AHEAD_MS = 10 * 60_000;

export class Keeper {
  constructor(private readonly needs: KeeperNeeds) {}

  tokens(row: ConnectionRow): Tokens | null {
    return row.tokensSealed === null ? null : (JSON.parse(this.needs.vault.open(row.tokensSealed, purposeOf(row))) as Tokens);
  }

  /** Connects it anew, whatever it was. */
  connect(owner: ConnectionOwner, brought: Brought): Promise<ConnectionRow> {
    const { provider, scopes, fields, title } = brought;
    return this.change(owner, (row) => ({
      ...row,
      provider,
      scopes,
      title,
      fieldsText: Object.keys(fields).length > 0 ? JSON.stringify(fields) : null,
      generation: row.generation + 1,
      endingError: row.endingAt === null ? null : row.endingError,
      ...this.#inForce(row, brought),
    }));
  }

  /**
   * Forgets its tokens. Null: there is no such connection.
   *
   * @param aside what becomes of them: changes of the row as it was
   */
  async disconnect(owner: ConnectionOwner, aside: (row: ConnectionRow) => Partial<ConnectionRow>): Promise<ConnectionRow | null> {
    if (!(await this.needs.store.connections.get(owner))) return null;
    const none = { ...NOT_IN_FORCE, status: "none", title: null, error: null } as const;
    return this.change(owner, (row) => ({ ...row, ...none, ...aside(row) }));
  }

  /** Lets one server refresh it until then. Null: another does, or it has changed. */
  lease(row: ConnectionRow, until: number): Promise<ConnectionRow | null> {
    return this.replace(row, { leasedUntil: until });
  }

  refreshed(row: ConnectionRow, given: Pick<Brought, "tokens" | "lifetime">): Promise<ConnectionRow | null> {
    return this.replace(row, this.#inForce(row, given));
  }

  /** Its provider takes its tokens no more. */
  broken(row: ConnectionRow, error: string): Promise<ConnectionRow | null> {
    return this.replace(row, { ...NOT_IN_FORCE, status: "broken", error });
  }

  /** Changes it if it still is as it was read; null if it is not. */
  async replace(row: ConnectionRow, changes: Partial<ConnectionRow>): Promise<ConnectionRow | null> {
    const next = { ...row, ...changes, revision: row.revision + 1, updatedAt: this.needs.world.now() };
    return (await this.needs.store.connections.save(next, row)) ? next : null;
  }

  #inForce(row: ConnectionRow, { tokens, lifetime }: Pick<Brought, "tokens" | "lifetime">) {
    const expiresAt = lifetime === null ? null : this.needs.world.now() + lifetime * 1000;
    const ahead = lifetime === null ? 0 : Math.min(AHEAD_MS, lifetime * 250);
    return {
      status: "connected" as const,
      tokensSealed: this.needs.vault.seal(JSON.stringify(tokens), purposeOf(row)),
      expiresAt: expiresAt === null ? null : Math.floor(expiresAt),
      refreshAt: expiresAt === null || tokens.refreshToken === null ? null : Math.floor(expiresAt - ahead),
      leasedUntil: 0,
      error: null,
    };
  }

  /** Changes it whatever it is; it may be asked more than once, of newer rows. */
  async change(owner: ConnectionOwner, change: (row: ConnectionRow) => ConnectionRow): Promise<ConnectionRow> {
    const { store, world } = this.needs;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const former = await store.connections.get(owner);
      const now = world.now();
      const before = former ?? fresh(owner, world.newId("connection"), now);
      const next = { ...change(before), revision: before.revision + 1, updatedAt: now };
      if (await store.connections.save(next, former)) return next;
    }
    throw new UserFacingError("OVERLOADED", "This connection is changed by too many at once.");
  }
}

const NOT_IN_FORCE = { tokensSealed: null, expiresAt: null, refreshAt: null, leasedUntil: 0 } as const;

/** Bound to the row, so that tokens copied to another one do not open. */
function purposeOf({ id }: ConnectionRow): string {
  return `connection:${id}`;
}

function fresh({ environmentId, integrationId, accountId }: ConnectionOwner, id: string, now: number): ConnectionRow {
  return {
    environmentId,
    integrationId,
    accountId,
    id,
    status: "none",
    provider: null,
    scopes: [],
    fieldsText: null,
    title: null,
    generation: 0,
    revision: 0,
    error: null,
    endingSealed: null,
    endingAt: null,
    endingError: null,
    createdAt: now,
    updatedAt: now,
    ...NOT_IN_FORCE,
  };
}
