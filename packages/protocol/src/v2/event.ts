// Events as they are sent, and which of them a trigger is for.
// Source: `@trigger.dev/core@2.3.19` as published; wire §1.4.
import { z } from "zod";
import { isFilterObject } from "../filter-grammar.ts";

/**
 * Event filters are open-ended objects here, taken as they came; the engine compiles and refuses bad ones. Not a record: zod builds that anew, key by key, and a
 * key `__proto__` is lost on the way, with what it asked for.
 */
export const filterSchema = z.custom<Record<string, unknown>>(isFilterObject, "A filter is an object that mirrors the payload.");

export const eventRuleSchema = z.object({
  event: z.union([z.string(), z.array(z.string())]),
  source: z.string(),
  payload: filterSchema.optional(),
  context: filterSchema.optional(),
});
export type EventRule = z.infer<typeof eventRuleSchema>;

/**
 * A moment as v2 took it: text, or epoch milliseconds. Null counts as left out: that is what JSON makes of a date that is none, and nobody who writes it
 * means 1970.
 */
export const momentSchema = z.coerce
  .date("Invalid date: give one such as 2026-03-01T09:00:00Z")
  .nullable()
  .transform((moment) => moment ?? undefined)
  .optional();

export const rawEventSchema = z.object({
  name: z.string().min(1).max(500),
  payload: z.unknown().optional(),
  context: z.unknown().optional(),
  id: z.string().min(1).max(500).optional(),
  timestamp: momentSchema,
  source: z.string().optional(),
  payloadType: z.enum(["JSON", "REQUEST"]).optional(),
});
export type RawEvent = z.infer<typeof rawEventSchema>;
