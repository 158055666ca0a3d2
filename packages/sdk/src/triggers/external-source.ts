// Room: triggers. Addresses that integrations register with other services by themselves, and read the requests of: v2's ExternalSource. Made by authors of
// integrations; their triggers are used in `defineJob`. Shapes are v2's (wire §1.9, §3.4).
import type { DisplayProperty, JobMetadata, RegisterSourceEvent } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { SendEvent } from "../client/api.ts";
import type { TriggerClient } from "../client/client.ts";
import type { ConnectionAuth, IO, IOWithIntegrations, TriggerIntegration } from "../io/io.ts";
import type { TriggerContext } from "../jobs/context.ts";
import { IntegrationSource } from "./integration-source.ts";
import { mergeFilters } from "./merge-filters.ts";
import type { SchemaParser } from "./schema.ts";
import { slugifyId } from "./slug.ts";
import type { EventFilter, EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

type OptionDiff = { desired: string[]; missing: string[]; orphaned: string[] };
/** By the name of an option of the other service: a value for each. */
export type TriggerOptionRecord<TValue, TOptions extends Record<string, string[]> = Anything> = {
  [K in keyof TOptions]: TValue;
};

/** Writes to the app's console: `debug` only with `verbose`. */
export interface SourceLogger {
  log(message: string, ...data: unknown[]): void;
  debug(message: string, ...data: unknown[]): void;
  info(message: string, ...data: unknown[]): void;
  warn(message: string, ...data: unknown[]): void;
  error(message: string, ...data: unknown[]): void;
}

/** A source as it is known when a request arrives at it. */
export interface HandledSource {
  key: string;
  dynamicId?: string | undefined;
  secret: string;
  params: Anything;
  data: Anything;
  /** What the integration acts with, if the server keeps its credentials: the account's it is registered for, or else the developer's. Absent if that is not connected. */
  auth?: ConnectionAuth | undefined;
  /** What the handler answered to the request before. */
  metadata?: Anything;
}
/** The channel is always HTTP; v2's types named two more. */
export type ChannelNames = "HTTP";
export interface HandlerEvent<_TChannel extends ChannelNames = "HTTP", TParams = Anything> {
  rawEvent: Request;
  source: Omit<HandledSource, "params"> & { params: TParams };
}
export interface HandledRequest {
  events: SendEvent[];
  /** 400 and more, with no events: the request is refused. */
  response?: { status: number; body?: Anything; headers?: Record<string, string> | undefined } | undefined;
  metadata?: Anything;
}

// biome-ignore lint/suspicious/noConfusingVoidType: v2's type; handlers return nothing where there is nothing
type MaybeHandled = HandledRequest | void;

interface RegisterEvent<TParams, TOptions extends Record<string, string[]>> {
  source: { active: boolean; data?: Anything; secret: string; url: string };
  /** What is to be listened to. */
  options: { event: OptionDiff } & TriggerOptionRecord<OptionDiff, TOptions>;
  params: TParams;
}
interface Registered<TOptions extends Record<string, string[]>> {
  secret?: string;
  data?: Anything;
  options: { event: string[] } & TriggerOptionRecord<string[], TOptions>;
}

export interface ExternalSourceOptions<
  TIntegration extends TriggerIntegration,
  TParams,
  TOptions extends Record<string, string[]> = Anything,
> {
  id: string;
  /** Of its register job. */
  version: string;
  schema: SchemaParser<TParams>;
  optionSchema?: SchemaParser<TOptions> | undefined;
  integration: TIntegration;
  /** What tells two sources apart; sources of one key share one address. */
  key: (params: TParams) => string;
  /** Which of its events are for given params. */
  filter?: ((params: TParams, options?: TOptions) => EventFilter) | undefined;
  /** Creates or changes the webhook with the other service; says what is registered now. Runs as a job. */
  register: (
    event: RegisterEvent<TParams, TOptions>,
    io: IOWithIntegrations<{ integration: TIntegration }>,
    ctx: TriggerContext,
  ) => Promise<Registered<TOptions> | undefined>;
  /** Checks a request, and reads the events in it. */
  handler: (
    event: HandlerEvent<"HTTP", TParams>,
    logger: SourceLogger,
    integration: TIntegration,
    auth?: ConnectionAuth,
  ) => Promise<MaybeHandled>;
  properties?: ((params: TParams) => DisplayProperty[]) | undefined;
}

export class ExternalSource<
  TIntegration extends TriggerIntegration,
  TParams,
  TChannel extends ChannelNames = "HTTP",
  TOptions extends Record<string, string[]> = Anything,
> extends IntegrationSource<TIntegration> {
  constructor(
    readonly channel: TChannel,
    private readonly options: ExternalSourceOptions<TIntegration, TParams, TOptions>,
  ) {
    super(options);
  }

  handle(source: HandledSource, rawEvent: Request, logger: SourceLogger): Promise<MaybeHandled> {
    return this.options.handler({ source, rawEvent }, logger, this.options.integration, source.auth);
  }
  filter(params: TParams, options?: TOptions): EventFilter {
    return this.options.filter?.(params, options) ?? {};
  }
  properties(params: TParams): DisplayProperty[] {
    return this.options.properties?.(params) ?? [];
  }
  key(params: TParams): string {
    return [this.options.id, this.channel, this.options.key(params), this.integration.id].join("-");
  }

  register(params: TParams, event: RegisterSourceEvent, io: IO, ctx: TriggerContext): Promise<Registered<TOptions> | undefined> {
    const { active, data, secret, channel } = event.source;
    const { id, options, dynamicTriggerId } = event;
    const told = { id, options, dynamicTriggerId, source: { active, data, secret, url: channel.url }, params };
    return this.options.register(told as Anything, io as IOWithIntegrations<{ integration: TIntegration }>, ctx);
  }
}

export type AnyExternalSource = ExternalSource<Anything, Anything, Anything, Anything>;
export type ExternalSourceParams<TSource extends AnyExternalSource> =
  TSource extends ExternalSource<Anything, infer TParams, Anything> ? TParams : never;

export interface ExternalSourceTriggerOptions<
  TEventSpecification extends EventSpecification<Anything>,
  TSource extends AnyExternalSource,
  TOptions extends Record<string, string[]> = Anything,
> {
  event: TEventSpecification;
  source: TSource;
  params: ExternalSourceParams<TSource>;
  options: TriggerOptionRecord<string[], TOptions>;
}

/** The trigger of a job that runs on events of an external source. */
export class ExternalSourceTrigger<TEventSpecification extends EventSpecification<Anything>, TSource extends AnyExternalSource>
  implements Trigger<TEventSpecification>
{
  readonly preprocessRuns = true;
  constructor(private readonly options: ExternalSourceTriggerOptions<TEventSpecification, TSource>) {}

  get event(): TEventSpecification {
    return this.options.event;
  }

  toJSON(): JobMetadata["trigger"] {
    const { source, params, options, event } = this.options;
    const own = (params as { filter?: EventFilter } | undefined)?.filter ?? {};
    return {
      type: "static",
      title: "External Source",
      rule: {
        event: event.name,
        source: event.source,
        payload: mergeFilters(source.filter(params, options), event.filter ?? {}, own),
      },
      properties: source.properties(params),
    };
  }

  attachToJob(client: TriggerClient): void {
    const { source, params, options, event } = this.options;
    client.attachSource({ key: slugifyId(source.key(params)), source, event, params, options });
  }

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}
