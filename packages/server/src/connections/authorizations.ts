// Room: connections. Somebody allows it: a link that lets them, the way to the provider, and the way back (authorization code with PKCE). Called by connections.ts.
// Promises: a link is sealed and ends by itself; a state is good once, for a few minutes, and only in the browser that set out with it.
import { createHash } from "node:crypto";
import { UserFacingError } from "@holdfast/protocol";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { ConnectionOwner, ConnectionRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";
import type { Keeper } from "./keeper.ts";
import { authorizationUrl, type OAuthApp, readAnswer, tokenRequest } from "./oauth.ts";
import type { OAuthApps } from "./oauth-apps.ts";

/** Where providers send people back. v2's path, so that apps registered for it need no change but the host. */
export const CALLBACK_PATH = "/oauth2/callback";
const LINK_PURPOSE = "connect-link";
/** Time to log in at the provider, find the second factor, and read what one allows. */
const WAY_MS = 15 * 60_000;
const RANDOM_BYTES = 32;
/** Characters of what came with the browser. */
const MOST_SHOWN = 300;

export interface AuthorizationsNeeds {
  world: Pick<World, "now" | "random" | "fetch" | "log">;
  store: Pick<Store, "connections">;
  vault: Pick<Vault, "seal" | "open">;
  keeper: Keeper;
  apps: OAuthApps;
  publicUrl(): string;
}

interface Link {
  owner: ConnectionOwner;
  endsAt: number;
  returnTo: string | null;
}
interface Way {
  verifier: string;
  redirectUrl: string;
  browser: string;
  returnTo: string | null;
  /** Of the provider it goes to. Absent from ways that began before it was kept. */
  issuer?: string | null;
}

/** What a provider's answer in the browser says. */
export interface Return {
  state: string;
  code: string | undefined;
  error: string | undefined;
  errorDescription: string | undefined;
  /** Who it says it is (RFC 9207). */
  issuer: string | undefined;
  /** What the browser was given when it set out. */
  browser: string | undefined;
}

export class Authorizations {
  constructor(private readonly needs: AuthorizationsNeeds) {}

  get redirectUrl(): string {
    return `${this.needs.publicUrl()}${CALLBACK_PATH}`;
  }

  /** An address at which whoever has it can connect it, for a while. @param returnTo where they go afterwards */
  link(owner: ConnectionOwner, seconds: number, returnTo: string | null = null): { url: string; endsAt: number } {
    const { environmentId, integrationId, accountId } = owner;
    const endsAt = this.needs.world.now() + seconds * 1000;
    const link: Link = { owner: { environmentId, integrationId, accountId }, endsAt, returnTo };
    const sealed = this.needs.vault.seal(JSON.stringify(link), LINK_PURPOSE);
    const path = `/api/v2/connections/${encodeURIComponent(integrationId)}/connect`;
    return { url: `${this.needs.publicUrl()}${path}?link=${sealed}`, endsAt };
  }

  /** Sets out: where the browser is to go, and what it is to remember. @param known what it remembers already */
  async begin(integrationId: string, linkText: string, known: string | undefined): Promise<{ url: string; browser: string }> {
    const { world, store, vault, apps } = this.needs;
    const { owner, endsAt, returnTo } = this.#opened(linkText);
    if (owner.integrationId !== integrationId || endsAt < world.now()) throw badLink();
    const app = await apps.open(owner.environmentId, integrationId);
    if (!app) {
      const message = `Nobody has set up how "${integrationId}" is connected.`;
      throw new UserFacingError(
        "NOT_FOUND",
        message,
        "An administrator enters the OAuth app on the dashboard's Integrations page.",
      );
    }
    const [state, verifier] = [this.#random(), this.#random()];
    const browser = known && /^[\w-]{43}$/.test(known) ? known : this.#random();
    const { redirectUrl } = this;
    const way: Way = { verifier, redirectUrl, browser: hash(browser), returnTo, issuer: app.issuer };
    const stateHash = hash(state);
    const sealed = vault.seal(JSON.stringify(way), purposeOf(stateHash));
    await store.connections.addAuthorization({ ...owner, stateHash, sealed, expiresAt: world.now() + WAY_MS });
    return { url: authorizationUrl(app, { state, verifier, redirectUrl }), browser };
  }

  /**
   * Comes back: fetches the tokens and keeps them.
   *
   * @throws UserFacingError FORBIDDEN when it may not be the one who set out, APP_UNREACHABLE when the provider gave no tokens
   */
  async finish(given: Return): Promise<{ row: ConnectionRow; returnTo: string | null }> {
    const { world, store, vault, keeper, apps } = this.needs;
    const stateHash = hash(given.state);
    const taken = await store.connections.takeAuthorization(stateHash);
    if (!taken || taken.expiresAt < world.now()) throw badState("it was used already, or has ended");
    const way = JSON.parse(vault.open(taken.sealed, purposeOf(stateHash))) as Way;
    if (given.browser === undefined || hash(given.browser) !== way.browser) throw badState("it began in another browser");
    const app = await apps.open(taken.environmentId, taken.integrationId);
    if (!app) throw badState("its OAuth app is not set up any more");
    await this.#checkIssuer(taken, app, { sent: way.issuer ?? app.issuer, answered: given.issuer });
    if (given.error !== undefined || given.code === undefined) throw declined(app.provider.name, given);
    const { verifier, redirectUrl, returnTo } = way;
    const answered = readAnswer(app.provider, await world.fetch(tokenRequest(app, { code: given.code, redirectUrl, verifier })));
    if (answered.type !== "given")
      throw new UserFacingError(
        "APP_UNREACHABLE",
        answered.message,
        "Try again; if it stays so, look at the OAuth app's set-up.",
      );
    const { accessToken, refreshToken, lifetime, scopes, fields, title } = answered.tokens;
    const tokens = { accessToken, refreshToken };
    const brought = { provider: app.provider.id, tokens, lifetime, scopes: scopes ?? [...app.scopes], fields, title };
    return { row: await keeper.connect(taken, brought), returnTo };
  }

  /**
   * The answer comes from the provider that was asked, as far as it can be told (RFC 9207): one that says it is another's is the work of a provider that passes people on to
   * another one, to be handed the other's code (a mix-up). Nothing of such an answer goes anywhere.
   */
  async #checkIssuer(
    { environmentId, integrationId }: ConnectionOwner,
    app: OAuthApp,
    { sent, answered }: { sent: string | null; answered: string | undefined },
  ): Promise<void> {
    if (sent !== null ? answered === sent : answered === undefined) return;
    if (sent === null && !(await this.needs.apps.issuersBeside(environmentId, app)).includes(answered ?? "")) return;
    const what = { integration: integrationId, expected: sent, answered: answered?.slice(0, MOST_SHOWN) };
    this.needs.world.log.warn("an authorization was refused: its answer is not from the provider that was asked", what);
    throw mixedUp(app.provider.name, sent, answered);
  }

  #opened(text: string): Link {
    try {
      return JSON.parse(this.needs.vault.open(text, LINK_PURPOSE)) as Link;
    } catch {
      throw badLink();
    }
  }

  #random(): string {
    return Buffer.from(this.needs.world.random(RANDOM_BYTES)).toString("base64url");
  }
}

const hash = (text: string): string => createHash("sha256").update(text).digest("base64url");
const purposeOf = (stateHash: string): string => `authorization:${stateHash}`;

function badLink(): UserFacingError {
  return new UserFacingError("FORBIDDEN", "This link is not valid, or not any more.", "Ask for a new one.");
}

function badState(why: string): UserFacingError {
  return new UserFacingError("FORBIDDEN", `This authorization cannot be finished: ${why}.`, "Begin again, with the same link.");
}

function mixedUp(provider: string, sent: string | null, answered: string | undefined): UserFacingError {
  const asked = sent === null ? provider : `${provider} (${sent})`;
  const from = answered === undefined ? "does not say who it is from" : `says it is from ${answered.slice(0, MOST_SHOWN)}`;
  return new UserFacingError(
    "FORBIDDEN",
    `Nothing was connected: ${asked} was asked, and the answer ${from}. Somebody may be trying to get at what you just allowed.`,
    "Take back at the service what you allowed there, and tell whoever sent you the link. If it is a mistake of the set-up, they correct the issuer of the OAuth app.",
  );
}

function declined(provider: string, { error, errorDescription }: Return): UserFacingError {
  const what = error === "access_denied" ? "it was not allowed" : (errorDescription ?? error ?? "it sent no code");
  return new UserFacingError(
    "FORBIDDEN",
    `${provider} gave no access: ${what.slice(0, MOST_SHOWN)}.`,
    "Begin again, with the same link.",
  );
}
