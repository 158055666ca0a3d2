// Room: adapters. Next.js: app router and pages router. Public as `@holdfast/sdk/next`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TriggerClient } from "../client/client.ts";
import { serveNode } from "./node-bridge.ts";

/**
 * For `app/api/trigger/route.ts`. `export const runtime = "edge"` is possible: the app is then called by its URL, and does not dial out.
 *
 * @example
 * export const { POST, GET, HEAD } = createAppRoute(client);
 * export const dynamic = "force-dynamic";
 */
export function createAppRoute(client: TriggerClient) {
  client.markServed();
  const { handler } = client;
  return { POST: handler, GET: handler, HEAD: handler, dynamic: "force-dynamic", runtime: "nodejs" } as const;
}

/**
 * For `pages/api/trigger.ts`. Next's body parser must be off for the route, which `config` says; export it by name.
 *
 * @example
 * const { handler, config } = createPagesRoute(client);
 * export { config };
 * export default handler;
 */
export function createPagesRoute(client: TriggerClient) {
  client.markServed();
  const handler = (request: IncomingMessage, response: ServerResponse): Promise<void> => serveNode(client, request, response);
  return { handler, config: { api: { bodyParser: false, externalResolver: true } } } as const;
}
