// Room: connections. The OAuth apps people registered with providers, one for each integration of an environment: set up, opened for use. Called by connections.ts,
// authorizations.ts and tokens.ts. Promises: a secret goes in and never out, but to its provider.
import { UserFacingError } from "@holdfast/protocol";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { OAuthClientRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";
import type { OAuthApp } from "./oauth.ts";
import { PROVIDERS, type Provider, providerOf } from "./providers.ts";

export interface OAuthAppsNeeds {
  world: Pick<World, "now">;
  store: Pick<Store, "connections">;
  vault: Pick<Vault, "seal" | "open">;
}

/** What a person sets up. Without a secret, the one there is stays. */
export interface OAuthAppSettings {
  provider: string;
  clientId: string;
  clientSecret?: string | undefined;
  scopes: string[];
  authorizeUrl?: string | undefined;
  tokenUrl?: string | undefined;
  /** Where it ends tokens (RFC 7009). */
  revokeUrl?: string | undefined;
  /** What it says it is, with each answer in the browser (RFC 9207). */
  issuer?: string | undefined;
}

export class OAuthApps {
  constructor(private readonly needs: OAuthAppsNeeds) {}

  /** Sets one up, or changes it. @throws UserFacingError BAD_REQUEST */
  async save(environmentId: string, integrationId: string, settings: OAuthAppSettings): Promise<OAuthClientRow> {
    const { store, vault, world } = this.needs;
    const provider = requireProvider(settings.provider);
    const authorizeUrl = checkedUrl(settings.authorizeUrl, provider.authorizeUrl, "authorizeUrl");
    const tokenUrl = checkedUrl(settings.tokenUrl, provider.tokenUrl, "tokenUrl");
    const revokeUrl = revokeUrlOf(settings.revokeUrl, provider);
    const issuer = issuerOf(settings.issuer);
    const former = await store.connections.client(environmentId, integrationId);
    // A secret is for the provider it was given for, and must not go elsewhere because somebody changes the address.
    const same = former?.provider === provider.id && former.tokenUrl === tokenUrl;
    const stays =
      same && (revokeUrl === former.revokeUrl || isAt(revokeUrl, tokenUrl ?? provider.tokenUrl)) ? former.secretSealed : null;
    const { clientId, clientSecret, scopes } = settings;
    const secretSealed = clientSecret ? vault.seal(clientSecret, purposeOf({ environmentId, integrationId })) : stays;
    const now = world.now();
    const at = { createdAt: former?.createdAt ?? now, updatedAt: now };
    const row = {
      environmentId,
      integrationId,
      provider: provider.id,
      clientId,
      secretSealed,
      scopes,
      authorizeUrl,
      tokenUrl,
      revokeUrl,
      issuer,
      ...at,
    };
    await store.connections.saveClient(row);
    return row;
  }

  /** Null: none is set up. */
  async open(environmentId: string, integrationId: string): Promise<OAuthApp | null> {
    const row = await this.needs.store.connections.client(environmentId, integrationId);
    const provider = row && providerOf(row.provider);
    if (!row || !provider) return null;
    const { clientId, scopes, secretSealed } = row;
    const secret = secretSealed === null ? null : this.needs.vault.open(secretSealed, purposeOf(row));
    const tokenUrl = row.tokenUrl ?? provider.tokenUrl ?? "";
    return {
      provider,
      clientId,
      secret,
      scopes,
      authorizeUrl: authorizeUrlOf(row, provider),
      tokenUrl,
      ...furtherOf(row, provider),
    };
  }

  /** What other providers of the environment call themselves in their answers. */
  async issuersBeside(environmentId: string, app: Pick<OAuthApp, "authorizeUrl">): Promise<string[]> {
    const rows = await this.needs.store.connections.clients(environmentId);
    return rows.flatMap((row) => {
      const provider = providerOf(row.provider);
      const issuer = provider && furtherOf(row, provider).issuer;
      return issuer && authorizeUrlOf(row, provider) !== app.authorizeUrl ? [issuer] : [];
    });
  }
}

function authorizeUrlOf(row: OAuthClientRow, provider: Provider): string {
  return row.authorizeUrl ?? provider.authorizeUrl ?? "";
}

/** An installation of one's own, known by its own addresses, has none of those that are for everybody. */
function furtherOf(row: OAuthClientRow, provider: Provider): Pick<OAuthApp, "revokeUrl" | "issuer"> {
  const url = row.revokeUrl ?? (row.tokenUrl === null ? (provider.revocation?.url ?? null) : null);
  const issuer = row.issuer ?? (row.authorizeUrl === null ? (provider.issuer ?? null) : null);
  return { revokeUrl: url?.replace("{client_id}", encodeURIComponent(row.clientId)) ?? null, issuer };
}

function purposeOf({ environmentId, integrationId }: Pick<OAuthClientRow, "environmentId" | "integrationId">): string {
  return `oauth-app:${environmentId}:${integrationId}`;
}

function requireProvider(id: string): Provider {
  const provider = providerOf(id);
  if (provider) return provider;
  const known = PROVIDERS.map((each) => each.id).join(", ");
  throw new UserFacingError("BAD_REQUEST", `There is no provider "${id}".`, `Providers here: ${known}.`);
}

function revokeUrlOf(given: string | undefined, provider: Provider): string | null {
  if (!given) return null;
  if (provider.revocation) return checkedUrl(given, null, "revokeUrl");
  const message = `Tokens of ${provider.name} cannot be ended one by one: all connections of a workspace share theirs.`;
  throw new UserFacingError("BAD_REQUEST", message, "Leave `revokeUrl` out.");
}

function issuerOf(given: string | undefined): string | null {
  if (!given) return null;
  // RFC 8414: a URL without query and fragment. It is compared as text, and never asked for anything.
  if (!given.includes("?")) return checkedUrl(given, null, "issuer");
  throw new UserFacingError("BAD_REQUEST", "`issuer` has no query: it is an address such as https://example.com.");
}

/** Whether what goes to the one address goes to the same server as what goes to the other. */
function isAt(url: string | null, other: string | null): boolean {
  return url === null || (other !== null && new URL(url).origin === new URL(other).origin);
}

/** Null: where the provider is for everybody. Tokens and secrets go there, so it takes TLS unless it is this machine. */
function checkedUrl(given: string | undefined, known: string | null, name: string): string | null {
  if (!given) {
    if (known !== null) return null;
    throw new UserFacingError("BAD_REQUEST", `This provider needs \`${name}\`.`, "The service's documentation says where it is.");
  }
  if (URL.canParse(given)) {
    const { protocol, hostname, username, password, hash } = new URL(given);
    const local = protocol === "http:" && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
    if ((protocol === "https:" || local) && username === "" && password === "" && hash === "") return given;
  }
  throw new UserFacingError("BAD_REQUEST", `\`${name}\` must be an https: address, such as https://example.com/oauth/token.`);
}
