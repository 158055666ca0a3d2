// What an app is given with a request at a source whose integration's credentials the server keeps. The whole way is in tests/connected-sources.test.ts.
import type { HandOver, RequestPayload } from "@holdfast/protocol";
import { expect, it } from "vitest";
import type { KnownEndpoint } from "../dispatch/registry.ts";
import type { SourceState } from "../dispatch/source.ts";
import { createVault } from "../platform/secrets.ts";
import type { ConnectionOwner } from "../store/connection-rows.ts";
import type { Credentials, IngestParts } from "./ports.ts";
import { endpointPurpose } from "./secret.ts";
import { askSource } from "./sources.ts";

const vault = createVault("7f".repeat(32));
const named = { id: "end_1", environmentId: "env_1" } as KnownEndpoint["row"];
const row = { ...named, secretSealed: vault.seal("shh", endpointPurpose(named)) };
const request: RequestPayload = { url: "https://here.example/", method: "POST", headers: {}, rawBody: "{}" };
const plain: SourceState = { kind: "source", key: "k", params: {}, desired: {}, registered: {}, active: true, asked: 1 };
const dynamic = (accountId: string | null) => ({ trigger: "t", registration: "r", rule: { event: "e", source: "s" }, accountId });

/** Answers what the app was given, who was looked for, and what came of it. */
async function asked(source: SourceState, found: Credentials) {
  const [given, owners]: [HandOver[], ConnectionOwner[]] = [[], []];
  const apps = {
    handOver: async (_app: unknown, what: HandOver) => {
      given.push(what);
      return { type: "verified" as const, result: { success: true } };
    },
  };
  const connections = {
    find: async (owner: ConnectionOwner) => {
      owners.push(owner);
      return found;
    },
  };
  const parts = { apps, connections, vault } as unknown as IngestParts;
  const answer = await askSource(parts, { row, app: {} } as KnownEndpoint, source, request);
  return { answer: answer.type, given, owners };
}

const auth = { type: "oauth2" as const, accessToken: "token", scopes: [] };
const owner = (accountId: string | null) => ({ environmentId: "env_1", integrationId: "git", accountId });

it("is the credentials of the developer, or of the account a key is registered for", async () => {
  const own = await asked({ ...plain, hosted: "git" }, { type: "found", auth });
  expect(own).toMatchObject({ answer: "verified", given: [{ secret: "shh", auth }], owners: [owner(null)] });
  const hers = await asked({ ...plain, hosted: "git", dynamic: dynamic("ada") }, { type: "found", auth });
  expect(hers).toMatchObject({ given: [{ auth, dynamicId: "t" }], owners: [owner("ada")] });
});

it("is nothing for what is not connected, not kept here, or a webhook's", async () => {
  const missing = await asked({ ...plain, hosted: "git", dynamic: dynamic(null) }, { type: "missing" });
  expect([missing.answer, missing.given[0]?.auth, missing.owners]).toEqual(["verified", undefined, [owner(null)]]);
  for (const source of [plain, { ...plain, kind: "webhook" as const, hosted: "git" }]) {
    const { given, owners } = await asked(source, { type: "found", auth });
    expect([given.length, given[0]?.auth, owners]).toEqual([1, undefined, []]);
  }
});

it("is waited for while it cannot be had, so that no handler takes it for missing", async () => {
  const away = await asked({ ...plain, hosted: "git" }, { type: "unavailable", message: "away" });
  expect(away).toMatchObject({ answer: "no-answer", given: [] });
});
