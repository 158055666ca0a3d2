// Room: triggers. Jobs that run when an event of a given name is sent. Called by users in `defineJob`.
import { filterProblem, type JobMetadata } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { type PayloadSchema, parse, validate } from "./schema.ts";
import {
  checkedFilter,
  type EventFilter,
  type EventSpecification,
  type EventSpecificationExample,
  type Trigger,
  type VerifyResult,
} from "./trigger.ts";

/** The source of events sent without one, and of triggers that name none. */
export const DEFAULT_SOURCE = "trigger.dev";

export interface EventTriggerOptions<TEvent> {
  /** Matches exactly, case included; any one of a list. */
  name: string | string[];
  /** Anything with `safeParse` (zod), or any Standard Schema. Payloads that do not fit make the run INVALID_PAYLOAD. */
  schema?: PayloadSchema<TEvent> | undefined;
  /** Must equal the event's source; both default to "trigger.dev". */
  source?: string | undefined;
  filter?: EventFilter | undefined;
  examples?: EventSpecificationExample[] | undefined;
}

export class EventTrigger<TEvent> implements Trigger<EventSpecification<TEvent>> {
  readonly event: EventSpecification<TEvent>;
  readonly preprocessRuns = false;
  readonly #options: EventTriggerOptions<TEvent>;

  constructor(options: EventTriggerOptions<TEvent>) {
    const { name, schema, source = DEFAULT_SOURCE, examples } = options;
    checkedFilter(options.filter, filterProblem, `the trigger for "${[name].flat().join(", ")}"`);
    this.#options = options;
    this.event = {
      name,
      title: "Event",
      source,
      icon: "custom-event",
      ...(examples ? { examples } : {}),
      parsePayload: (payload) => parse(schema, payload),
      validate: (payload) => validate(schema, payload),
    };
  }

  toJSON(): JobMetadata["trigger"] {
    const { name, filter = {} } = this.#options;
    return { type: "static", title: name, rule: { event: name, source: this.event.source, payload: filter } };
  }

  attachToJob(): void {}

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
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
export function eventTrigger<TEvent = Anything>(options: EventTriggerOptions<TEvent>): Trigger<EventSpecification<TEvent>> {
  return new EventTrigger(options);
}
