// Room: connections. Ends the tokens of what was disconnected at their provider. Called by connections.ts and upkeep, and by tokens.ts for tokens that came too late. Promises: a
// connection is disconnected here first, whatever its provider says; the tokens are put aside, sealed, in the same write, and tried again until they are ended, refused
// or GIVE_UP_MS old; a token goes to no other address than its provider's was when it was put aside.
import { UserFacingError } from "@holdfast/protocol";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { ConnectionOwner, ConnectionRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";
import type { Keeper, Tokens } from "./keeper.ts";
import type { OAuthApp } from "./oauth.ts";
import type { OAuthApps } from "./oauth-apps.ts";
import { type Ended, readRevocation, revocationRequest, type TokenKind } from "./revocation.ts";

export interface EndingsNeeds {
  world: Pick<World, "now" | "fetch" | "log">;
  store: Pick<Store, "connections">;
  vault: Pick<Vault, "seal" | "open">;
  keeper: Keeper;
  apps: OAuthApps;
}

/** A token that is to be ended. */
interface Ending {
  text: string;
  kind: TokenKind;
  url: string;
  since: number;
}

/** Each pause is as long as all of it took so far. */
const PAUSE_MS = { least: 60_000, most: 6 * 3_600_000 };
const GIVE_UP_MS = 3 * 24 * 3_600_000;
/** Of one connection: somebody who disconnects more often while its provider is away loses the oldest. */
const MOST_KEPT = 20;
const AT_ONCE = 20;
const SET_UP_ANEW = "Its OAuth app is not set up as it was when it was disconnected.";

export class Endings {
  constructor(private readonly needs: EndingsNeeds) {}

  /** Forgets a connection's tokens here, and asks its provider to end them, once before it answers. Null: there is no such connection. */
  async disconnect(owner: ConnectionOwner): Promise<ConnectionRow | null> {
    const { keeper, store } = this.needs;
    const app = await this.#app(owner);
    const row = await keeper.disconnect(owner, (former) => this.#aside(former, app, this.#tokens(former)));
    if (!row || row.endingAt === null) return row;
    await this.#tryOnce(row);
    return store.connections.get(row);
  }

  /** Tokens that a refresh brought after its connection was disconnected. */
  async late(owner: ConnectionOwner, tokens: Tokens): Promise<void> {
    const { keeper, store } = this.needs;
    if ((await store.connections.get(owner))?.status !== "none") return;
    const app = await this.#app(owner);
    await keeper.change(owner, (row) => (row.status === "none" ? { ...row, ...this.#aside(row, app, tokens) } : row));
  }

  /** Tries again what is due. */
  async endDue(): Promise<void> {
    const due = await this.needs.store.connections.dueForEnding(this.needs.world.now(), AT_ONCE);
    await Promise.all(due.map((row) => this.#tryOnce(row)));
  }

  /** What a row becomes by putting tokens aside. Those that somebody got elsewhere are not ours to end. */
  #aside(row: ConnectionRow, app: OAuthApp | null, tokens: Tokens | null): Partial<ConnectionRow> {
    if (!app || app.revokeUrl === null || tokens === null || row.provider !== app.provider.id) return {};
    const since = this.needs.world.now();
    const put = (text: string, kind: TokenKind): Ending => ({ text, kind, url: app.revokeUrl ?? "", since });
    // First the one that could bring new ones.
    const added = tokens.refreshToken === null ? [] : [put(tokens.refreshToken, "refresh_token")];
    added.push(put(tokens.accessToken, "access_token"));
    const all = [...(this.#opened(row) ?? []), ...added].slice(-MOST_KEPT);
    return { endingSealed: this.#sealed(row, all), endingAt: since, endingError: null };
  }

  async #tryOnce(row: ConnectionRow): Promise<void> {
    const { world, keeper } = this.needs;
    const endings = this.#opened(row);
    if (!endings) return void (await keeper.replace(row, { ...NOTHING, endingError: "Its tokens can no longer be read here." }));
    // The next try is fixed before this one, so that no second server tries meanwhile and a server that dies holds nothing up for long.
    const claimed = await keeper.replace(row, { endingAt: world.now() + pauseOf(endings, world.now()) });
    if (!claimed) return;
    const app = await this.#app(row);
    const over = new Set<string>();
    let error: string | null = null;
    for (const ending of endings) {
      const ended = await this.#end(app, ending);
      if (ended.type !== "ended") error = ended.message;
      const givenUp = ended.type === "failed" && world.now() - ending.since >= GIVE_UP_MS;
      if (ended.type !== "failed" || givenUp) over.add(ending.text);
      // A provider that is away for one is away for all.
      else break;
    }
    if (error !== null)
      world.log.warn("a disconnected token could not be ended at its provider", { ...named(row), reason: error });
    await keeper.change(row, (now) => this.#without(now, over, error));
  }

  async #end(app: OAuthApp | null, { url, ...token }: Ending): Promise<Ended> {
    if (!app || app.revokeUrl !== url) return { type: "failed", message: SET_UP_ANEW };
    return readRevocation(app.provider, await this.needs.world.fetch(revocationRequest(app, url, token)));
  }

  /** The row, which may have got more to end meanwhile, without what is over. */
  #without(row: ConnectionRow, over: Set<string>, error: string | null): ConnectionRow {
    const left = (this.#opened(row) ?? []).filter(({ text }) => !over.has(text));
    if (left.length === 0) return { ...row, ...NOTHING, endingError: error };
    return { ...row, endingSealed: this.#sealed(row, left), endingError: error };
  }

  /** Null: none is set up, or its secret was sealed with a key this server has no more, which must not keep anything connected. */
  async #app({ environmentId, integrationId }: ConnectionOwner): Promise<OAuthApp | null> {
    try {
      return await this.needs.apps.open(environmentId, integrationId);
    } catch (error) {
      if (error instanceof UserFacingError && error.code === "BAD_CONFIGURATION") return null;
      throw error;
    }
  }

  #tokens(row: ConnectionRow): Tokens | null {
    try {
      return this.needs.keeper.tokens(row);
    } catch {
      return null;
    }
  }

  #sealed(row: ConnectionRow, endings: Ending[]): string {
    return this.needs.vault.seal(JSON.stringify(endings), purposeOf(row));
  }

  /** Null: they cannot be read any more. */
  #opened(row: ConnectionRow): Ending[] | null {
    if (row.endingSealed === null) return [];
    try {
      return JSON.parse(this.needs.vault.open(row.endingSealed, purposeOf(row))) as Ending[];
    } catch {
      return null;
    }
  }
}

const NOTHING = { endingSealed: null, endingAt: null } as const;
const purposeOf = ({ id }: ConnectionRow): string => `ending:${id}`;
const named = ({ integrationId, id }: ConnectionRow) => ({ integration: integrationId, connection: id });

function pauseOf(endings: Ending[], now: number): number {
  const oldest = Math.min(now, ...endings.map(({ since }) => since));
  return Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, now - oldest));
}
