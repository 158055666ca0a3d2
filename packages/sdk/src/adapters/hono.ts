// Room: adapters. Hono 4, and anything else that hands over Web requests; on Node, on the edge, and on Cloudflare with the flag nodejs_als or
// nodejs_compat. Public as `@holdfast/sdk/hono`.
import type { TriggerClient } from "../client/client.ts";
import { isFor } from "./node-bridge.ts";

/** The part of Hono's context this uses. */
interface Context {
  req: { raw: Request };
}

/**
 * A handler for a path of your choice.
 *
 * @example app.all("/api/holdfast", serve(client));
 */
export function serve(client: TriggerClient): (context: Context) => Promise<Response> {
  client.markServed();
  return (context) => client.handler(context.req.raw);
}

/**
 * Middleware that serves the client at one path and passes everything else on.
 *
 * @param path default "/api/trigger"
 * @example app.use(createMiddleware(client));
 */
export function createMiddleware(client: TriggerClient, path = "/api/trigger") {
  client.markServed();
  return async (context: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    if (isFor(path, new URL(context.req.raw.url).pathname)) return client.handler(context.req.raw);
    await next();
    return undefined;
  };
}
