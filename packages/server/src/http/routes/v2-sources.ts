// Room: http. The v2 routes of sources (wire §2.11): register a key on a dynamic trigger, and what register jobs say once another service knows a source.
// Keys come at the end of the path and may hold slashes: published SDKs do not encode them.
import { registerTriggerBodySchema, updateSourceBodySchema, updateWebhookBodySchema } from "@holdfast/protocol";
import { type Route, route } from "../route.ts";

const BODY_LIMIT = 256 * 1024;
const common = { method: "PUT", tag: "v2", access: "secretKey", bodyLimit: BODY_LIMIT, keyAtEnd: true } as const;

export const v2SourceRoutes: Route[] = [
  route({
    ...common,
    path: "/api/v2/:clientId/triggers/:triggerId/registrations/:key",
    name: "registerTrigger",
    summary: "Register a key on an app's dynamic trigger, or change it; its register job is run if something is missing",
    body: registerTriggerBodySchema,
    handle: async (call, body) => {
      const named = { clientId: call.param("clientId"), triggerId: call.param("triggerId"), key: call.param("key") };
      return call.json(await call.rooms.sources.register(call.environment.id, named, body));
    },
  }),
  route({
    ...common,
    path: "/api/v2/:clientId/sources/:key",
    name: "updateSource",
    summary: "Say that another service knows a source now, and what it sends",
    body: updateSourceBodySchema,
    handle: async (call, body) =>
      call.json(await call.rooms.sources.registered(call.environment.id, call.param("clientId"), body)),
  }),
  route({
    ...common,
    path: "/api/v1/webhooks/:key",
    name: "updateWebhook",
    summary: "Say that another service knows a webhook now, or that it could not be registered",
    body: updateWebhookBodySchema,
    handle: async (call, body) => call.json(await call.rooms.sources.webhookRegistered(call.environment.id, body)),
  }),
];
