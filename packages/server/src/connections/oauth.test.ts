// What is said to providers and what their answers mean, provider by provider. The whole way is in tests/connections.test.ts.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { HttpOutcome } from "../platform/http-client.ts";
import { authorizationUrl, type OAuthApp, readAnswer, tokenRequest } from "./oauth.ts";
import { type Provider, providerOf } from "./providers.ts";

function known(id: string): Provider {
  const provider = providerOf(id);
  if (!provider) throw new Error(`no provider ${id}`);
  return provider;
}
function appOf(id: string, changes: Partial<OAuthApp> = {}): OAuthApp {
  const provider = known(id);
  const addresses = {
    authorizeUrl: provider.authorizeUrl ?? "https://a.example/x?tenant=1",
    tokenUrl: provider.tokenUrl ?? "https://a.example/t",
    revokeUrl: null,
    issuer: null,
  };
  return { provider, clientId: "me", secret: "s&c:r€t", scopes: ["one", "two:x"], ...addresses, ...changes };
}
const answer = (status: number, body: unknown): HttpOutcome => ({
  ok: true,
  status,
  headers: {},
  body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
});
const WAY = { state: "st", verifier: "ver", redirectUrl: "https://here.example/oauth2/callback" };

describe("the way to a provider", () => {
  it("asks with PKCE, scopes and state", () => {
    const url = new URL(authorizationUrl(appOf("github"), WAY));
    expect(url.origin + url.pathname).toBe("https://github.com/login/oauth/authorize");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: "me",
      redirect_uri: WAY.redirectUrl,
      state: "st",
      scope: "one two:x",
      code_challenge: createHash("sha256").update("ver").digest("base64url"),
      code_challenge_method: "S256",
    });
  });

  it("asks Slack for a bot's scopes or a person's, without PKCE, and leaves empty scopes out", () => {
    const query = (id: string, scopes?: string[]) => {
      const { searchParams } = new URL(authorizationUrl(appOf(id, scopes ? { scopes } : {}), WAY));
      return Object.fromEntries(searchParams);
    };
    expect(query("slack")).toEqual({
      response_type: "code",
      client_id: "me",
      redirect_uri: WAY.redirectUrl,
      state: "st",
      scope: "one,two:x",
    });
    expect(query("slack-user")).toMatchObject({ user_scope: "one,two:x" });
    expect(query("slack", [])).not.toHaveProperty("scope");
    expect(new URL(authorizationUrl(appOf("oauth2"), WAY)).searchParams.get("tenant")).toBe("1");
  });
});

describe("fetching tokens", () => {
  it("says who it is in the form, or by HTTP Basic, each part encoded", () => {
    const code = { code: "c", redirectUrl: WAY.redirectUrl, verifier: "ver" };
    const inForm = tokenRequest(appOf("github"), code);
    expect(Object.fromEntries(new URLSearchParams(String(inForm.body)))).toEqual({
      grant_type: "authorization_code",
      code: "c",
      redirect_uri: WAY.redirectUrl,
      code_verifier: "ver",
      client_id: "me",
      client_secret: "s&c:r€t",
    });
    const basic = tokenRequest(appOf("oauth2-basic"), { refreshToken: "r" });
    expect(Object.fromEntries(new URLSearchParams(String(basic.body)))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "r",
    });
    const [scheme, pair] = (basic.headers?.authorization ?? "").split(" ");
    expect([scheme, Buffer.from(pair ?? "", "base64").toString()]).toEqual(["Basic", "me:s%26c%3Ar%E2%82%ACt"]);
    const open = tokenRequest(appOf("oauth2", { secret: null }), { refreshToken: "r" });
    expect(new URLSearchParams(String(open.body)).has("client_secret")).toBe(false);
    expect(new URLSearchParams(String(tokenRequest(appOf("slack"), code).body)).has("code_verifier")).toBe(false);
  });

  it("reads tokens as JSON or a form, with their life and scopes", () => {
    const full = { access_token: "a", refresh_token: "r", expires_in: "3600", scope: "repo,user x" };
    const tokens = {
      accessToken: "a",
      refreshToken: "r",
      lifetime: 3600,
      scopes: ["repo", "user", "x"],
      fields: {},
      title: null,
    };
    expect(readAnswer(known("github"), answer(200, full))).toEqual({ type: "given", tokens });
    expect(readAnswer(known("github"), answer(200, new URLSearchParams(full).toString()))).toEqual({ type: "given", tokens });
    const bare = { ...tokens, refreshToken: null, lifetime: null, scopes: null };
    expect(readAnswer(known("oauth2"), answer(200, { access_token: "a", expires_in: 0 }))).toEqual({
      type: "given",
      tokens: bare,
    });
  });

  it("reads Slack's bot, the person beside it, and a person's refreshed token", () => {
    const user = { id: "U1", scope: "search:read", access_token: "xoxp", refresh_token: "r", expires_in: 43200 };
    const body = {
      ok: true,
      access_token: "xoxb",
      scope: "chat:write",
      team: { id: "T1", name: "Team" },
      bot_user_id: "B1",
      app_id: "A1",
      authed_user: user,
    };
    const fields = { teamId: "T1", teamName: "Team", botUserId: "B1", appId: "A1", userId: "U1" };
    const bot = { accessToken: "xoxb", refreshToken: null, lifetime: null, scopes: ["chat:write"], fields, title: "Team" };
    expect(readAnswer(known("slack"), answer(200, body))).toEqual({ type: "given", tokens: bot });
    const person = { ...bot, accessToken: "xoxp", refreshToken: "r", lifetime: 43200, scopes: ["search:read"] };
    expect(readAnswer(known("slack-user"), answer(200, body))).toEqual({ type: "given", tokens: person });
    const refreshed = { ok: true, access_token: "xoxp2", refresh_token: "r2", expires_in: 43200 };
    expect(readAnswer(known("slack-user"), answer(200, refreshed))).toMatchObject({
      tokens: { accessToken: "xoxp2", refreshToken: "r2" },
    });
  });

  it("tells a grant that is worth nothing from an app that is set up wrongly and a provider that is away", () => {
    const kind = (status: number, body: unknown, id = "github") => readAnswer(known(id), answer(status, body)).type;
    expect(kind(400, { error: "invalid_grant" })).toBe("refused");
    expect(kind(200, { error: "bad_refresh_token" })).toBe("refused");
    expect(kind(200, { ok: false, error: "token_revoked" }, "slack")).toBe("refused");
    expect(kind(401, { error: "invalid_client" })).toBe("failed");
    expect(kind(200, { ok: false, error: "bad_client_secret" }, "slack")).toBe("failed");
    expect(kind(429, { error: "invalid_grant" })).toBe("failed");
    expect(kind(503, { error: "invalid_grant" })).toBe("failed");
    expect(kind(200, {})).toBe("failed");
    expect(kind(500, "<html>")).toBe("failed");
    expect(kind(200, '"a"')).toBe("failed");
    const away = readAnswer(known("github"), { ok: false, why: "timeout", message: "No complete answer." });
    expect(away).toEqual({ type: "failed", message: "GitHub could not be reached: No complete answer." });
  });
});
