// Tests: sources of an integration whose credentials the server keeps: what their handlers and their register jobs act with. Written against the published SDK's types; copied
// unchanged to where `@trigger.dev/sdk` is the published package, and to ours. HOOKS_URL: a service that takes `POST /hooks` {url, token}.
import {
  type ConnectionAuth,
  DynamicTrigger,
  ExternalSource,
  ExternalSourceTrigger,
  eventTrigger,
  type IO,
  TriggerClient,
  type TriggerIntegration,
  WebhookSource,
  WebhookTrigger,
} from "@trigger.dev/sdk";
import { z } from "zod";

export const client = new TriggerClient({ id: "connected-sources" });

/** By its last letters only: outputs are kept. */
const shown = (auth: ConnectionAuth | undefined) => auth && { ...auth, accessToken: `…${auth.accessToken.slice(-6)}` };

class Service implements TriggerIntegration {
  readonly id = "service";
  readonly metadata = { id: "service", name: "The service" };
  readonly authSource = "HOSTED" as const;
  #io: IO | undefined;
  #auth: ConnectionAuth | undefined;

  cloneForRun(io: IO, _connectionKey: string, auth?: ConnectionAuth): Service {
    const clone = new Service();
    clone.#io = io;
    clone.#auth = auth;
    return clone;
  }
  hook(url: string): Promise<unknown> {
    if (!this.#io) throw new Error("not in a run");
    const body = JSON.stringify({ url, token: this.#auth?.accessToken });
    return this.#io.runTask("create hook", async () => {
      const { status } = await fetch(`${process.env.HOOKS_URL}/hooks`, { method: "POST", body });
      return { status };
    });
  }
}
const service = new Service();

interface Topic {
  topic: string;
}
const source = new ExternalSource("HTTP", {
  id: "service.topic",
  version: "1.0.0",
  schema: z.object({ topic: z.string() }),
  integration: service,
  key: ({ topic }: Topic) => topic,
  handler: async ({ source: given, rawEvent }, _logger, integration, auth) => {
    const { n } = (await rawEvent.json()) as { n: number };
    const told = { n, auth: shown(given.auth), of: integration.id, fourth: auth !== undefined };
    return { events: [{ name: "heard", source: "service", payload: told }] };
  },
  register: async (event, io) => {
    const own = (io as unknown as { integration: Service }).integration;
    await own.hook(event.source.url);
    return { secret: event.source.secret, data: {}, options: { event: event.options.event.desired } };
  },
});
const heard = {
  name: "heard",
  title: "Heard",
  source: "service",
  icon: "webhook",
  parsePayload: (payload: unknown) => payload as { n: number; auth: object | undefined; of: string; fourth: boolean },
};
client.defineJob({
  id: "on-own",
  name: "On its own",
  version: "1.0.0",
  trigger: new ExternalSourceTrigger({ event: heard, source, params: { topic: "own" }, options: {} }),
  run: async (payload, _io, ctx) => ({ ...payload, account: ctx.account?.id }),
});

const dynamic = new DynamicTrigger(client, { id: "any", event: heard, source });
client.defineJob({
  id: "on-any",
  name: "On any",
  version: "1.0.0",
  trigger: dynamic,
  run: async (payload, _io, ctx) => ({ ...payload, account: ctx.account?.id }),
});
client.defineJob({
  id: "register",
  name: "Register",
  version: "1.0.0",
  trigger: eventTrigger({ name: "connected.register" }),
  run: async ({ accountId }: { accountId: string }) => {
    await dynamic.register(accountId, { topic: "accounts" }, { accountId });
  },
});

const webhook = new WebhookSource({
  id: "service.webhook",
  version: "1.0.0",
  integration: service,
  schemas: { params: z.object({ topic: z.string() }) },
  key: ({ topic }: Topic) => topic,
  crud: {
    create: async ({ io, ctx }) => (io as unknown as { integration: Service }).integration.hook(ctx.url),
    delete: async () => {},
  },
  generateEvents: async ({ request, client: own, ctx }) => {
    const { n } = (await request.json()) as { n: number };
    await own.sendEvent({ name: "hooked", source: "service", payload: { n, knows: Object.keys(ctx).sort() } });
  },
});
client.defineJob({
  id: "on-webhook",
  name: "On webhook",
  version: "1.0.0",
  trigger: new WebhookTrigger({
    event: { ...heard, name: "hooked", parsePayload: (payload: unknown) => payload as { n: number; knows: string[] } },
    source: webhook,
    params: { topic: "hooks" },
    config: {},
  }),
  run: async (payload) => payload,
});
