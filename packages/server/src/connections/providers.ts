// Room: connections. Services that give tokens by OAuth, as data: where they are, and in what their way of speaking OAuth 2.0 differs from others'.
// Read by oauth.ts and shown by http. To add one, add an entry.

export interface Provider {
  /** As integrations name themselves in their metadata. */
  id: string;
  name: string;
  /** Null: each OAuth app says where it is. */
  authorizeUrl: string | null;
  tokenUrl: string | null;
  /** The parameter that asks for scopes, and what stands between them. */
  scopeParameter: string;
  scopeSeparator: string;
  /** Whether it takes PKCE's parameters (RFC 7636, S256). */
  pkce: boolean;
  /** How the app says who it is when it fetches tokens: in the form, or by HTTP Basic. */
  clientAuth: "form" | "basic";
  /** Where in the answer the token and what belongs to it lie, if not at its top. */
  tokenAt?: string;
  /** Texts of the answer that go along with the token, by name; names of an object are separated by dots. */
  fields?: Readonly<Record<string, string>>;
  /** Where and how it ends tokens that nobody needs any more: as RFC 7009 has it, or as GitHub does. `{client_id}` is the app's; url null: each OAuth app may say where.
   * Absent: not from here. */
  revocation?: { how: "rfc7009" | "github"; url: string | null };
  /** What its answers in the browser call it, if they do (RFC 9207). Absent: each OAuth app may say. */
  issuer?: string;
  /** Where the answer says whom it knows the connection as. */
  titleAt?: string;
  /** Where people make an OAuth app there. */
  appsUrl?: string;
}

const BY_RFC = { how: "rfc7009", url: null } as const;
const PLAIN = { scopeParameter: "scope", scopeSeparator: " ", pkce: true, clientAuth: "form" } as const;

// Slack gives everybody who connects a workspace (or a person, twice) the same token: to end one connection's would end the others'.
const SLACK = {
  ...PLAIN,
  authorizeUrl: "https://slack.com/oauth/v2/authorize",
  tokenUrl: "https://slack.com/api/oauth.v2.access",
  scopeSeparator: ",",
  // Slack takes PKCE only of apps that have turned it on, which makes public clients of them for good.
  pkce: false,
  fields: { teamId: "team.id", teamName: "team.name", botUserId: "bot_user_id", appId: "app_id", userId: "authed_user.id" },
  titleAt: "team.name",
  appsUrl: "https://api.slack.com/apps",
} as const;

export const PROVIDERS: readonly Provider[] = [
  {
    ...PLAIN,
    id: "github",
    name: "GitHub",
    authorizeUrl: "https://github.com/login/oauth/authorize",
    tokenUrl: "https://github.com/login/oauth/access_token",
    revocation: { how: "github", url: "https://api.github.com/applications/{client_id}/token" },
    appsUrl: "https://github.com/settings/developers",
  },
  { ...SLACK, id: "slack", name: "Slack (as a bot)" },
  // The same apps may act as the person who connects them; the token then lies beside the bot's.
  { ...SLACK, id: "slack-user", name: "Slack (as a person)", scopeParameter: "user_scope", tokenAt: "authed_user" },
  { ...PLAIN, id: "oauth2", name: "Any OAuth 2.0 service", authorizeUrl: null, tokenUrl: null, revocation: BY_RFC },
  {
    ...PLAIN,
    id: "oauth2-basic",
    name: "Any OAuth 2.0 service, HTTP Basic",
    authorizeUrl: null,
    tokenUrl: null,
    clientAuth: "basic",
    revocation: BY_RFC,
  },
];

export function providerOf(id: string): Provider | null {
  return PROVIDERS.find((provider) => provider.id === id) ?? null;
}
