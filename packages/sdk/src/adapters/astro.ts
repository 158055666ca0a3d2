// Room: adapters. Astro's API routes, rendered on demand. Public as `@holdfast/sdk/astro`.
import type { TriggerClient } from "../client/client.ts";

/** The part of Astro's context this uses. */
interface RouteContext {
  request: Request;
}

/**
 * For `src/pages/api/trigger.ts`. Astro must not prerender the route, which it is told by an export of its own.
 *
 * @example
 * export const prerender = false;
 * export const { POST, GET, HEAD } = createAstroRoute(client);
 */
export function createAstroRoute(client: TriggerClient) {
  client.markServed();
  const route = ({ request }: RouteContext): Promise<Response> => client.handler(request);
  return { POST: route, GET: route, HEAD: route } as const;
}
