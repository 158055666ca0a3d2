// Addresses that an app's integrations register with other services by themselves: external sources, webhook sources, dynamic triggers.
// Source: `@trigger.dev/core@2.3.19` as published; wire §1.4, §1.9, §2.11, §3.3, §3.4.
import { z } from "zod";
import type { ConnectionAuth } from "./connection.ts";
import { eventRuleSchema, rawEventSchema } from "./event.ts";

/** What is to be listened to, by the names the other service gives it: `{event: ["issues"]}`. */
export const sourceOptionsSchema = z.record(z.string(), z.array(z.string()));
export type SourceOptions = z.infer<typeof sourceOptionsSchema>;

const registerJobSchema = z.object({ id: z.string(), version: z.string() });

export const sourceMetadataSchema = z.looseObject({
  /** Absent from SDKs before 2.1, which are not served. */
  version: z.string().optional(),
  channel: z.string(),
  key: z.string().min(1),
  params: z.unknown(),
  options: sourceOptionsSchema.default({}),
  integration: z.looseObject({ id: z.string(), authSource: z.string().optional() }).optional().catch(undefined),
  registerSourceJob: registerJobSchema.optional(),
});
export type SourceMetadata = z.infer<typeof sourceMetadataSchema>;

export const webhookMetadataSchema = z.looseObject({
  key: z.string().min(1),
  params: z.unknown(),
  config: sourceOptionsSchema.default({}),
  httpEndpoint: z.object({ id: z.string() }),
});
export type WebhookMetadata = z.infer<typeof webhookMetadataSchema>;

export const dynamicTriggerMetadataSchema = z.looseObject({
  id: z.string().min(1),
  jobs: z.array(z.object({ id: z.string(), version: z.string() })).default([]),
  registerSourceJob: registerJobSchema.optional(),
});

/** Registers a key on a dynamic trigger. */
export const registerTriggerBodySchema = z.object({
  rule: eventRuleSchema,
  source: sourceMetadataSchema,
  accountId: z.string().optional(),
});
export type RegisterTriggerBody = z.infer<typeof registerTriggerBodySchema>;

/** What a register job says of a source once the other service knows it. */
export const updateSourceBodySchema = z.object({
  key: z.string(),
  secret: z.string().optional(),
  data: z.unknown().optional(),
  options: sourceOptionsSchema,
});
export type UpdateSourceBody = z.infer<typeof updateSourceBodySchema>;

export const updateWebhookBodySchema = z.discriminatedUnion("active", [
  z.object({ key: z.string(), active: z.literal(false) }),
  z.object({ key: z.string(), active: z.literal(true), config: sourceOptionsSchema }),
]);
export type UpdateWebhookBody = z.infer<typeof updateWebhookBodySchema>;

type OptionDiff = { desired: string[]; missing: string[]; orphaned: string[] };
/** The payload of a register job's event: what is to be registered, and where. */
export type RegisterSourceEvent = {
  id: string;
  source: {
    key: string;
    params: unknown;
    active: boolean;
    secret: string;
    data?: unknown;
    channel: { type: "HTTP"; url: string };
  };
  options: { event: OptionDiff } & Record<string, OptionDiff>;
  dynamicTriggerId?: string;
};
export interface RegisterWebhookEvent {
  active: boolean;
  url: string;
  secret: string;
  params: unknown;
  config: { current: SourceOptions; desired: SourceOptions };
}

export const REGISTER_SOURCE_EVENT = "dev.trigger.source.register.v2";
export const registerWebhookEvent = (key: string): string => `dev.trigger.webhook.register.${key}`;

/** A request that arrived at such an address, handed to the app: what the app must know besides the request. */
export interface HandOver {
  kind: "source" | "webhook";
  key: string;
  dynamicId?: string | undefined;
  secret: string;
  params: unknown;
  data?: unknown;
  /** What its integration acts with, if the server keeps it; of a source only, as on v2. */
  auth?: ConnectionAuth | undefined;
  metadata?: unknown;
}

/** What the app makes of it. A webhook's app sends its events by itself. */
export const sourceAnswerSchema = z.object({
  events: z.array(rawEventSchema).default([]),
  response: z.looseObject({ status: z.number() }).optional(),
  metadata: z.unknown().optional(),
});
export const webhookAnswerSchema = z.object({ verified: z.boolean(), error: z.string().nullish() });
