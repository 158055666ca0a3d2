// Tokens of what was disconnected, over time and with two servers: ended at their provider, tried again, given up. The whole way is in tests/connections.test.ts.
import { describe, expect, it } from "vitest";
import type { HttpOutcome } from "../platform/http-client.ts";
import type { ConnectionRow } from "../store/connection-rows.ts";
import { MINUTE, REFRESHING, START, scene } from "./scene.test.mts";

describe("disconnecting", () => {
  const generic = { provider: "oauth2", clientId: "me", clientSecret: "shh", scopes: [] };
  const at = { authorizeUrl: "https://a.example/authorize", tokenUrl: "https://a.example/token" };
  const settings = { ...generic, ...at, revokeUrl: "https://a.example/revoke" };
  const AWAY = { ok: false, why: "refused", message: "Nobody listens." } as const;
  const said = (status: number, body: object): HttpOutcome => ({
    ...{ ok: true, status, headers: {} },
    body: Buffer.from(JSON.stringify(body)),
  });
  const BOTH = [
    { to: "refresh_token https://a.example/revoke", token: "first" },
    { to: "access_token https://a.example/revoke", token: "one" },
  ];
  /** Connected at a service that ends tokens by RFC 7009. */
  async function connected() {
    const all = await scene();
    const { servers, owner, environment, store, connect } = all;
    await servers[0].apps.save(environment.id, "git", settings);
    await connect(REFRESHING);
    const row = async () => (await store.connections.get(owner)) as ConnectionRow;
    const shown = async () => (await servers[1].shown(environment.id)).integrations[0]?.connections[0];
    return { ...all, row, shown };
  }

  it("ends both tokens at the provider, the one that brings others first", async () => {
    const { servers, owner, provider, row, shown } = await connected();
    provider.ends = async () => {
      expect(await row()).toMatchObject({ status: "none", tokensSealed: null });
      return said(200, {});
    };
    expect(await servers[0].disconnect(owner)).toMatchObject({ status: "none", endingSealed: null, endingAt: null });
    expect(provider.ended).toEqual(BOTH);
    expect(await shown()).toMatchObject({ status: "none", ending: null });
    await servers[1].ensure();
    await servers[1].disconnect(owner);
    expect(provider.ended).toHaveLength(2);
  });

  it("is done here though the provider is away, is tried again by any server, and says so until it is ended", async () => {
    const { servers, owner, provider, clock, row, shown, lines, connect } = await connected();
    provider.ends = async () => AWAY;
    expect(await servers[0].disconnect(owner)).toMatchObject({ status: "none", tokensSealed: null });
    expect(await servers[1].find(owner)).toEqual({ type: "missing" });
    const error = expect.stringContaining("could not be reached: Nobody listens.");
    expect(await shown()).toMatchObject({ ending: { error, nextTryAt: new Date(START + MINUTE).toISOString() } });
    expect(JSON.stringify([await row(), lines])).not.toMatch(/first|"one"/);
    // Connecting anew changes nothing of it.
    await connect({ access_token: "newer" });
    clock.now += MINUTE;
    await Promise.all(servers.map((server) => server.ensure()));
    expect(provider.ended).toHaveLength(2);
    clock.now += MINUTE;
    provider.ends = async () => said(200, {});
    await Promise.all(servers.map((server) => server.ensure()));
    expect(provider.ended.slice(2)).toEqual(BOTH);
    expect(await shown()).toMatchObject({ status: "connected", ending: null });
    expect(await servers[0].find(owner)).toMatchObject({ auth: { accessToken: "newer" } });
  });

  it("goes on where a server died, and gives up after three days", async () => {
    const { servers, owner, provider, clock, shown } = await connected();
    provider.ends = () => new Promise(() => {});
    void servers[0].disconnect(owner);
    await expect.poll(() => provider.ended.length).toBe(1);
    provider.ends = async () => said(503, {});
    const days: number[] = [];
    for (let minutes = 0; minutes < 5 * 24 * 60; minutes += 30) {
      const before = provider.ended.length;
      await servers[1].ensure();
      if (provider.ended.length > before) days.push(minutes / 60 / 24);
      clock.now += 30 * MINUTE;
    }
    expect(days.length).toBeLessThan(25);
    expect(days.at(-1)).toBeLessThan(3.3);
    const ending = { error: "Any OAuth 2.0 service answered 503.", nextTryAt: null };
    expect(await shown()).toMatchObject({ status: "none", ending });
  });

  it("takes no for an answer, but not the app's wrong secret; a token nobody knows is ended", async () => {
    const { servers, owner, provider, shown, connect } = await connected();
    const disconnected = async (...answers: HttpOutcome[]) => {
      provider.ends = async () => answers.shift() ?? said(200, {});
      await servers[0].disconnect(owner);
      const { ending } = (await shown()) ?? {};
      await connect(REFRESHING);
      return ending && [ending.error, ending.nextTryAt !== null];
    };
    expect(await disconnected(said(400, { error: "unsupported_token_type" }))).toEqual([
      "Any OAuth 2.0 service refused: unsupported_token_type",
      false,
    ]);
    expect(await disconnected(said(400, { error: "invalid_token" }))).toBeNull();
    expect(await disconnected(said(404, {}))).toEqual(["Any OAuth 2.0 service answered 404.", false]);
    expect(await disconnected(said(401, { error: "invalid_client" }))).toEqual([
      "Any OAuth 2.0 service refused: invalid_client",
      true,
    ]);
  });

  it("sends tokens nowhere but where the provider was", async () => {
    const { servers, owner, provider, environment, store, clock, shown } = await connected();
    const { clientSecret: _, ...unchanged } = settings;
    provider.ends = async () => AWAY;
    await servers[0].disconnect(owner);
    await servers[0].apps.save(environment.id, "git", { ...unchanged, revokeUrl: "https://a.example/end" });
    expect((await store.connections.client(environment.id, "git"))?.secretSealed).not.toBeNull();
    await servers[0].apps.save(environment.id, "git", { ...unchanged, revokeUrl: "https://evil.example/" });
    expect((await store.connections.client(environment.id, "git"))?.secretSealed).toBeNull();
    clock.now += MINUTE;
    await servers[0].ensure();
    expect(provider.ended).toHaveLength(1);
    expect(await shown()).toMatchObject({ ending: { error: expect.stringContaining("not set up as it was") } });
    // Somebody else gave this one.
    const tokens = { accessToken: "got-elsewhere", refreshToken: null };
    await servers[0].bring(owner, { provider: null, tokens, lifetime: null, scopes: [], fields: {}, title: null });
    await servers[0].disconnect(owner);
    expect(provider.ended).toHaveLength(1);
    const slack = { provider: "slack", clientId: "me", scopes: [], revokeUrl: settings.revokeUrl };
    await expect(servers[0].apps.save(environment.id, "git", slack)).rejects.toThrow(/share theirs/);
  });

  it("ends GitHub's in GitHub's way, and not those of an installation of one's own", async () => {
    const { servers, owner, environment, provider, connect } = await scene();
    await connect({ access_token: "gho" });
    await servers[0].disconnect(owner);
    const basic = `Basic ${Buffer.from("me:shh").toString("base64")}`;
    const github = { to: `DELETE ${basic} https://api.github.com/applications/me/token`, token: "gho" };
    expect(provider.ended).toEqual([github]);
    const own = { provider: "github", clientId: "me", clientSecret: "shh", scopes: [], tokenUrl: "https://git.example/token" };
    await servers[0].apps.save(environment.id, "git", own);
    await connect({ access_token: "of-our-own" });
    expect(await servers[0].disconnect(owner)).toMatchObject({ endingAt: null });
    expect(provider.ended).toEqual([github]);
  });

  it("ends what a refresh brings that was under way", async () => {
    const { servers, owner, provider, clock } = await connected();
    clock.now += 61 * MINUTE;
    let release = (_answer: object): void => {};
    provider.answer = () => new Promise((resolve) => (release = resolve));
    const late = servers[0].find(owner);
    await expect.poll(() => provider.asked.length).toBe(2);
    await servers[1].disconnect(owner);
    expect(provider.ended).toHaveLength(2);
    release({ access_token: "two", refresh_token: "second", expires_in: 3600 });
    expect(await late).toEqual({ type: "missing" });
    await servers[1].ensure();
    expect(provider.ended.slice(2).map(({ token }) => token)).toEqual(["second", "two"]);
  });
});
