// Room: adapters. Fastify 5. Public as `@holdfast/sdk/fastify`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TriggerClient } from "../client/client.ts";
import { serveNode } from "./node-bridge.ts";

/** The part of a Fastify instance this plugin uses; any Fastify 4 or 5 instance fits. */
interface Instance {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(type: string, parser: (request: unknown, payload: unknown, done: (error: null) => void) => void): unknown;
  route(options: {
    method: string[];
    url: string;
    exposeHeadRoute: boolean;
    handler: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => void;
  }): unknown;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/**
 * A plugin that serves the client. Its body handling is its own: parsers of the rest of the app are neither used nor changed.
 *
 * @param options.path default "/api/trigger"
 * @example await app.register(holdfast(client, { path: "/api/holdfast" }));
 */
export function holdfast(client: TriggerClient, { path = "/api/trigger" }: { path?: string } = {}) {
  client.markServed();
  return async (instance: Instance): Promise<void> => {
    instance.removeAllContentTypeParsers();
    // The bytes stay in the stream: the bridge reads them, after it has looked at the key.
    instance.addContentTypeParser("*", (_request, _payload, done) => done(null));
    instance.route({
      method: METHODS,
      url: path,
      exposeHeadRoute: false,
      handler: (request, reply) => {
        reply.hijack();
        void serveNode(client, request.raw, reply.raw);
      },
    });
  };
}
