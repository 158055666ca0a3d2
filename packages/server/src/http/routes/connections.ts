// Room: http. Integrations whose credentials the server keeps: setting up their OAuth apps, links to connect them, and looking after what is connected.
import { UserFacingError } from "@holdfast/protocol";
import { z } from "zod";
import { connectionShown } from "../../connections/shown.ts";
import type { ConnectionOwner } from "../../store/connection-rows.ts";
import { type Call, orThrow } from "../call.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";

const common = { tag: "management", access: "environment" } as const;
const AT = `${IN_ENVIRONMENT}/integrations/:integration`;
const HOUR_S = 3600;
const LONGEST_LINK_S = 7 * 24 * HOUR_S;

const appBodySchema = z.object({
  provider: z.string(),
  clientId: z.string().min(1).max(1000),
  clientSecret: z.string().max(4000).optional(),
  scopes: z.array(z.string().min(1).max(500)).max(200).default([]),
  authorizeUrl: z.string().max(2000).optional(),
  tokenUrl: z.string().max(2000).optional(),
  revokeUrl: z.string().max(2000).optional(),
  issuer: z.string().max(2000).optional(),
});
const linkBodySchema = z.object({
  /** Absent: the developer's own connection. */
  accountId: z.string().min(1).max(500).optional(),
  expiresInSeconds: z.number().int().min(60).max(LONGEST_LINK_S).default(HOUR_S),
  /** Where whoever connects goes afterwards. */
  returnTo: z.string().max(2000).optional(),
});
const accountBodySchema = z.object({ accountId: z.string().min(1).max(500).optional() });

function ownerOf(call: Call, accountId: string | undefined): ConnectionOwner {
  return { environmentId: call.environment.id, integrationId: call.param("integration"), accountId: accountId ?? null };
}

function link(call: Call, { accountId, expiresInSeconds, returnTo }: z.infer<typeof linkBodySchema>): Response {
  if (returnTo !== undefined && !(URL.canParse(returnTo) && /^https?:$/.test(new URL(returnTo).protocol)))
    throw new UserFacingError("BAD_REQUEST", "`returnTo` must be an absolute http: or https: address.");
  const { url, endsAt } = call.rooms.connections.authorizations.link(ownerOf(call, accountId), expiresInSeconds, returnTo);
  return call.json({ url, expiresAt: new Date(endsAt).toISOString() });
}

export const connectionRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/integrations`,
    name: "listIntegrations",
    summary: "Integrations whose credentials the server keeps: their OAuth apps, who is connected, which runs wait",
    handle: async (call) => call.json(await call.rooms.connections.shown(call.environment.id)),
  }),
  route({
    ...common,
    method: "PUT",
    path: `${AT}/app`,
    name: "saveOAuthApp",
    summary: "Set up the OAuth app an integration is connected with; without a secret the one there is stays",
    body: appBodySchema,
    handle: async (call, body) => {
      await call.rooms.connections.apps.save(call.environment.id, call.param("integration"), body);
      return call.json({ ok: true });
    },
  }),
  route({
    ...common,
    method: "DELETE",
    path: `${AT}/app`,
    name: "dropOAuthApp",
    summary: "Forget an integration's OAuth app; what is connected stays so until it needs a refresh",
    handle: async (call) => {
      await call.rooms.store.connections.dropClient(call.environment.id, call.param("integration"));
      return call.json({ ok: true });
    },
  }),
  route({
    ...common,
    method: "POST",
    path: `${AT}/links`,
    name: "createConnectLink",
    summary: "An address at which whoever has it can connect the integration, for the developer or for one account",
    body: linkBodySchema,
    handle: link,
  }),
  route({
    ...common,
    method: "POST",
    path: `${AT}/refresh`,
    name: "refreshConnection",
    summary: "Refresh a connection's tokens now",
    body: accountBodySchema,
    handle: async (call, { accountId }) => {
      const row = await call.rooms.connections.refresh(ownerOf(call, accountId));
      return call.json(connectionShown(orThrow(row, "NOT_FOUND", "There is no such connection, or it cannot be refreshed."), 0));
    },
  }),
  route({
    ...common,
    method: "POST",
    path: `${AT}/disconnect`,
    name: "disconnect",
    summary: "Forget a connection's tokens, and end them at the provider if it can; runs that need it wait from then on",
    body: accountBodySchema,
    handle: async (call, { accountId }) => {
      const row = await call.rooms.connections.disconnect(ownerOf(call, accountId));
      return call.json(connectionShown(orThrow(row, "NOT_FOUND", "There is no such connection."), 0));
    },
  }),
];
