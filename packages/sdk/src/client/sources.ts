// Room: client. The sources of an app: what it wants to be registered with other services, the jobs that see to it, and what is in the requests that arrive. Owned by App.
import {
  type HandOver,
  type IndexDocument,
  REGISTER_SOURCE_EVENT,
  type RegisterSourceEvent,
  type RegisterWebhookEvent,
  type RequestPayload,
  registerWebhookEvent,
  type SourceMetadata,
  type SourceOptions,
  type WebhookMetadata,
} from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { IO, TriggerIntegration } from "../io/io.ts";
import type { JobOptions } from "../jobs/job.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { DynamicTrigger } from "../triggers/dynamic-trigger.ts";
import { eventTrigger } from "../triggers/event-trigger.ts";
import type { AnyExternalSource, SourceLogger } from "../triggers/external-source.ts";
import { toRequest } from "../triggers/request.ts";
import type { EventSpecification, Trigger } from "../triggers/trigger.ts";
import type { AnyWebhookSource } from "../triggers/webhook-source.ts";
import type { TriggerClient } from "./client.ts";

type RegisterJob = JobOptions<Trigger<EventSpecification<Anything>>, { integration: TriggerIntegration }>;
export type AnyDynamicTrigger = DynamicTrigger<Anything, AnyExternalSource>;

export interface AttachedSource {
  key: string;
  source: AnyExternalSource;
  event: EventSpecification<Anything>;
  params: Anything;
  options?: SourceOptions | undefined;
}
export interface AttachedWebhook {
  key: string;
  source: AnyWebhookSource;
  event: EventSpecification<Anything>;
  params: Anything;
  config: SourceOptions;
}

export class AppSources {
  readonly #sources = new Map<string, { source: AnyExternalSource; metadata: SourceMetadata }>();
  readonly #webhooks = new Map<string, { source: AnyWebhookSource; metadata: WebhookMetadata; client: TriggerClient }>();
  readonly #dynamic = new Map<string, AnyDynamicTrigger>();
  readonly #logger: SourceLogger;

  constructor(runtime: Pick<Runtime, "log">, trace: (message: string) => void) {
    const at = (level: "log" | "info" | "warn" | "error") => (message: string, data?: unknown) =>
      runtime.log(level, message, data);
    this.#logger = { log: at("log"), info: at("info"), warn: at("warn"), error: at("error"), debug: trace };
  }

  /** Another job's use of a source. Answers the job that registers it, the first time. */
  addSource({ key, source, event, params, options = {} }: AttachedSource): RegisterJob | undefined {
    const known = this.#sources.get(key)?.metadata;
    const { id, integration, version } = source;
    const metadata: SourceMetadata = known ?? {
      version: "2",
      channel: source.channel,
      key,
      params,
      options: {},
      integration: integrationOf(integration),
      registerSourceJob: { id: key, version },
    };
    const more = { event: [event.name].flat(), ...options };
    this.#sources.set(key, { source, metadata: { ...metadata, options: joined(metadata.options, more) } });
    if (known) return undefined;
    return registerSourceJob({ id: key, name: `Register source ${id}`, source, filter: { source: { key: [key] } } });
  }

  addDynamicTrigger(trigger: AnyDynamicTrigger): RegisterJob {
    this.#dynamic.set(trigger.id, trigger);
    const filter = { dynamicTriggerId: [trigger.id] };
    const names = { id: registerJobOf(trigger.id), name: `Register dynamic trigger ${trigger.id}` };
    return registerSourceJob({ ...names, source: trigger.source, filter });
  }

  addWebhook({ key, source, params, config }: AttachedWebhook, client: TriggerClient): RegisterJob | undefined {
    const known = this.#webhooks.get(key)?.metadata;
    const integration = integrationOf(source.integration);
    const metadata: WebhookMetadata = known ?? { key, params, config: {}, integration, httpEndpoint: { id: key } };
    this.#webhooks.set(key, { source, client, metadata: { ...metadata, config: joined(metadata.config, config) } });
    return known ? undefined : registerWebhookJob(key, source);
  }

  /** What the index document says of them. @param startedBy jobs of a dynamic trigger */
  index(
    startedBy: (id: string) => { id: string; version: string }[],
  ): Pick<IndexDocument, "sources" | "webhooks" | "dynamicTriggers"> {
    return {
      sources: [...this.#sources.values()].map(({ metadata }) => metadata),
      webhooks: [...this.#webhooks.values()].map(({ metadata }) => metadata),
      dynamicTriggers: [...this.#dynamic.values()].map(({ id, source }) => ({
        id,
        jobs: startedBy(id),
        registerSourceJob: { id: registerJobOf(id), version: source.version },
      })),
    };
  }

  /** What is in a request that arrived at a source. */
  async handle(what: HandOver, payload: RequestPayload): Promise<object> {
    const request = toRequest(payload);
    if (what.kind === "webhook") return this.#webhookRequest(what, request);
    const { dynamicId, key } = what;
    const source = dynamicId === undefined ? this.#sources.get(key)?.source : this.#dynamic.get(dynamicId)?.source;
    const found = await source?.handle({ ...what, data: what.data ?? {} }, request, this.#logger);
    return { events: found?.events ?? [], response: found?.response ?? OK, metadata: found?.metadata };
  }

  async #webhookRequest({ key, secret, params }: HandOver, request: Request): Promise<object> {
    const known = this.#webhooks.get(key);
    if (!known) return { response: OK, verified: false, error: `This app has no webhook "${key}".` };
    const { source, client } = known;
    const ctx = { key, secret, params };
    const verified = await source.verify(request, client, ctx);
    if (!verified.success) return { response: OK, verified: false, error: verified.reason };
    await source.generateEvents(request, client, ctx);
    return { response: OK, verified: true };
  }
}

const OK = { status: 200, body: { ok: true } };
const registerJobOf = (dynamicTrigger: string): string => `register-dynamic-trigger-${dynamicTrigger}`;

function integrationOf({
  id,
  metadata,
  authSource,
}: TriggerIntegration): Pick<TriggerIntegration, "id" | "metadata" | "authSource"> {
  return { id, metadata, authSource };
}

/** Lists of both, each value once. */
function joined(one: SourceOptions, other: SourceOptions): SourceOptions {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, [...new Set([...(one[name] ?? []), ...(other[name] ?? [])])]]));
}

function registerSourceJob(job: { id: string; name: string; source: AnyExternalSource; filter: Anything }): RegisterJob {
  const { id, name, source, filter } = job;
  return {
    id,
    name,
    version: source.version,
    trigger: eventTrigger({ name: REGISTER_SOURCE_EVENT, filter }),
    integrations: { integration: source.integration },
    run: async (event: RegisterSourceEvent, io, ctx) => {
      const updates = await source.register(event.source.params, event, io, ctx);
      return updates && io.updateSource("update-source", { key: event.source.key, ...updates });
    },
    __internal: true,
  };
}

function registerWebhookJob(key: string, source: AnyWebhookSource): RegisterJob {
  const name = `webhook.register.${key}`;
  return {
    id: name,
    name,
    version: source.version,
    trigger: eventTrigger({ name: registerWebhookEvent(key) }),
    integrations: { integration: source.integration },
    run: async (ctx: RegisterWebhookEvent, io) =>
      io.try(
        async () => {
          await (ctx.active ? changeWebhook : createWebhook)(source, ctx, io);
          return io.updateWebhook("update-webhook-success", { key, active: true, config: ctx.config.desired });
        },
        async (error) => {
          await io.updateWebhook("update-webhook-error", { key, active: false });
          throw error;
        },
      ),
    __internal: true,
  };
}

type OnWebhook = (source: AnyWebhookSource, ctx: RegisterWebhookEvent, io: IO) => Promise<void>;

/** One left from before may be in the way: the service may allow no second. */
const createWebhook: OnWebhook = async ({ crud }, ctx, io) => {
  const options = { io, ctx } as Anything;
  await io.try(
    () => crud.create(options),
    async () => {
      await io.runTask("create-retry", async () => {
        await crud.delete(options);
        await crud.create(options);
      });
    },
  );
};

const changeWebhook: OnWebhook = async ({ crud }, ctx, io) => {
  const options = { io, ctx } as Anything;
  if (crud.update) return void (await crud.update(options));
  await crud.delete(options);
  await crud.create(options);
};
