// Room: triggers. A source's trigger whose params are registered at run time, under a key: one a user, one a repository. Made by `client.defineDynamicTrigger`.
import type { JobMetadata, RegisterSourceEvent, RegisterTriggerBody } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { TriggerClient } from "../client/client.ts";
import { THROUGH_OUTAGES } from "../io/outage.ts";
import { Execution } from "../replay/execution.ts";
import type { AnyExternalSource, ExternalSourceParams } from "./external-source.ts";
import { mergeFilters } from "./merge-filters.ts";
import { slugifyId } from "./slug.ts";
import type { EventFilter, EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

export interface DynamicTriggerOptions<TEventSpec extends EventSpecification<Anything>, TSource extends AnyExternalSource> {
  id: string;
  event: TEventSpec;
  source: TSource;
}
export interface RegisterTriggerOptions {
  /** `ctx.account.id` of its runs. */
  accountId?: string | undefined;
  /** Which of its events start runs, besides what the source and the event say. */
  filter?: EventFilter | undefined;
}

/**
 * A trigger without params: each `register` adds some under a key, and creates a webhook with the other service for them.
 *
 * @example
 * const onIssue = client.defineDynamicTrigger({ id: "issue", event: events.onIssueOpened, source: github.sources.repo });
 * client.defineJob({ id: "triage", name: "Triage", version: "1.0.0", trigger: onIssue, run: async (issue, io, ctx) => ctx.source?.id });
 * await onIssue.register("user_42", { owner: "ada", repo: "engine" }, { accountId: "user_42" });
 */
export class DynamicTrigger<TEventSpec extends EventSpecification<Anything>, TSource extends AnyExternalSource>
  implements Trigger<TEventSpec>
{
  readonly source: TSource;
  readonly preprocessRuns = true;
  readonly #client: TriggerClient;
  readonly #options: DynamicTriggerOptions<TEventSpec, TSource>;

  constructor(client: TriggerClient, options: DynamicTriggerOptions<TEventSpec, TSource>) {
    this.#client = client;
    this.#options = options;
    this.source = options.source;
    client.attachDynamicTrigger(this);
  }

  get id(): string {
    return this.#options.id;
  }
  get event(): TEventSpec {
    return this.#options.event;
  }
  toJSON(): JobMetadata["trigger"] {
    return { type: "dynamic", id: this.id };
  }

  /**
   * Registers params under a key. In a run it is a task with the cacheKey `[key, "register"]`.
   *
   * @throws NOT_FOUND as long as the app has not registered with this dynamic trigger
   */
  async register(
    key: string,
    params: ExternalSourceParams<TSource>,
    options: RegisterTriggerOptions = {},
  ): Promise<RegisterSourceEvent> {
    const register = () => this.#client.registerTrigger(this.id, key, this.#registration(params, options));
    const io = Execution.currentIO();
    if (!io) return register();
    const properties = [
      { label: "Dynamic Trigger ID", text: this.id },
      { label: "ID", text: key },
    ];
    const shown = { name: "Register Dynamic Trigger", properties, params: params as Anything, retry: THROUGH_OUTAGES.retry };
    return io.runTask<Anything>([key, "register"], register, shown, THROUGH_OUTAGES.onError);
  }

  #registration(params: ExternalSourceParams<TSource>, { accountId, filter = {} }: RegisterTriggerOptions): RegisterTriggerBody {
    const { event, source } = this;
    return {
      rule: { event: event.name, source: event.source, payload: mergeFilters(source.filter(params), event.filter ?? {}, filter) },
      source: {
        version: "2",
        channel: source.channel,
        key: slugifyId(source.key(params)),
        params,
        options: { event: [event.name].flat() },
        integration: { ...source.integrationConfig, authSource: source.integration.authSource },
      },
      ...(accountId === undefined ? {} : { accountId }),
    };
  }

  /** The client knows it already. */
  attachToJob(): void {}

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}
