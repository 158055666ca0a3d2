// Room: connections. Tokens that can be used now: read, and refreshed ahead of their end, by one server at a time. Called by connections.ts for executions, for
// `getAuth`, and by upkeep. Promises: a refreshed token is stored before anybody gets it; a server that dies while it refreshes holds the others up for
// LEASE_MS at most.
import type { ConnectionAuth } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import type { ConnectionOwner, ConnectionRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";
import type { Endings } from "./endings.ts";
import type { Keeper } from "./keeper.ts";
import { readAnswer, tokenRequest } from "./oauth.ts";
import type { OAuthApps } from "./oauth-apps.ts";

export interface TokensNeeds {
  world: Pick<World, "now" | "fetch" | "log">;
  store: Pick<Store, "connections">;
  keeper: Keeper;
  apps: OAuthApps;
  endings: Pick<Endings, "late">;
}

/** `unavailable`: it may be there in a moment, or once its provider is. */
export type Found = { type: "found"; auth: ConnectionAuth } | { type: "missing" } | { type: "unavailable"; message: string };

/** Longer than a request to a provider may take. */
const LEASE_MS = 15_000;
const AGAIN_AFTER_MS = 15_000;
const AT_ONCE = 20;

export class TokenSource {
  /** Refreshes under way here, by connection. */
  readonly #refreshing = new Map<string, Promise<ConnectionRow | null>>();

  constructor(private readonly needs: TokensNeeds) {}

  /** A token of the connection that is good now. */
  async find(owner: ConnectionOwner): Promise<Found> {
    const { store, world, keeper } = this.needs;
    let row = await store.connections.get(owner);
    if (row?.status === "connected" && row.refreshAt !== null && row.refreshAt <= world.now()) row = await this.refresh(row);
    if (row?.status === "connected" && row.expiresAt !== null && row.expiresAt <= world.now()) {
      if (row.refreshAt !== null) return { type: "unavailable", message: unavailable(row) };
      await keeper.broken(row, "Its token has expired, and cannot be refreshed.");
      return { type: "missing" };
    }
    const tokens = row?.status === "connected" ? keeper.tokens(row) : null;
    return row && tokens ? { type: "found", auth: authOf(row, tokens.accessToken) } : { type: "missing" };
  }

  /** Refreshes it unless somebody else does; answers it as it is then. */
  async refresh(row: ConnectionRow): Promise<ConnectionRow | null> {
    const { store } = this.needs;
    const underWay = this.#refreshing.get(row.id);
    if (underWay) return underWay;
    const refreshing = this.#refresh(row)
      .then((done) => done ?? store.connections.get(row))
      .finally(() => this.#refreshing.delete(row.id));
    this.#refreshing.set(row.id, refreshing);
    return refreshing;
  }

  /** Null: somebody else changes it. */
  async #refresh(given: ConnectionRow): Promise<ConnectionRow | null> {
    const { world, keeper, apps } = this.needs;
    if (given.leasedUntil > world.now()) return given;
    const row = await keeper.lease(given, world.now() + LEASE_MS);
    if (!row) return null;
    const tokens = keeper.tokens(row);
    const app = await apps.open(row.environmentId, row.integrationId);
    if (!app || tokens?.refreshToken == null) return this.#later(row, "Its OAuth app is not set up any more.");
    const answered = readAnswer(app.provider, await world.fetch(tokenRequest(app, { refreshToken: tokens.refreshToken })));
    if (answered.type === "refused") return keeper.broken(row, answered.message);
    if (answered.type !== "given") return this.#later(row, answered.message);
    const { accessToken, refreshToken, lifetime } = answered.tokens;
    const fresh = { accessToken, refreshToken: refreshToken ?? tokens.refreshToken };
    const kept = await keeper.refreshed(row, { tokens: fresh, lifetime });
    if (!kept) await this.needs.endings.late(row, fresh);
    return kept;
  }

  #later(row: ConnectionRow, error: string): Promise<ConnectionRow | null> {
    const { world, keeper } = this.needs;
    world.log.warn("a connection could not be refreshed; it is tried again", { integration: row.integrationId, reason: error });
    return keeper.replace(row, { error, leasedUntil: 0, refreshAt: world.now() + AGAIN_AFTER_MS });
  }

  /** Refreshes what is due, so that no run has to wait for it. */
  async refreshDue(): Promise<void> {
    const due = await this.needs.store.connections.dueForRefresh(this.needs.world.now(), AT_ONCE);
    await Promise.all(due.map((row) => this.refresh(row)));
  }
}

function authOf({ scopes, fieldsText }: ConnectionRow, accessToken: string): ConnectionAuth {
  const additionalFields = fieldsText === null ? {} : { additionalFields: JSON.parse(fieldsText) as Record<string, string> };
  return { type: "oauth2", accessToken, scopes, ...additionalFields };
}

function unavailable({ integrationId, error }: ConnectionRow): string {
  return `The token of "${integrationId}" has expired and could not be refreshed yet${error === null ? "." : `: ${error}`}`;
}
