// Tests: triggers whose addresses the app registers with another service by itself, in all of v2's forms. Written against the published SDK's types; copied unchanged to where
// `@trigger.dev/sdk` is the published package, and to ours. VENDOR_URL: a service with `POST /hooks` {url, secret, topics}, which signs what it sends by HMAC.
import {
  DynamicTrigger,
  ExternalSource,
  ExternalSourceTrigger,
  eventTrigger,
  type HandlerEvent,
  type IO,
  TriggerClient,
  type TriggerIntegration,
  verifyRequestSignature,
  WebhookSource,
  WebhookTrigger,
} from "@trigger.dev/sdk";
import { z } from "zod";

const VENDOR = process.env.VENDOR_URL ?? "";

export const client = new TriggerClient({ id: "sources" });

class Vendor implements TriggerIntegration {
  readonly id = "vendor";
  readonly metadata = { id: "vendor", name: "Vendor" };
  readonly authSource = "LOCAL" as const;
  #io: IO | undefined;

  cloneForRun(io: IO): Vendor {
    const clone = new Vendor();
    clone.#io = io;
    return clone;
  }
  hook(key: string, body: { url: string; secret: string; topics: string[] }): Promise<{ id: number }> {
    const call = async () => {
      const answer = await fetch(`${VENDOR}/hooks`, { method: "POST", body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`The vendor answered ${answer.status}`);
      return (await answer.json()) as { id: number };
    };
    if (!this.#io) throw new Error("only in runs");
    return this.#io.runTask(key, call, { name: "Create hook" });
  }
}
const vendor = new Vendor();

interface Topic {
  topic: string;
}
interface Sent {
  id?: string;
  topic: string;
  on: string;
  n: number;
}

const source = new ExternalSource("HTTP", {
  id: "vendor.topic",
  version: "1.0.0",
  schema: z.object({ topic: z.string() }),
  integration: vendor,
  key: ({ topic }: Topic) => topic,
  filter: ({ topic }: Topic) => ({ topic: [topic] }),
  properties: ({ topic }: Topic) => [{ label: "Topic", text: topic }],
  handler: async ({ source: given, rawEvent }: HandlerEvent<"HTTP", Topic>) => {
    if (!rawEvent) return { events: [] };
    const genuine = await verifyRequestSignature({
      request: rawEvent.clone(),
      headerName: "x-signature",
      secret: given.secret,
      algorithm: "sha256",
    });
    if (!genuine.success) return { events: [], response: { status: 401, body: { why: genuine.reason } } };
    const body = (await rawEvent.json()) as Sent;
    const seen = Number((given.metadata as { seen?: number } | undefined)?.seen ?? 0) + 1;
    const event = { name: body.on, source: "vendor.example", payload: { ...body, seen, data: given.data } };
    return { events: [body.id === undefined ? event : { ...event, id: body.id }], metadata: { seen } };
  },
  register: async (event, io) => {
    const { source: given, options } = event as unknown as {
      source: { url: string; secret: string; active: boolean };
      options: { event: { desired: string[]; missing: string[]; orphaned: string[] } };
    };
    const own = (io as unknown as { integration: Vendor }).integration;
    const topics = options.event.desired;
    const made = await own.hook("create hook", { url: given.url, secret: given.secret, topics });
    return { secret: given.secret, data: { hook: made.id }, options: { event: topics } };
  },
});

const specification = (name: string) => ({
  name,
  title: name,
  source: "vendor.example",
  icon: "webhook",
  parsePayload: (payload: unknown) => payload as Sent & { seen: number; data: { hook: number } },
});

for (const name of ["opened", "closed"]) {
  client.defineJob({
    id: `on-${name}`,
    name: `On ${name}`,
    version: "1.0.0",
    trigger: new ExternalSourceTrigger({ event: specification(name), source, params: { topic: "issues" }, options: {} }),
    run: async (payload, _io, ctx) => ({ payload, event: ctx.event.name, source: ctx.source }),
  });
}

const dynamic = new DynamicTrigger(client, { id: "any-topic", event: specification("opened"), source });
client.defineJob({
  id: "on-any-topic",
  name: "On any topic",
  version: "1.0.0",
  trigger: dynamic,
  run: async (payload, _io, ctx) => ({ n: payload.n, topic: payload.topic, source: ctx.source, account: ctx.account }),
});
client.defineJob({
  id: "register-topic",
  name: "Register topic",
  version: "1.0.0",
  trigger: eventTrigger({ name: "sources.register" }),
  run: async (payload: { key: string; topic: string }) => {
    const made = await dynamic.register(payload.key, { topic: payload.topic }, { accountId: "acme" });
    return { active: made.source.active, trigger: made.dynamicTriggerId, missing: made.options.event };
  },
});

client.defineJob({
  id: "register-by-io",
  name: "Register by io",
  version: "1.0.0",
  trigger: eventTrigger({ name: "sources.register-by-io" }),
  run: async (payload: { key: string; topic: string }, io) => {
    const made = await io.registerTrigger("by io", dynamic, payload.key, { topic: payload.topic });
    return { id: typeof made?.id, key: made?.key };
  },
});

const webhooks = new WebhookSource({
  id: "vendor.webhook",
  version: "1.0.0",
  integration: vendor,
  schemas: { params: z.object({ topic: z.string() }), config: z.record(z.string(), z.array(z.string())) },
  key: ({ topic }: Topic) => topic,
  filter: ({ topic }: Topic) => ({ topic: [topic] }),
  crud: {
    create: async ({ io, ctx }) => {
      const own = (io as unknown as { integration: Vendor }).integration;
      await own.hook("create webhook", { url: ctx.url, secret: ctx.secret, topics: ctx.config.desired.on ?? [] });
    },
    delete: async () => {},
  },
  verify: async ({ request, ctx }) =>
    verifyRequestSignature({ request, headerName: "x-signature", secret: ctx.secret, algorithm: "sha256" }),
  generateEvents: async ({ request, client: own }) => {
    const body = (await request.json()) as Sent;
    await own.sendEvent({ id: `webhook ${body.n}`, name: body.on, source: "vendor.example", payload: body });
  },
});
client.defineJob({
  id: "on-webhook",
  name: "On webhook",
  version: "1.0.0",
  trigger: new WebhookTrigger({
    event: specification("pinged"),
    source: webhooks,
    params: { topic: "pings" },
    config: { on: ["pinged"] },
  }),
  run: async (payload, _io, ctx) => ({ n: payload.n, id: ctx.event.id }),
});
