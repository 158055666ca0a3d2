// Room: adapters. Plain node:http. Public as `@holdfast/sdk/node`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TriggerClient } from "../client/client.ts";
import { serveNode } from "./node-bridge.ts";

/**
 * A handler for `http.createServer`, or for any router that calls with Node's request and response.
 *
 * @example http.createServer(createNodeHandler(client)).listen(3000);
 */
export function createNodeHandler(client: TriggerClient): (request: IncomingMessage, response: ServerResponse) => void {
  client.markServed();
  return (request, response) => void serveNode(client, request, response);
}
