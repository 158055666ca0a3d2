// Room: adapters. Express 4 and 5. Public as `@holdfast/sdk/express`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TriggerClient } from "../client/client.ts";
import { isFor, type NodeRequest, serveNode } from "./node-bridge.ts";

type Next = (error?: unknown) => void;
/** Fits Express's RequestHandler. */
export type ExpressHandler = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/**
 * Middleware that serves the client at one path and passes everything else on. Mount it before body parsers.
 *
 * @param path default "/api/trigger"
 * @example app.use(createMiddleware(client));
 */
export function createMiddleware(client: TriggerClient, path = "/api/trigger"): ExpressHandler {
  client.markServed();
  return (request, response, next) => {
    const { originalUrl, url } = request as NodeRequest;
    if (isFor(path, originalUrl ?? url)) void serveNode(client, request, response);
    else next();
  };
}

/**
 * A handler for a path of your choice.
 *
 * @example app.use("/api/holdfast", serve(client));
 */
export function serve(client: TriggerClient): ExpressHandler {
  client.markServed();
  return (request, response) => void serveNode(client, request, response);
}
