// Room: adapters. Remix and React Router 7 in framework mode. Public as `@holdfast/sdk/remix`.
import type { TriggerClient } from "../client/client.ts";

/** The part of Remix's arguments this uses. */
interface RouteArguments {
  request: Request;
}

/**
 * For `app/routes/api.trigger.ts`. `action` gets what is posted; `loader` answers GET and HEAD, which health checks use.
 *
 * @example export const { action, loader } = createRemixRoute(client);
 */
export function createRemixRoute(client: TriggerClient) {
  client.markServed();
  const route = ({ request }: RouteArguments): Promise<Response> => client.handler(request);
  return { action: route, loader: route } as const;
}
