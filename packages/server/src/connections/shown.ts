// Room: connections. What people see of an environment's integrations: the OAuth apps, who is connected, what runs wait for. Called by connections.ts.
// Promises: nothing sealed is in what it answers, and no token but the one it is given to answer.
import type { ConnectionAuth, ConnectionInfo, IntegrationInfo, IntegrationsInfo } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import type { ConnectionOwner, ConnectionRow, OAuthClientRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";
import { PROVIDERS, providerOf } from "./providers.ts";

interface ShownNeeds {
  registry: Pick<Registry, "jobs">;
  store: Pick<Store, "connections">;
  redirectUrl: string;
}

const MOST_SHOWN = 500;

export async function integrationsShown(needs: ShownNeeds, environmentId: string): Promise<IntegrationsInfo> {
  const { store, redirectUrl } = needs;
  const [clients, rows, waits] = await Promise.all([
    store.connections.clients(environmentId),
    store.connections.list(environmentId, { after: null, limit: MOST_SHOWN + 1 }),
    store.connections.waitCounts(environmentId),
  ]);
  const found = new Map<string, IntegrationInfo>();
  const named = (id: string, name = id): IntegrationInfo => {
    const known = found.get(id) ?? { id, name, jobs: [], app: null, connections: [] };
    found.set(id, known);
    return known;
  };
  for (const { metadata } of needs.registry.jobs(environmentId))
    for (const { id, metadata: integration, authSource } of Object.values(metadata.integrations))
      if (authSource === "HOSTED") named(id, integration.name).jobs.push(metadata.id);
  for (const client of clients) named(client.integrationId).app = appShown(client);
  const counts = new Map(waits.map((wait) => [keyOf(wait), wait]));
  for (const row of rows.slice(0, MOST_SHOWN)) {
    named(row.integrationId).connections.push(connectionShown(row, counts.get(keyOf(row))?.runs ?? 0));
    counts.delete(keyOf(row));
  }
  for (const wait of counts.values()) named(wait.integrationId).connections.push(lackShown(wait));
  const providers = PROVIDERS.map(({ id, name, appsUrl = null, tokenUrl, revocation }) => ({
    id,
    name,
    appsUrl,
    needsUrls: tokenUrl === null,
    endsTokens: revocation !== undefined,
  }));
  const integrations = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { redirectUrl, providers, integrations, more: rows.length > MOST_SHOWN };
}

function appShown(row: OAuthClientRow): IntegrationInfo["app"] {
  const { provider, clientId, secretSealed, scopes, authorizeUrl, tokenUrl, revokeUrl, issuer } = row;
  return { provider, clientId, hasSecret: secretSealed !== null, scopes, authorizeUrl, tokenUrl, revokeUrl, issuer };
}

export function connectionShown(row: ConnectionRow, waitingRuns: number): ConnectionInfo {
  const { id, accountId, status, title, scopes, expiresAt, refreshAt, error, endingAt, endingError, updatedAt } = row;
  return {
    id,
    accountId,
    status,
    title,
    scopes,
    expiresAt: isoOf(expiresAt),
    refreshable: refreshAt !== null,
    error,
    ending: endingAt === null && endingError === null ? null : { error: endingError, nextTryAt: isoOf(endingAt) },
    waitingRuns,
    updatedAt: new Date(updatedAt).toISOString(),
  };
}

/** v2's shape (wire §2.11). Here ids are what people call things, so that they are slugs as well; `auth` is absent when the provider takes its tokens no more. */
export function connectionFound(row: ConnectionRow, title: string, auth: ConnectionAuth | undefined) {
  const { id, integrationId, accountId, expiresAt, createdAt, updatedAt } = row;
  const provider = row.provider === null ? null : providerOf(row.provider);
  const authMethod = provider && { id: provider.id, key: "oauth2", name: provider.name, description: null, type: "oauth2" };
  return {
    id,
    type: accountId === null ? ("DEVELOPER" as const) : ("EXTERNAL" as const),
    externalAccountId: accountId,
    expiresAt: isoOf(expiresAt),
    auth,
    integration: { id: integrationId, slug: integrationId, title, description: null, authSource: "HOSTED" as const, authMethod },
    createdAt: isoOf(createdAt),
    updatedAt: isoOf(updatedAt),
  };
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function lackShown({ accountId, runs }: ConnectionOwner & { runs: number }): ConnectionInfo {
  return {
    id: null,
    accountId,
    status: "none",
    title: null,
    scopes: [],
    expiresAt: null,
    refreshable: false,
    error: null,
    ending: null,
    waitingRuns: runs,
    updatedAt: null,
  };
}

function keyOf({ integrationId, accountId }: ConnectionOwner): string {
  return JSON.stringify([integrationId, accountId]);
}
