// Room: adapters. Remix and React Router 7 in framework mode. Public as `@holdfast/sdk/remix`.
import type { TriggerClient } from "../client/client.ts";

/** The part of Remix's arguments this uses. */
interface RouteArguments {
  request: Request;
}

/**
 * For `app/routes/api.trigger.ts`. `action` gets what is posted; `loader` answers GET and HEAD, which health checks use.
 *
 * Their Vite compiler takes both out of what browsers get, and refuses to do so with `export const { action, loader }`.
 *
 * @example
 * const route = createRemixRoute(client);
 * export const action = route.action;
 * export const loader = route.loader;
 */
export function createRemixRoute(client: TriggerClient) {
  client.markServed();
  const route = ({ request }: RouteArguments): Promise<Response> => client.handler(request);
  return { action: route, loader: route } as const;
}
