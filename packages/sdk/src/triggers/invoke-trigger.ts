// Room: triggers. Jobs that no event starts: only an explicit call or the dashboard's Test. Called by users in `defineJob`.
import type { JobMetadata } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { DEFAULT_SOURCE } from "./event-trigger.ts";
import { type PayloadSchema, parse, validate } from "./schema.ts";
import type { EventSpecification, EventSpecificationExample, Trigger, VerifyResult } from "./trigger.ts";

export interface InvokeTriggerOptions<TEvent> {
  /** Anything with `safeParse` (zod), or any Standard Schema. */
  schema?: PayloadSchema<TEvent> | undefined;
  examples?: EventSpecificationExample[] | undefined;
}

export class InvokeTrigger<TEvent> implements Trigger<EventSpecification<TEvent>> {
  readonly event: EventSpecification<TEvent>;
  readonly preprocessRuns = false;

  constructor({ schema, examples = [] }: InvokeTriggerOptions<TEvent>) {
    this.event = {
      name: "invoke",
      title: "Manual Invoke",
      source: DEFAULT_SOURCE,
      examples,
      icon: "trigger",
      parsePayload: (payload) => parse(schema, payload),
      parseInvokePayload: (payload) => parse(schema, payload),
      validate: (payload) => validate(schema, payload),
    };
  }

  toJSON(): JobMetadata["trigger"] {
    return { type: "invoke" };
  }

  attachToJob(): void {}

  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}

/**
 * A trigger for jobs that are called, not triggered.
 *
 * @example client.defineJob({ id: "report", name: "Report", version: "1.0.0", trigger: invokeTrigger(), run: async () => {} });
 */
export function invokeTrigger<TEvent = Anything>(
  options: InvokeTriggerOptions<TEvent> = {},
): Trigger<EventSpecification<TEvent>> {
  return new InvokeTrigger(options);
}
