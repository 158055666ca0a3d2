// Room: connections. How a provider is asked to end a token, and what its answer means: RFC 7009, and GitHub's own way. Called by endings.ts. Pure.
import type { HttpOutcome, HttpRequest } from "../platform/http-client.ts";
import { BOUNDS, basicAuth, bodyOf, errorOf, isPassing, type OAuthApp, postAsApp } from "./oauth.ts";
import type { Provider } from "./providers.ts";

export type TokenKind = "refresh_token" | "access_token";

/** `refused`: it will not end it, however often it is asked. `failed`: it may another time. */
export type Ended = { type: "ended" } | { type: "refused" | "failed"; message: string };

/** @param url the app's `revokeUrl` */
export function revocationRequest(app: OAuthApp, url: string, token: { text: string; kind: TokenKind }): HttpRequest {
  const { provider, clientId, secret } = app;
  if (provider.revocation?.how !== "github") return postAsApp(app, url, { token: token.text, token_type_hint: token.kind });
  const headers = {
    accept: "application/vnd.github+json",
    authorization: basicAuth([clientId, secret ?? ""]),
    "content-type": "application/json",
    "user-agent": "holdfast",
  };
  return { url, method: "DELETE", headers, body: JSON.stringify({ access_token: token.text }), ...BOUNDS };
}

export function readRevocation(provider: Provider, outcome: HttpOutcome): Ended {
  if (!outcome.ok) return { type: "failed", message: `${provider.name} could not be reached: ${outcome.message}` };
  const { status } = outcome;
  const error = errorOf(provider, status, bodyOf(outcome.body));
  // By RFC 7009 a token that is unknown counts as ended; some say so in this way.
  if (error?.code === "invalid_token") return { type: "ended" };
  if (error) return { type: error.passing ? "failed" : "refused", message: error.message };
  if (status >= 200 && status < 300) return { type: "ended" };
  const message = `${provider.name} answered ${status}.`;
  // Without a word why, 401 and 403 speak of the app, whose set-up can be put right.
  return { type: isPassing(status) || status === 401 || status === 403 ? "failed" : "refused", message };
}
