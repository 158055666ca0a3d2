// Room: triggers. Jobs that run when an event of a given name is sent. Called by users in `defineJob`.
import { filterProblem, type JobMetadata } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { VerifyCallback } from "./http-endpoint.ts";
import { mergeFilters } from "./merge-filters.ts";
import { type PayloadSchema, parse, validate } from "./schema.ts";
import {
  checkedFilter,
  type EventFilter,
  type EventSpecification,
  type EventSpecificationExample,
  type EventTypeFromSpecification,
  type Trigger,
  type VerifyResult,
} from "./trigger.ts";

/** The source of events sent without one, and of triggers that name none. */
export const DEFAULT_SOURCE = "trigger.dev";

/** Options of `eventTrigger`. */
export interface EventOptions<TEvent> {
  /** Matches exactly, case included; any one of a list. */
  name: string | string[];
  /** Anything with `safeParse` (zod), or any Standard Schema. Payloads that do not fit make the run INVALID_PAYLOAD. */
  schema?: PayloadSchema<TEvent> | undefined;
  /** Must equal the event's source; both default to "trigger.dev". */
  source?: string | undefined;
  filter?: EventFilter | undefined;
  examples?: EventSpecificationExample[] | undefined;
}

/** For events described elsewhere, as integrations do. */
export interface EventTriggerOptions<TEventSpec extends EventSpecification<Anything>> {
  event: TEventSpec;
  /** Default: the event's. */
  name?: string | string[] | undefined;
  /** Default "trigger.dev", whatever the event says. */
  source?: string | undefined;
  /** Beside the event's own, which counts of two lists at one place. */
  filter?: EventFilter | undefined;
  /** Of events whose payload is a request. */
  verify?: (EventTypeFromSpecification<TEventSpec> extends Request ? VerifyCallback : never) | undefined;
}

/**
 * A trigger for an event that is described by a specification; {@link eventTrigger} is what jobs need.
 *
 * @example new EventTrigger({ event: { name: "paid", title: "Paid", source: "shop", icon: "coin", parsePayload }, source: "shop" })
 */
export class EventTrigger<TEventSpec extends EventSpecification<Anything>> implements Trigger<TEventSpec> {
  readonly event: TEventSpec;
  readonly preprocessRuns = false;
  readonly #options: EventTriggerOptions<TEventSpec>;

  constructor(options: EventTriggerOptions<TEventSpec>) {
    const { event, name = event.name, filter } = options;
    for (const one of [event.filter, filter]) checkedFilter(one, filterProblem, `the trigger for "${[name].flat().join(", ")}"`);
    this.#options = options;
    this.event = event;
  }

  toJSON(): JobMetadata["trigger"] {
    const { event, name = event.name, source = DEFAULT_SOURCE, filter = {} } = this.#options;
    const payload = mergeFilters(filter, event.filter ?? {});
    return { type: "static", title: this.#options.name ?? event.title, rule: { event: name, source, payload } };
  }

  attachToJob(): void {}

  async verifyPayload(payload: unknown): Promise<VerifyResult> {
    const verify = this.#options.verify as VerifyCallback | undefined;
    if (!verify || !(payload instanceof Request)) return { success: true };
    const { success, reason } = (await verify(payload.clone())) as { success: boolean; reason?: string };
    return success ? { success } : { success: false, reason };
  }
}

/**
 * A trigger for events sent with `client.sendEvent` or `io.sendEvent`.
 *
 * @example
 * client.defineJob({
 *   id: "greet", name: "Greet", version: "1.0.0",
 *   trigger: eventTrigger({ name: "user.created", schema: z.object({ id: z.string() }), filter: { plan: ["pro"] } }),
 *   run: async (payload, io) => io.logger.info(payload.id),
 * });
 */
export function eventTrigger<TEvent = Anything>(options: EventOptions<TEvent>): Trigger<EventSpecification<TEvent>> {
  const { name, schema, source = DEFAULT_SOURCE, filter, examples } = options;
  const event: EventSpecification<TEvent> = {
    name,
    title: "Event",
    source,
    icon: "custom-event",
    ...(examples ? { examples } : {}),
    parsePayload: (payload) => parse(schema, payload),
    validate: (payload) => validate(schema, payload),
  };
  return new EventTrigger({ event, name, source, filter });
}
