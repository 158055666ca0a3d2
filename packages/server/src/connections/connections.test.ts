// Connections over time and with two servers: what only a clock that can be set, and a provider that can be held, show. The whole way is in tests/connections.test.ts.
import { describe, expect, it } from "vitest";
import { JOB, MINUTE, REFRESHING, scene } from "./scene.test.mts";

describe("authorizations", () => {
  it("end by themselves, and links do", async () => {
    const { servers, clock, owner, setOut, back } = await scene();
    const way = await setOut();
    clock.now += 15 * MINUTE + 1;
    await expect(back(way)).rejects.toThrow(/used already, or has ended/);
    const link = new URL(servers[0].authorizations.link(owner, 60).url).searchParams.get("link") ?? "";
    clock.now += MINUTE + 1;
    await expect(servers[0].authorizations.begin("git", link, undefined)).rejects.toThrow(/not valid/);
    await servers[0].forget();
  });

  it("keep nothing when the provider gives nothing, and can begin again", async () => {
    const { servers, provider, owner, setOut, back, connect } = await scene();
    provider.answer = async () => ({ error: "invalid_client" });
    await expect(back(await setOut())).rejects.toMatchObject({
      code: "APP_UNREACHABLE",
      message: "GitHub refused: invalid_client",
    });
    expect(await servers[0].find(owner)).toEqual({ type: "missing" });
    await connect({ access_token: "a", scope: "repo" });
    expect(await servers[1].find(owner)).toEqual({ type: "found", auth: { type: "oauth2", accessToken: "a", scopes: ["repo"] } });
  });

  it("give a secret to no other address than it was entered for", async () => {
    const { servers, environment, store } = await scene();
    const settings = { provider: "github", clientId: "me", scopes: [] };
    const secret = async () => (await store.connections.client(environment.id, "git"))?.secretSealed ?? null;
    const before = await secret();
    await servers[0].apps.save(environment.id, "git", settings);
    expect(await secret()).toBe(before);
    await servers[0].apps.save(environment.id, "git", { ...settings, tokenUrl: "https://evil.example/token" });
    expect(await secret()).toBeNull();
    const bad = ["http://other.example/", "https://a:b@c.example/", "ftp://a.example", "nonsense"];
    for (const tokenUrl of bad)
      await expect(servers[0].apps.save(environment.id, "git", { ...settings, tokenUrl })).rejects.toThrow(/https: address/);
    await expect(servers[0].apps.save(environment.id, "git", { ...settings, provider: "oauth2" })).rejects.toThrow(
      /needs `authorizeUrl`/,
    );
    await expect(servers[0].apps.save(environment.id, "git", { ...settings, provider: "nobody" })).rejects.toThrow(
      /no provider "nobody"/,
    );
  });
});

describe("tokens", () => {
  it("are refreshed ahead of their end, by one of two servers, once, and stored before anybody gets them", async () => {
    const { servers, clock, provider, owner, connect, store } = await scene();
    await connect(REFRESHING);
    clock.now += 49 * MINUTE;
    expect(await servers[0].find(owner)).toMatchObject({ auth: { accessToken: "one" } });
    clock.now += MINUTE;
    let release = (_answer: object): void => {};
    provider.answer = () => new Promise((resolve) => (release = resolve));
    provider.asked.length = 0;
    const asked = [servers[0].find(owner), servers[0].find(owner)];
    await expect.poll(() => provider.asked.length).toBe(1);
    // The other server does not wait for it: the former token is good for ten minutes.
    expect(await servers[1].find(owner)).toMatchObject({ auth: { accessToken: "one" } });
    await servers[1].ensure();
    release({ access_token: "two", refresh_token: "second", expires_in: 3600 });
    expect(await Promise.all(asked)).toMatchObject([{ auth: { accessToken: "two" } }, { auth: { accessToken: "two" } }]);
    expect(await servers[1].find(owner)).toMatchObject({ auth: { accessToken: "two" } });
    expect(provider.asked.map((form) => form.get("refresh_token"))).toEqual(["first"]);
    expect(JSON.stringify(await store.connections.get(owner))).not.toMatch(/two|second/);
    // A provider that does not change the refresh token need not repeat it.
    clock.now += 50 * MINUTE;
    provider.answer = async () => ({ access_token: "three", expires_in: 3600 });
    await servers[1].ensure();
    clock.now += 50 * MINUTE;
    await servers[0].ensure();
    expect(provider.asked.map((form) => form.get("refresh_token"))).toEqual(["first", "second", "second"]);
  });

  it("survive a server that dies while it refreshes: another goes on once its lease is over", async () => {
    const { servers, clock, provider, owner, connect } = await scene();
    await connect(REFRESHING);
    clock.now += 61 * MINUTE;
    provider.answer = () => new Promise(() => {});
    void servers[0].find(owner);
    await expect.poll(() => provider.asked.length).toBe(2);
    expect(await servers[1].find(owner)).toMatchObject({ type: "unavailable", message: expect.stringContaining("expired") });
    clock.now += 15_000;
    provider.answer = async () => ({ access_token: "two", refresh_token: "second", expires_in: 3600 });
    expect(await servers[1].find(owner)).toMatchObject({ auth: { accessToken: "two" } });
  });

  it("that a late server brings do not replace newer ones", async () => {
    const { servers, clock, provider, owner, connect } = await scene();
    await connect(REFRESHING);
    clock.now += 61 * MINUTE;
    let release = (_answer: object): void => {};
    provider.answer = () => new Promise((resolve) => (release = resolve));
    const late = servers[0].find(owner);
    await expect.poll(() => provider.asked.length).toBe(2);
    clock.now += 15_000;
    provider.answer = async () => ({ access_token: "newer", refresh_token: "n", expires_in: 3600 });
    await servers[1].find(owner);
    release({ access_token: "older", refresh_token: "o", expires_in: 3600 });
    expect(await late).toMatchObject({ auth: { accessToken: "newer" } });
  });

  it("outlive a provider that is away and an app with a wrong secret, but not a refusal of the grant", async () => {
    const { servers, clock, provider, owner, connect, lines, store } = await scene();
    await connect(REFRESHING);
    clock.now += 55 * MINUTE;
    provider.answer = async () => ({ error: "invalid_client" });
    expect(await servers[0].find(owner)).toMatchObject({ auth: { accessToken: "one" } });
    expect(await servers[0].find(owner)).toMatchObject({ auth: { accessToken: "one" } });
    expect(provider.asked).toHaveLength(2);
    clock.now += 6 * MINUTE;
    expect(await servers[0].find(owner)).toMatchObject({
      type: "unavailable",
      message: expect.stringContaining("invalid_client"),
    });
    clock.now += 15_000;
    provider.answer = async () => ({ error: "invalid_grant", error_description: "revoked" });
    expect(await servers[1].find(owner)).toEqual({ type: "missing" });
    const row = await store.connections.get(owner);
    expect(row).toMatchObject({ status: "broken", tokensSealed: null, error: "GitHub refused: invalid_grant (revoked)" });
    expect(lines.join()).not.toMatch(/shh|first|"one"/);
  });

  it("that cannot be refreshed are missing once they have ended", async () => {
    const { servers, clock, owner, connect } = await scene();
    await connect({ access_token: "short", expires_in: 60 });
    expect(await servers[0].find(owner)).toMatchObject({ auth: { accessToken: "short" } });
    clock.now += MINUTE;
    expect(await servers[0].find(owner)).toEqual({ type: "missing" });
    expect((await servers[0].shown(owner.environmentId)).integrations[0]?.connections).toMatchObject([{ status: "broken" }]);
  });
});

describe("runs", () => {
  it("that lack a connection wait, and those whose connection came meanwhile go on", async () => {
    const { servers, owner, connect, executing } = await scene();
    const { run, token } = await executing();
    const look = () => servers[0].of(owner.environmentId, JOB, null);
    expect(await look()).toEqual({ type: "missing", owners: [owner] });
    let looks = 0;
    const late = async () => {
      looks += 1;
      if (looks === 2) await connect({ access_token: "a" });
      return look();
    };
    expect(await servers[0].lacking(run, token, late)).toEqual({ type: "released", token });
    expect(await look()).toMatchObject({ type: "given", auth: { git: { accessToken: "a" } } });
  });

  it("are woken by any server if the one that connected it stopped short, and told of once", async () => {
    const { servers, owner, store, runs, connect, executing, environment } = await scene();
    const { run, token } = await executing();
    const look = () => servers[0].of(owner.environmentId, JOB, null);
    await runs.applyRead(run, async () => ({ input: await servers[0].lacking(run, token, look), tasks: [] }));
    await runs.applyRead(run, async () => ({ input: await servers[1].lacking(run, token, look), tasks: [] }));
    expect((await store.run(null, run.id))?.state).toEqual({ kind: "waiting", dueAt: null, on: "connections" });
    const named = async (id: string) => (await store.event(environment.id, { id }))?.name;
    expect(await named("missing:git::0")).toBe("dev.trigger.notifications.missingConnection");
    // As if it died after it had stored the connection.
    const waits = store.connections.waits.bind(store.connections);
    store.connections.waits = async () => {
      throw new Error("killed");
    };
    await expect(connect({ access_token: "a" })).rejects.toThrow("killed");
    store.connections.waits = waits;
    await servers[1].ensure();
    expect((await store.run(null, run.id))?.state).toMatchObject({ kind: "queued", cause: "created" });
    expect(await named("resolved:git::0")).toBe("dev.trigger.notifications.missingConnectionResolved");
    expect(await store.connections.unwoken(10)).toEqual([]);
  });
});
