// Room: http. Logins of people in `start` mode. A session is a sealed text in a cookie, so every server with the same encryption key knows it; those ended
// by logging out are kept in the settings until they would have expired. Called by access.ts and the session routes.
import { createHash } from "node:crypto";
import { UserFacingError } from "@holdfast/protocol";
import { TokenBucket } from "../ingest/token-bucket.ts";
import { checkPassword } from "./password.ts";
import type { Rooms } from "./rooms.ts";

const LIFETIME_MS = 14 * 24 * 3_600_000;
const PURPOSE = "session";
const ENDED = "sessions.ended";
/** How long another server's logout may take to be seen here. */
const ENDED_FRESH_MS = 5_000;
const ATTEMPTS = { perAddress: { burst: 5, perSecond: 1 / 12 }, all: { burst: 30, perSecond: 0.5 } };
const MOST_ADDRESSES = 10_000;

interface Session {
  id: string;
  expires: number;
  /** Changes with the password, so that a new one ends every session. */
  password: string;
}

export class Sessions {
  readonly #all: TokenBucket;
  readonly #perAddress = new Map<string, TokenBucket>();
  /** Sessions that ended by logging out, with when they would have expired. */
  readonly #ended = new Map<string, number>();
  /** When they were last read from the settings. */
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly rooms: Rooms) {
    this.#all = new TokenBucket(() => rooms.world.now(), ATTEMPTS.all);
  }

  /**
   * Checks a password and opens a session: the cookie's value.
   *
   * @throws UserFacingError UNAUTHORIZED, TOO_MANY_REQUESTS
   */
  async login(password: string, address: string): Promise<string> {
    const hash = this.rooms.adminPasswordHash;
    if (hash === null) throw new UserFacingError("BAD_REQUEST", "This server runs in dev mode: there is no login.");
    if (!this.#bucketOf(address).take() || !this.#all.take()) {
      throw new UserFacingError("TOO_MANY_REQUESTS", "Too many attempts to log in. Try again in a minute.");
    }
    if (!(await checkPassword(password, hash))) throw new UserFacingError("UNAUTHORIZED", "That is not the password.");
    const session: Session = {
      id: this.rooms.world.newId("execution"),
      expires: this.rooms.world.now() + LIFETIME_MS,
      password: mark(hash),
    };
    return this.rooms.vault.seal(JSON.stringify(session), PURPOSE);
  }

  /** Whether a cookie's value is a session that still holds. */
  async holds(value: string | undefined): Promise<boolean> {
    const session = this.#read(value);
    return session !== null && !(await this.#hasEnded(session.id));
  }

  async logout(value: string | undefined): Promise<void> {
    const session = this.#read(value);
    if (!session) return;
    const { catalog } = this.rooms.store;
    const now = this.rooms.world.now();
    this.#ended.set(session.id, session.expires);
    for (;;) {
      const former = await catalog.setting(ENDED);
      const ids = idsIn(former);
      if (ids.has(session.id)) return;
      const next = [...ids.set(session.id, session.expires)].filter(([, expires]) => expires > now);
      // Somebody may log out on another server at the same moment: then it is read again.
      if (await catalog.changeSetting(ENDED, former, JSON.stringify(next))) return;
    }
  }

  #read(value: string | undefined): Session | null {
    const hash = this.rooms.adminPasswordHash;
    if (!value || hash === null) return null;
    try {
      const session = JSON.parse(this.rooms.vault.open(value, PURPOSE)) as Session;
      return session.expires > this.rooms.world.now() && session.password === mark(hash) ? session : null;
    } catch (error) {
      if (error instanceof UserFacingError || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** Whether it ended by logging out, on any server. */
  async #hasEnded(id: string): Promise<boolean> {
    const now = this.rooms.world.now();
    if (this.#ended.has(id)) return true;
    if (now - this.#readAt < ENDED_FRESH_MS) return false;
    const ids = idsIn(await this.rooms.store.catalog.setting(ENDED));
    this.#readAt = now;
    // What ended here is kept, though it may not have been written when this was read.
    for (const [known, expires] of this.#ended) if (expires <= now) this.#ended.delete(known);
    for (const [ended, expires] of ids) this.#ended.set(ended, expires);
    return this.#ended.has(id);
  }

  #bucketOf(address: string): TokenBucket {
    const known = this.#perAddress.get(address);
    if (known) return known;
    if (this.#perAddress.size >= MOST_ADDRESSES) this.#perAddress.clear();
    const bucket = new TokenBucket(() => this.rooms.world.now(), ATTEMPTS.perAddress);
    this.#perAddress.set(address, bucket);
    return bucket;
  }
}

/** Sessions that ended, as the setting has them. */
function idsIn(text: string | null): Map<string, number> {
  return new Map(JSON.parse(text ?? "[]") as [string, number][]);
}

/** Stands for the password without telling it: a digest of its hash, the same on every server. */
function mark(hash: string): string {
  return createHash("sha256").update(hash).digest("base64url").slice(0, 16);
}
