// Room: http. Credentials on the v2 wire (wire §2.11): a program asks for its own, and hands in those its users gave it elsewhere.
import { createConnectionBodySchema, UserFacingError } from "@holdfast/protocol";
import type { z } from "zod";
import { connectionFound, connectionShown } from "../../connections/shown.ts";
import { type Call, orThrow } from "../call.ts";
import { type Route, route } from "../route.ts";

async function auth(call: Call): Promise<Response> {
  const integrationId = call.param("integration");
  const owner = { environmentId: call.environment.id, integrationId, accountId: call.query("account") ?? null };
  const found = await call.rooms.connections.find(owner);
  if (found.type === "unavailable") throw new UserFacingError("OVERLOADED", found.message);
  const given = orThrow(found.type === "found" ? found.auth : null, "NOT_FOUND", `"${integrationId}" is not connected.`);
  return call.json(given);
}

async function bring(
  call: Call,
  { accessToken, scopes = [], metadata }: z.infer<typeof createConnectionBodySchema>,
): Promise<Response> {
  const owner = {
    environmentId: call.environment.id,
    integrationId: call.param("integration"),
    accountId: call.param("account"),
  };
  const tokens = { accessToken, refreshToken: null };
  const fields = textsOf(metadata);
  const row = await call.rooms.connections.bring(owner, { provider: null, tokens, lifetime: null, scopes, fields, title: null });
  return call.json({ integrationId: owner.integrationId, ...connectionShown(row, 0) });
}

async function lookUp(call: Call): Promise<Response> {
  const { connections } = call.rooms;
  const known = await connections.byId(call.environment.id, call.param("connection"));
  const fits = known?.integrationId === call.param("integration") && known.status !== "none";
  const row = orThrow(fits ? known : null, "NOT_FOUND", "Connection not found");
  const found = await connections.find(row);
  if (found.type === "unavailable") throw new UserFacingError("OVERLOADED", found.message);
  return call.json(connectionFound(row, connections.titleOf(row), found.type === "found" ? found.auth : undefined));
}

/** What of the metadata can go along with the token. */
function textsOf(metadata: unknown): Record<string, string> {
  if (typeof metadata !== "object" || metadata === null) return {};
  return Object.fromEntries(Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

export const v2ConnectionRoutes: Route[] = [
  route({
    method: "POST",
    path: "/api/v1/accounts/:account/connections/:integration",
    name: "createConnection",
    summary: "Keep a token that an account of yours gave you, for the runs that are for it",
    tag: "v2",
    access: "secretKey",
    body: createConnectionBodySchema,
    handle: bring,
  }),
  route({
    method: "GET",
    path: "/api/v1/:client/auth/:integration",
    name: "getAuth",
    summary: "The credentials of an integration, good now; 404 when it is not connected",
    tag: "v2",
    access: "secretKey",
    query: { account: "whose; default: the developer's own" },
    handle: auth,
  }),
  route({
    method: "GET",
    path: "/api/v1/integrations/:integration/connections/:connection",
    name: "getConnection",
    summary: "A connection by its id, with its credentials as they are good now; absent when its provider takes them no more",
    tag: "v2",
    access: "secretKey",
    handle: lookUp,
  }),
];
