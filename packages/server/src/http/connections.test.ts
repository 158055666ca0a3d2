// Integrations by their ids, which two environments may share: what one has set up and connected is not there for the other.
import type { IntegrationsInfo } from "@holdfast/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Fixture, startFixture } from "./fixture.test.mts";

let server: Fixture;
beforeAll(async () => {
  server = await startFixture();
});
afterAll(() => server?.stop());

const at = (environment: string, path = "") => `/api/v1/environments/${environment}/integrations${path}`;
const APP = { provider: "github", clientId: "me", clientSecret: "shh-shh", scopes: ["repo"] };

it("keeps environments apart, and tells no secret", async () => {
  const { dev, prod } = { dev: server.keys.dev.secretKey, prod: server.keys.prod.secretKey };
  const call = (path: string, key: string, method = "GET", body?: object) =>
    server.api(path, { method, key, ...(body === undefined ? {} : { body }) });
  expect((await call(at("dev", "/github/app"), dev, "PUT", APP)).status).toBe(200);
  const token = { type: "oauth2", accessToken: "of-an-account", scopes: ["repo"] };
  const brought = await call("/api/v1/accounts/ada/connections/github", dev, "POST", token);
  expect(brought.json()).toMatchObject({ integrationId: "github", accountId: "ada", status: "connected" });

  const shown = await call(at("dev"), dev);
  expect((shown.json() as IntegrationsInfo).integrations).toMatchObject([
    { id: "github", app: { clientId: "me", hasSecret: true }, connections: [{ accountId: "ada", status: "connected" }] },
  ]);
  expect([shown.text, brought.text].join()).not.toMatch(/shh|of-an-account|hf1\./);
  const auth = (key: string) => call("/api/v1/app/auth/github?account=ada", key);
  expect((await auth(dev)).json()).toEqual({ type: "oauth2", accessToken: "of-an-account", scopes: ["repo"] });

  expect([(await auth(prod)).status, (await auth(server.keys.dev.publicKey)).status]).toEqual([404, 401]);
  expect(((await call(at("prod"), prod)).json() as IntegrationsInfo).integrations).toEqual([]);
  expect((await call(at("prod", "/github/disconnect"), prod, "POST", { accountId: "ada" })).status).toBe(404);
  expect((await call(at("dev", "/github/disconnect"), prod, "POST", { accountId: "ada" })).status).toBe(404);
  const link = (await call(at("prod", "/github/links"), prod, "POST", { accountId: "ada" })).json().url as string;
  const { pathname, search } = new URL(link);
  expect((await server.api(pathname + search)).text).toContain("Nobody has set up");
  const lookUp = (id: string, key: string, of = "github") => call(`/api/v1/integrations/${of}/connections/${id}`, key);
  const { id } = brought.json() as { id: string };
  const integration = {
    id: "github",
    slug: "github",
    title: "github",
    description: null,
    authSource: "HOSTED",
    authMethod: null,
  };
  const found = (await lookUp(id, dev)).json();
  expect(found).toEqual({
    ...{ id, type: "EXTERNAL", externalAccountId: "ada", expiresAt: null, integration },
    auth: { type: "oauth2", accessToken: "of-an-account", scopes: ["repo"] },
    createdAt: expect.stringMatching(/Z$/),
    updatedAt: expect.stringMatching(/Z$/),
  });
  const hidden = [lookUp(id, prod), lookUp(id, server.keys.dev.publicKey), lookUp(id, dev, "slack"), lookUp("conn_none", dev)];
  const refusals = await Promise.all(hidden);
  expect(refusals.map(({ status }) => status)).toEqual([404, 401, 404, 404]);
  expect(refusals.map(({ text }) => text).join()).not.toContain("of-an-account");
  await call(at("prod", "/github/app"), prod, "DELETE");
  expect((await auth(dev)).status).toBe(200);
  await call(at("dev", "/github/disconnect"), dev, "POST", { accountId: "ada" });
  expect((await lookUp(id, dev)).status).toBe(404);
});
