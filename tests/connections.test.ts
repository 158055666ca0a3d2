// Connections that the server keeps, as users have them: an integration without a key, an OAuth app set up, somebody who connects, runs that act with the token or wait for one.
import type { ConnectionInfo, IntegrationsInfo } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
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

describe.each<Mounting>(["published", "ours", "ours-by-push"])("connections, SDK %s", (mounting) => {
  test("a run waits until it is connected, then acts with the token", { timeout: 90_000 }, async () => {
    const app = await startCopiedApp({
      mounting,
      files: ["tests/published/connections.ts"],
      env: { ...server.appEnv, SERVICE_URL: provider.url },
    });
    await server.api.knowsJob("tell-resolved");
    await server.api.post(at("/service/disconnect")).catch(() => {});
    const waiting = await started("connections.act");
    await server.api.reaches(waiting, "WAITING_ON_CONNECTIONS", PATIENT);
    expect(await connection("service")).toMatchObject({ status: "none", waitingRuns: 1 });

    await setUp("service");
    await connect("service");
    const auth = { type: "oauth2", accessToken: last(), scopes: ["repo", "read:user"] };
    const called = { status: 200, auth };
    expect(await outputOf(waiting)).toEqual({ called: [called, called] });
    expect(await outputOf(await started("connections.act"))).toEqual({ called: [called, called] });
    expect(await connection("service")).toMatchObject({ status: "connected", waitingRuns: 0, expiresAt: null });
    await app.stop();
  });
});
