// Room: connections. What is said to a provider and what its answers mean (RFC 6749, RFC 7636), for the differences named in providers.ts. Called by
// authorizations.ts and tokens.ts, and by revocation.ts for its part. Pure: requests are made and answers kept by them.
import { createHash } from "node:crypto";
import type { HttpOutcome, HttpRequest } from "../platform/http-client.ts";
import type { Provider } from "./providers.ts";

/** An OAuth app, opened. */
export interface OAuthApp {
  provider: Provider;
  clientId: string;
  secret: string | null;
  scopes: readonly string[];
  authorizeUrl: string;
  tokenUrl: string;
  /** Null: it ends no tokens, or nobody said where. */
  revokeUrl: string | null;
  /** Null: its answers in the browser do not say who they are from, or nobody said what they say. */
  issuer: string | null;
}

export type Grant = { code: string; redirectUrl: string; verifier: string } | { refreshToken: string };

export interface TokenAnswer {
  accessToken: string;
  /** Null: the one there is stays. */
  refreshToken: string | null;
  /** Seconds; null: it does not say. */
  lifetime: number | null;
  /** Null: those asked for. */
  scopes: string[] | null;
  fields: Record<string, string>;
  title: string | null;
}

/** `refused`: the grant is worth nothing any more. `failed`: it may be, but this time it was not given; the app's set-up may be wrong, or the provider away. */
export type Answered = { type: "given"; tokens: TokenAnswer } | { type: "refused" | "failed"; message: string };

/** Of a request to a provider. */
export const BOUNDS = { timeoutMs: 10_000, maxBytes: 1024 * 1024 } as const;
/** Codes that speak of the app or of the provider's day, not of the grant. */
const NOT_THE_GRANT = new Set([
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "temporarily_unavailable",
  "server_error",
  "slow_down",
  // GitHub
  "incorrect_client_credentials",
  "redirect_uri_mismatch",
  "application_suspended",
  // Slack
  "bad_client_secret",
  "invalid_client_id",
  "bad_redirect_uri",
  "ratelimited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
]);

/** Where somebody is sent to allow it. */
export function authorizationUrl(
  app: OAuthApp,
  { state, verifier, redirectUrl }: Record<"state" | "verifier" | "redirectUrl", string>,
): string {
  const { provider } = app;
  const url = new URL(app.authorizeUrl);
  const set = (name: string, value: string) => url.searchParams.set(name, value);
  set("response_type", "code");
  set("client_id", app.clientId);
  set("redirect_uri", redirectUrl);
  set("state", state);
  if (app.scopes.length > 0) set(provider.scopeParameter, app.scopes.join(provider.scopeSeparator));
  if (!provider.pkce) return url.href;
  set("code_challenge", createHash("sha256").update(verifier).digest("base64url"));
  set("code_challenge_method", "S256");
  return url.href;
}

/** The request that turns a code, or a refresh token, into tokens. */
export function tokenRequest(app: OAuthApp, grant: Grant): HttpRequest {
  return postAsApp(app, app.tokenUrl, formOf(grant, app.provider));
}

/** A form, from the app: it says who it is the way its provider wants it. */
export function postAsApp(app: OAuthApp, url: string, fields: Record<string, string>): HttpRequest {
  const { provider, clientId, secret } = app;
  const form = new URLSearchParams(fields);
  const headers: Record<string, string> = {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded",
    "user-agent": "holdfast",
  };
  if (provider.clientAuth === "basic" && secret !== null) {
    headers.authorization = basicAuth([clientId, secret].map(encodeURIComponent));
  } else {
    form.set("client_id", clientId);
    if (secret !== null) form.set("client_secret", secret);
  }
  return { url, method: "POST", headers, body: form.toString(), ...BOUNDS };
}

export function basicAuth(pair: readonly string[]): string {
  return `Basic ${Buffer.from(pair.join(":")).toString("base64")}`;
}

function formOf(grant: Grant, provider: Provider): Record<string, string> {
  if ("refreshToken" in grant) return { grant_type: "refresh_token", refresh_token: grant.refreshToken };
  const form = { grant_type: "authorization_code", code: grant.code, redirect_uri: grant.redirectUrl };
  return provider.pkce ? { ...form, code_verifier: grant.verifier } : form;
}

/** What the provider answered. No text of it but its error code and description is ever shown: the rest may hold secrets. */
export function readAnswer(provider: Provider, outcome: HttpOutcome): Answered {
  if (!outcome.ok) return { type: "failed", message: `${provider.name} could not be reached: ${outcome.message}` };
  const body = bodyOf(outcome.body);
  const error = errorOf(provider, outcome.status, body);
  if (error) return { type: error.passing ? "failed" : "refused", message: error.message };
  const nested = provider.tokenAt === undefined ? undefined : at(body, provider.tokenAt);
  // A refreshed token lies at the top wherever the first one lay.
  const tokens = textAt(nested, "access_token") === null ? body : nested;
  const accessToken = textAt(tokens, "access_token");
  if (outcome.status !== 200 || accessToken === null)
    return { type: "failed", message: `${provider.name} answered ${outcome.status} without a token.` };
  return {
    type: "given",
    tokens: {
      accessToken,
      refreshToken: textAt(tokens, "refresh_token"),
      lifetime: lifetimeOf(tokens),
      scopes:
        textAt(tokens, "scope")
          ?.split(/[\s,]+/)
          .filter(Boolean) ?? null,
      fields: fieldsOf(provider, body),
      title: provider.titleAt === undefined ? null : textAt(body, provider.titleAt),
    },
  };
}

/** What an answer says went wrong; null: it does not say. `passing`: it may go better another time, for the grant itself is good. */
export function errorOf(
  provider: Provider,
  status: number,
  body: unknown,
): { code: string; passing: boolean; message: string } | null {
  const [code, description] = [textAt(body, "error"), textAt(body, "error_description")];
  if (code === null) return null;
  const message = `${provider.name} refused: ${code}${description === null ? "" : ` (${description})`}`.slice(0, 500);
  return { code, passing: isPassing(status) || NOT_THE_GRANT.has(code), message };
}

export function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function lifetimeOf(tokens: unknown): number | null {
  const seconds = Number(at(tokens, "expires_in") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

function fieldsOf(provider: Provider, body: unknown): Record<string, string> {
  const found = Object.entries(provider.fields ?? {}).map(([name, path]) => [name, textAt(body, path)] as const);
  return Object.fromEntries(found.filter((field): field is [string, string] => field[1] !== null));
}

/** JSON, or, of old providers, a form. */
export function bodyOf(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return Object.fromEntries(new URLSearchParams(text));
  }
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

function textAt(value: unknown, path: string): string | null {
  const found = at(value, path);
  return typeof found === "string" && found !== "" ? found : null;
}
