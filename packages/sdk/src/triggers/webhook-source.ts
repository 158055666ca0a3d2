// Room: triggers. Webhooks that integrations create with other services by themselves, whose requests arrive at an endpoint of the app: v2's WebhookSource. Made by authors
// of integrations; their triggers are used in `defineJob`. Shapes are v2's (wire §1.9, §3.3).
import type { DisplayProperty, JobMetadata, RegisterWebhookEvent } from "@holdfast/protocol";
import { platform } from "#platform";
import type { Anything } from "../anything.ts";
import type { TriggerClient } from "../client/client.ts";
import type { IOWithIntegrations, TriggerIntegration } from "../io/io.ts";
import { IntegrationSource } from "./integration-source.ts";
import { mergeFilters } from "./merge-filters.ts";
import type { SchemaParser } from "./schema.ts";
import { slugifyId } from "./slug.ts";
import type { EventFilter, EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

export type WebhookConfig<TConfigKeys extends string> = { [K in TConfigKeys]: string[] };
/** What the app knows of a webhook when a request arrives. */
export interface WebhookDeliveryContext {
  key: string;
  secret: string;
  params: Anything;
}
interface Delivered {
  request: Request;
  client: TriggerClient;
  ctx: WebhookDeliveryContext;
}
type Crud<TIntegration extends TriggerIntegration, TParams, TConfig extends Record<string, string[]>> = (options: {
  io: IOWithIntegrations<{ integration: TIntegration }>;
  ctx: Omit<RegisterWebhookEvent, "params" | "config"> & {
    params: TParams;
    config: { current: Partial<TConfig>; desired: TConfig };
  };
}) => Promise<Anything>;

export interface WebhookOptions<
  TIntegration extends TriggerIntegration,
  TParams,
  TConfig extends Record<string, string[]> = Record<string, string[]>,
> {
  id: string;
  /** Of its register job. */
  version: string;
  integration: TIntegration;
  schemas: { params: SchemaParser<TParams>; config?: SchemaParser<TConfig> | undefined };
  /** What tells two webhooks apart. */
  key: (params: TParams) => string;
  /** Creates, changes and deletes the webhook with the other service, in a run. Without `update` it is deleted and created. */
  crud: {
    create: Crud<TIntegration, TParams, TConfig>;
    read?: Crud<TIntegration, TParams, TConfig> | undefined;
    update?: Crud<TIntegration, TParams, TConfig> | undefined;
    delete: Crud<TIntegration, TParams, TConfig>;
  };
  /** Which events are for given params. */
  filter?: ((params: TParams, config?: TConfig) => EventFilter) | undefined;
  register?: Anything;
  /** Whether a request is genuine. */
  verify?: ((options: Delivered) => Promise<VerifyResult>) | undefined;
  /** Sends the events that are in a request. */
  generateEvents: (options: Delivered) => Promise<Anything>;
  properties?: ((params: TParams) => DisplayProperty[]) | undefined;
}

export class WebhookSource<
  TIntegration extends TriggerIntegration,
  TParams = Anything,
  TConfig extends Record<string, string[]> = Record<string, string[]>,
> extends IntegrationSource<TIntegration> {
  constructor(private readonly options: WebhookOptions<TIntegration, TParams, TConfig>) {
    super(options);
  }

  get crud(): WebhookOptions<TIntegration, TParams, TConfig>["crud"] {
    return this.options.crud;
  }

  filter(params: TParams, config?: TConfig): EventFilter {
    return this.options.filter?.(params, config) ?? {};
  }
  properties(params: TParams): DisplayProperty[] {
    return this.options.properties?.(params) ?? [];
  }
  async verify(request: Request, client: TriggerClient, ctx: WebhookDeliveryContext): Promise<VerifyResult> {
    return this.options.verify?.({ request: request.clone(), client, ctx }) ?? { success: true };
  }
  async generateEvents(request: Request, client: TriggerClient, ctx: WebhookDeliveryContext): Promise<void> {
    await this.options.generateEvents({ request, client, ctx });
  }

  /** As on Trigger.dev, so that what is registered there can be told by its key. */
  key(params: TParams): string {
    const told = `webhook${this.options.key(params)}${this.integration.id}`;
    return `${this.options.id}-${platform.hashed("sha1", told).slice(0, 7)}`;
  }
}

export type AnyWebhookSource = WebhookSource<Anything, Anything, Anything>;
export type GetWebhookParams<TWebhook extends AnyWebhookSource> =
  TWebhook extends WebhookSource<Anything, infer TParams, Anything> ? TParams : never;
export type GetWebhookConfig<TWebhook extends AnyWebhookSource> =
  TWebhook extends WebhookSource<Anything, Anything, infer TConfig> ? TConfig : never;

export interface WebhookTriggerOptions<
  TEventSpecification extends EventSpecification<Anything>,
  TSource extends AnyWebhookSource,
  TConfig extends Record<string, string[]> = Record<string, string[]>,
> {
  event: TEventSpecification;
  source: TSource;
  params: GetWebhookParams<TSource>;
  config: TConfig;
}

/** The trigger of a job that runs on events of a webhook source. */
export class WebhookTrigger<TEventSpecification extends EventSpecification<Anything>, TSource extends AnyWebhookSource>
  implements Trigger<TEventSpecification>
{
  readonly preprocessRuns = true;
  constructor(private readonly options: WebhookTriggerOptions<TEventSpecification, TSource>) {}

  get event(): TEventSpecification {
    return this.options.event;
  }
  get source(): TSource {
    return this.options.source;
  }
  get key(): string {
    return slugifyId(this.options.source.key(this.options.params));
  }

  /** The same trigger for fewer events. */
  filter(eventFilter: EventFilter): WebhookTrigger<Omit<TEventSpecification, "filter"> & { filter: EventFilter }, TSource> {
    const { event } = this.options;
    const narrowed = { ...event, filter: mergeFilters(event.filter ?? {}, eventFilter) };
    return new WebhookTrigger({ ...this.options, event: narrowed });
  }

  toJSON(): JobMetadata["trigger"] {
    const { source, params, config, event } = this.options;
    return {
      type: "static",
      title: "Webhook",
      rule: { event: event.name, source: event.source, payload: mergeFilters(source.filter(params, config), event.filter ?? {}) },
      properties: source.properties(params),
      link: `http-endpoints/${this.key}`,
    };
  }

  attachToJob(client: TriggerClient): void {
    const { source, params, config, event } = this.options;
    client.attachWebhook({ key: this.key, source, event, params, config });
  }

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}
