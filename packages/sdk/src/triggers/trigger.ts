// Room: triggers. What a trigger is to a job and to the index document. Implemented beside it; third-party triggers of v2 fit too.
import { type DisplayProperty, type FilterProblem, type JobMetadata, UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { TriggerClient } from "../client/client.ts";
import type { Job } from "../jobs/job.ts";
import type { Parsed } from "./schema.ts";

export type VerifyResult = { success: true } | { success: false; reason?: string | undefined };

/** Leaves are lists of values (any matches) or of one-operator objects (all must hold); objects go deeper. */
export type EventFilter = { [key: string]: EventMatcher | EventFilter };
type Primitive = string | number | boolean;
type ContentMatcher =
  | { $startsWith: string }
  | { $endsWith: string }
  | { $ignoreCaseEquals: string }
  | { $exists: boolean }
  | { $isNull: boolean }
  | { $anythingBut: Primitive | Primitive[] }
  | { $not: Primitive }
  | { $gt: number }
  | { $lt: number }
  | { $gte: number }
  | { $lte: number }
  | { $between: [number, number] }
  | { $includes: Primitive };
type EventMatcher = string[] | number[] | boolean[] | ContentMatcher[];

type TextMatcher = string[] | ({ $startsWith: string } | { $endsWith: string } | { $ignoreCaseEquals: string })[];
/** Which requests: every given part must match. */
export interface RequestFilter {
  method?: ("GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS")[] | undefined;
  headers?: Record<string, TextMatcher> | undefined;
  query?: Record<string, TextMatcher> | undefined;
  body?: EventFilter | undefined;
}

/** An example payload, offered when testing a job from the dashboard. */
export interface EventSpecificationExample {
  id: string;
  name: string;
  icon?: string | undefined;
  payload?: Anything;
}

export interface EventSpecification<TEvent, TInvoke = TEvent> {
  name: string | string[];
  title: string;
  source: string;
  icon: string;
  properties?: DisplayProperty[] | undefined;
  schema?: Anything;
  examples?: EventSpecificationExample[] | undefined;
  filter?: EventFilter | undefined;
  parsePayload: (payload: unknown) => TEvent;
  parseInvokePayload?: ((payload: unknown) => TInvoke) | undefined;
  runProperties?: ((payload: TEvent) => DisplayProperty[]) | undefined;
  /** Holdfast: like parsePayload, for schemas that check asynchronously; says what is wrong instead of throwing. */
  validate?: ((payload: unknown) => Promise<Parsed<TEvent>>) | undefined;
}

export interface Trigger<TEventSpec extends EventSpecification<Anything>> {
  event: TEventSpec;
  toJSON(): JobMetadata["trigger"];
  attachToJob(client: TriggerClient, job: Job<Trigger<TEventSpec>, Anything>): void;
  preprocessRuns: boolean;
  verifyPayload: (payload: ReturnType<TEventSpec["parsePayload"]>) => Promise<VerifyResult>;
}

/** The payload a job with this trigger gets. */
export type TriggerEventType<TTrigger extends Trigger<Anything>> =
  TTrigger extends Trigger<infer TEventSpec> ? ReturnType<TEventSpec["parsePayload"]> : never;
/** The payload such a job is called with. */
export type TriggerInvokeType<TTrigger extends Trigger<Anything>> =
  TTrigger extends Trigger<EventSpecification<Anything, infer TInvoke>> ? TInvoke : Anything;
export type TriggerPayload<TTrigger> = TTrigger extends Trigger<EventSpecification<infer TEvent>> ? TEvent : never;
export type EventTypeFromSpecification<TEventSpec extends EventSpecification<Anything>> =
  TEventSpec extends EventSpecification<infer TEvent> ? TEvent : never;

/**
 * A filter as it is used, or an error that names the place: what the server would refuse when the app registers is refused where it is written.
 *
 * @throws UserFacingError BAD_REQUEST
 */
export function checkedFilter<T extends object | undefined>(
  filter: T,
  problemOf: (filter: unknown) => FilterProblem | null,
  owner: string,
): T {
  const found = filter === undefined ? null : problemOf(filter);
  if (!found) return filter;
  const message = `The filter of ${owner} cannot be used (at ${found.path || "its top"}): ${found.problem}`;
  throw new UserFacingError(
    "BAD_REQUEST",
    message,
    "Leaves are lists: plain values (any of them), or operators such as { $gt: 5 } (all of them).",
  );
}
