// Room: adapters. SvelteKit's endpoints. Public as `@holdfast/sdk/sveltekit`.
import type { TriggerClient } from "../client/client.ts";

/** The part of SvelteKit's event this uses. */
interface RequestEvent {
  request: Request;
}

/**
 * For `src/routes/api/trigger/+server.ts`.
 *
 * @example export const { POST, GET, HEAD } = createSvelteRoute(client);
 */
export function createSvelteRoute(client: TriggerClient) {
  client.markServed();
  const route = ({ request }: RequestEvent): Promise<Response> => client.handler(request);
  return { POST: route, GET: route, HEAD: route } as const;
}
