// Connections that the server keeps, as users have them: an integration without a key, an OAuth app set up, somebody who connects, runs that act with the token or wait for one.
import type { ConnectionInfo, IntegrationsInfo } from "@holdfast/protocol";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { embeddedConnection } from "./harness/embedded-connection.ts";
import { Browser, CLIENT_ID, CLIENT_SECRET, OAuthProvider } from "./harness/oauth-provider.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 30_000 };

let server: TestServer;
let provider: OAuthProvider;
beforeAll(async () => {
  provider = await new OAuthProvider().start();
  server = await TestServer.start();
});
afterAll(async () => {
  await server?.stop();
  await provider?.stop();
  await cleanUp();
  removeCopiedApps();
});

const at = (path: string) => server.api.at(`/integrations${path}`);
const setUp = (integration: string, changes: object = {}) =>
  server.api.call("PUT", at(`/${integration}/app`), {
    provider: "github",
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    scopes: ["repo", "read:user"],
    authorizeUrl: provider.authorizeUrl,
    tokenUrl: provider.tokenUrl,
    ...changes,
  });
const linkFor = async (integration: string, accountId?: string): Promise<string> => {
  const { url } = await server.api.post<{ url: string }>(at(`/${integration}/links`), accountId ? { accountId } : {});
  return url;
};
const connect = async (integration: string, accountId?: string) => {
  const page = await new Browser().visit(await linkFor(integration, accountId));
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining("is connected") });
};
const connection = async (integration: string, accountId: string | null = null): Promise<ConnectionInfo | undefined> => {
  const { integrations } = await server.api.get<IntegrationsInfo>(at(""));
  return integrations.find(({ id }) => id === integration)?.connections.find((each) => each.accountId === accountId);
};
const started = async (name: string, accountId?: string): Promise<string> => {
  const { id } = await server.api.post<{ id: string }>("/api/v1/events", {
    event: { name },
    options: accountId ? { accountId } : {},
  });
  const run = async () => (await server.api.get<{ runs: { id: string }[] }>(`/api/v2/events/${id}`)).runs[0];
  return (await until(run, { ...PATIENT, what: () => "the run" })).id;
};
const outputOf = async (id: string) => (await server.api.reaches(id, "SUCCESS", PATIENT)).output;
const last = () => `…${provider.given.at(-1)?.slice(-6)}`;

/** Every text the database holds, to look for secrets in. */
async function everythingStored(): Promise<string> {
  const database = new pg.Client(embeddedConnection(server.dataDir));
  await database.connect();
  const { rows: tables } = await database.query(
    "select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await database.query(`select coalesce(string_agg(t::text, E'\\n'), '') as all from ${name} t`);
    texts.push(rows[0].all);
  }
  await database.end();
  return texts.join("\n");
}
const told = (job: string, count: number) => server.api.settled(job, count, PATIENT);

describe.each<Mounting>(["published", "ours", "ours-by-push"])("connections, SDK %s", (mounting) => {
  test("runs wait until it is connected, jobs hear of it, and the token is nowhere but where it belongs", {
    timeout: 120_000,
  }, async () => {
    const app = await startCopiedApp({
      mounting,
      files: ["tests/published/connections.ts"],
      env: { ...server.appEnv, SERVICE_URL: provider.url },
    });
    await server.api.knowsJob("tell-resolved");
    await server.api.post(at("/service/disconnect")).catch(() => {});
    const [missing, resolved] = [
      (await server.api.runsOf("tell-missing")).length,
      (await server.api.runsOf("tell-resolved")).length,
    ];
    const waiting = [await started("connections.act"), await started("connections.act")];
    for (const id of waiting) {
      const run = await server.api.reaches(id, "WAITING_ON_CONNECTIONS", PATIENT);
      expect(run).toMatchObject({ executions: 0, startedAt: null });
    }
    const [notice] = await told("tell-missing", missing + 1);
    const authorizationUrl = `${server.url}/integrations?env=dev`;
    const client = { id: "service", title: "The service" };
    expect(await outputOf(notice?.id ?? "")).toMatchObject({ type: "DEVELOPER", authorizationUrl, client });
    expect(await connection("service")).toMatchObject({ status: "none", waitingRuns: 2 });

    await setUp("service");
    await connect("service");
    const auth = { type: "oauth2", accessToken: last(), scopes: ["repo", "read:user"] };
    const called = { status: 200, auth };
    for (const id of waiting) expect(await outputOf(id)).toEqual({ called: [called, called] });
    const [news] = await told("tell-resolved", resolved + 1);
    const shownClient = { ...client, scopes: auth.scopes, integrationIdentifier: "github", integrationAuthMethod: "oauth2" };
    expect(await outputOf(news?.id ?? "")).toMatchObject({ type: "DEVELOPER", client: shownClient });
    expect(await connection("service")).toMatchObject({ status: "connected", waitingRuns: 0, expiresAt: null });

    const asked = await started("connections.ask");
    expect(await outputOf(asked)).toEqual({ asked: [auth, null, null], direct: auth });
    const [task] = (await server.api.tasks(asked)).filter(({ name }) => name === "get-auth");
    expect(task).toMatchObject({ status: "COMPLETED", output: "********" });

    // An account's runs never act as the developer.
    const account = `ada ${mounting}`;
    const forAda = await started("connections.act", account);
    await server.api.reaches(forAda, "WAITING_ON_CONNECTIONS", PATIENT);
    const [letter] = await told("tell-missing", missing + 2);
    const sent = (await outputOf(letter?.id ?? "")) as { type: string; account: object; authorizationUrl: string };
    expect(sent).toMatchObject({ type: "EXTERNAL", account: { id: account } });
    expect((await new Browser().visit(sent.authorizationUrl)).text).toContain("service is connected");
    const hers = { status: 200, auth: { ...auth, accessToken: last() } };
    expect(await outputOf(forAda)).toEqual({ account: { id: account }, called: [hers, hers] });
    expect(hers.auth.accessToken).not.toBe(auth.accessToken);
    await told("tell-resolved", resolved + 2);

    const seen = [await everythingStored(), server.program.output(), app.output()];
    seen.push(
      JSON.stringify([
        await server.api.get(at("")),
        await server.api.get(`/api/v2/runs/${asked}?subtasks=true&taskdetails=true`),
      ]),
    );
    for (const there of ["hf1.", asked, account]) expect(seen[0]).toContain(there);
    for (const secret of [...provider.given, CLIENT_SECRET]) for (const text of seen) expect(text).not.toContain(secret);
    await app.stop();
  });
});

describe("connecting", () => {
  test("a link and a way back are good only where and as long as they should be, and what goes wrong is a page", async () => {
    const anew = (url: string) => new Browser().visit(url);
    await setUp("ways");
    const link = await linkFor("ways");
    const [set, other] = [new Browser(), new Browser()];
    const way = await set.step(link);
    const callback = await set.step(way ?? "");
    expect(callback).toMatch(new RegExp(`^${server.url}/oauth2/callback\\?code=.+&state=.+`));
    expect(await other.visit(callback ?? "")).toMatchObject({ status: 403, text: expect.stringContaining("another browser") });
    expect(await set.visit(callback ?? "")).toMatchObject({ status: 403, text: expect.stringContaining("used already") });
    expect(await connection("ways")).toBeUndefined();

    const pages = [
      [link.replace("/ways/", "/other/"), 403, "not valid"],
      [link.slice(0, -3), 403, "not valid"],
      [`${server.url}/api/v2/connections/ways/connect`, 403, "not valid"],
      [await linkFor("nobody-set-this-up"), 404, "Nobody has set up"],
      [`${server.url}/oauth2/callback?state=made-up&code=x`, 403, "used already"],
    ] as const;
    for (const [url, status, says] of pages)
      expect(await anew(url), url).toMatchObject({ status, text: expect.stringContaining(says) });

    const state = async (browser: Browser) => new URL((await browser.step(link)) ?? "").searchParams.get("state");
    const refused = async (query: string) => {
      const browser = new Browser();
      return browser.visit(`${server.url}/oauth2/callback?state=${await state(browser)}&${query}`);
    };
    expect(await refused("error=access_denied")).toMatchObject({
      status: 403,
      text: expect.stringContaining("it was not allowed"),
    });
    const odd = await refused(`error=x&error_description=${encodeURIComponent("<script>alert(1)</script>")}`);
    expect(odd.text).not.toContain("<script>");
    expect(await refused("code=guessed")).toMatchObject({ status: 502, text: expect.stringContaining("invalid_grant") });
    await setUp("ways", { clientSecret: "wrong" });
    expect(await anew(link)).toMatchObject({ status: 502, text: expect.stringContaining("invalid_client") });

    await setUp("ways");
    const returning = { returnTo: `${server.url}/healthz` };
    const { url } = await server.api.post<{ url: string }>(at("/ways/links"), returning);
    expect(await anew(url)).toMatchObject({ url: returning.returnTo, status: 200 });
    expect(await connection("ways")).toMatchObject({ status: "connected", scopes: ["repo", "read:user"] });
    expect(await server.api.post(at("/ways/disconnect"))).toMatchObject({ status: "none" });
    const post = (path: string, body: object) => server.api.post(path, body).catch((error: Error) => error.message);
    expect(await post(at("/ways/links"), { returnTo: "javascript:alert(1)" })).toContain("returnTo");
    expect(await post(at("/ways/refresh"), {})).toContain("404");
  });

  test("disconnecting ends the tokens at the provider, which need not be there for it", async () => {
    const [ends, basic, git] = [{ lifetime: 3600 }, { basic: true }, {}].map((options) => new OAuthProvider(options)) as [
      OAuthProvider,
      OAuthProvider,
      OAuthProvider,
    ];
    const all = [
      ["ends", ends, "oauth2"],
      ["ends-basic", basic, "oauth2-basic"],
      ["ends-git", git, "github"],
    ] as const;
    for (const [id, each, named] of all) {
      const { url, authorizeUrl, tokenUrl, revokeUrl } = await each.start();
      const where = named === "github" ? `${url}/applications/{client_id}/token` : revokeUrl;
      await setUp(id, { provider: named, authorizeUrl, tokenUrl, revokeUrl: where });
      await connect(id);
      expect(each.accepts(each.given[0] ?? "")).toBe(true);
    }
    expect(await server.api.post(at("/ends/disconnect"))).toMatchObject({ status: "none", ending: null });
    const [access = "", refresh = ""] = ends.given;
    expect([ends.ended, ends.accepts(access)]).toEqual([[refresh, access], false]);
    expect(await server.api.post(at("/ends-git/disconnect"))).toMatchObject({ status: "none", ending: null });
    expect([git.ended, git.accepts(git.given[0] ?? "")]).toEqual([git.given, false]);
    basic.endsNothing = true;
    const nextTryAt = expect.stringMatching(/Z$/);
    const ending = { error: expect.stringContaining("answered 503"), nextTryAt };
    expect(await server.api.post(at("/ends-basic/disconnect"))).toMatchObject({ status: "none", ending });
    await expect(server.api.get("/api/v1/any/auth/ends-basic")).rejects.toThrow(/404/);
    expect(await connection("ends-basic")).toMatchObject({ status: "none", ending });
    const seen = (await everythingStored()) + server.program.output();
    for (const token of [...ends.given, ...basic.given]) expect(seen).not.toContain(token);
    for (const [, each] of all) await each.stop();
  });

  test("an answer that is not from the provider that was asked connects nothing (a mix-up)", async () => {
    const honest = await new OAuthProvider({ issuer: true }).start();
    const wicked = await new OAuthProvider({ passesOnTo: honest }).start();
    const { url: issuer, authorizeUrl, tokenUrl } = honest;
    const generic = { provider: "oauth2", scopes: [] };
    await setUp("honest", { ...generic, issuer, authorizeUrl, tokenUrl });
    await connect("honest");
    const evil = { ...generic, authorizeUrl: wicked.authorizeUrl, tokenUrl: wicked.tokenUrl };
    // Whether or not it says who it is: the honest one's answer says it for it.
    for (const named of [{ issuer: wicked.url }, {}]) {
      await setUp("wicked", { ...evil, ...named });
      const page = await new Browser().visit(await linkFor("wicked"));
      expect(page.status).toBe(403);
      for (const says of ["Not connected", `says it is from ${issuer}`, "Take back"]) expect(page.text).toContain(says);
      expect([wicked.asked, await connection("wicked")]).toEqual([[], undefined]);
    }
    // The same person, the same provider, an answer without its name.
    const silent = await new OAuthProvider().start();
    await setUp("silent", { ...generic, issuer: silent.url, authorizeUrl: silent.authorizeUrl, tokenUrl: silent.tokenUrl });
    const page = await new Browser().visit(await linkFor("silent"));
    expect(page).toMatchObject({ status: 403, text: expect.stringContaining("does not say who it is from") });
    expect(silent.asked).toEqual([]);
    const link = await linkFor("silent");
    const browser = new Browser();
    const state = new URL((await browser.step(link)) ?? "").searchParams.get("state");
    const forged = `error=access_denied&iss=${encodeURIComponent("https://<b>evil</b>")}`;
    const refused = await browser.visit(`${server.url}/oauth2/callback?state=${state}&${forged}`);
    expect([refused.status, refused.text.includes("<b>")]).toEqual([403, false]);
    expect(refused.text).toContain("says it is from https://");
    // Without any name nothing is compared.
    await setUp("silent", { ...generic, authorizeUrl: silent.authorizeUrl, tokenUrl: silent.tokenUrl });
    await connect("silent");
    const bad = { ...generic, authorizeUrl, tokenUrl, issuer: "https://a.example/?tenant=1" };
    await expect(setUp("bad", bad)).rejects.toThrow(/issuer/);
    for (const each of [honest, wicked, silent]) await each.stop();
  });

  test("Slack's answers, HTTP Basic and tokens got elsewhere", async () => {
    const slack = await new OAuthProvider({ slack: true, lifetime: 3600 }).start();
    const basic = await new OAuthProvider({ basic: true }).start();
    const urls = ({ authorizeUrl, tokenUrl }: OAuthProvider) => ({ authorizeUrl, tokenUrl });
    await setUp("slack", { provider: "slack", scopes: ["chat:write"], ...urls(slack) });
    await setUp("basic", { provider: "oauth2-basic", scopes: [], ...urls(basic) });
    await connect("slack");
    await connect("basic");
    expect(await connection("slack")).toMatchObject({ title: "The team", scopes: ["chat:write"], refreshable: true });
    const auth = (of: string, account = "") => server.api.get(`/api/v1/any/auth/${of}${account && `?account=${account}`}`);
    const additionalFields = { teamId: "T1", teamName: "The team", botUserId: "B1", appId: "A1", userId: "U1" };
    expect(await auth("slack")).toEqual({
      type: "oauth2",
      accessToken: slack.given[0],
      scopes: ["chat:write"],
      additionalFields,
    });
    expect(await auth("basic")).toEqual({ type: "oauth2", accessToken: basic.given[0], scopes: [] });
    expect(await server.api.post(at("/slack/refresh"))).toMatchObject({ status: "connected" });
    expect(await auth("slack")).toMatchObject({ accessToken: slack.given[2], additionalFields });
    slack.refusing = "invalid_grant";
    expect(await server.api.post(at("/slack/refresh"))).toMatchObject({
      status: "broken",
      error: expect.stringContaining("invalid_grant"),
    });
    await expect(auth("slack")).rejects.toThrow(/404/);

    const brought = { type: "oauth2", accessToken: "got-elsewhere", scopes: ["a"], metadata: { team: "T2", n: 1 } };
    await server.api.post("/api/v1/accounts/bob/connections/slack", brought);
    expect(await auth("slack", "bob")).toEqual({
      type: "oauth2",
      accessToken: "got-elsewhere",
      scopes: ["a"],
      additionalFields: { team: "T2" },
    });
    expect(await everythingStored()).not.toContain("got-elsewhere");
    await slack.stop();
    await basic.stop();
  });

  test("tokens that end are refreshed for runs, also when the server is killed while it refreshes", {
    timeout: 120_000,
  }, async () => {
    const short = await new OAuthProvider({ lifetime: 2 }).start();
    const app = await startCopiedApp({
      mounting: "ours",
      files: ["tests/published/connections.ts"],
      env: { ...server.appEnv, SERVICE_URL: short.url },
    });
    await server.api.knowsJob("act-with-both");
    for (const id of ["service", "other"]) {
      await server.api.post(at(`/${id}/disconnect`)).catch(() => {});
      await setUp(id, { authorizeUrl: short.authorizeUrl, tokenUrl: short.tokenUrl });
    }
    const both = await started("connections.both");
    await connect("other");
    await server.api.reaches(both, "WAITING_ON_CONNECTIONS", PATIENT);
    await connect("service");
    await server.api.reaches(both, "SUCCESS", PATIENT);
    const endsAt = Date.parse((await connection("service"))?.expiresAt ?? "");
    await until(() => Date.now() > endsAt, { ...PATIENT, what: () => "the end of the token" });
    // The server dies after the provider has changed the tokens and before it hears of it.
    let [dying, killed] = [false, false];
    short.beforeAnswer = async (grant, answered) => {
      if (grant !== "refresh_token" || !answered || dying) return;
      dying = true;
      await server.kill();
      killed = true;
    };
    // The answer may die with the server; the event cannot, for it is its run that refreshes.
    await server.api.post("/api/v1/events", { event: { id: "after", name: "connections.both" } }).catch(() => {});
    await until(() => killed, { ...PATIENT, what: () => "the refresh" });
    await server.start();
    const after = (await server.api.get<{ runs: { id: string }[] }>("/api/v2/events/after")).runs[0];
    const done = (await server.api.reaches(after?.id ?? "", "SUCCESS", { withinMs: 90_000 })).output;
    expect(done).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(short.asked.filter((grant) => grant === "refresh_token").length).toBeGreaterThanOrEqual(2);
    expect(await connection("service")).toMatchObject({ status: "connected" });
    await app.stop();
    await short.stop();
  });
});
