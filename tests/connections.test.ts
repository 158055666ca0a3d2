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
