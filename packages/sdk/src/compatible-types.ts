// Names of v2's types that programs import, for what is called otherwise here, or is part of something. Public; used nowhere else.

import type { DisplayProperty } from "@holdfast/protocol";
import type { Anything } from "./anything.ts";
import type { EventWaitedFor } from "./io/outside.ts";
import type { TriggerContext } from "./jobs/context.ts";
import type { NotificationListeners } from "./jobs/notification.ts";
import type { DynamicTriggerOptions } from "./triggers/dynamic-trigger.ts";
import type { HandlerEvent, SourceLogger } from "./triggers/external-source.ts";
import type { EventSpecificationExample } from "./triggers/trigger.ts";

/** A type written out, so that editors show what it holds. */
export type Prettify<T> = { [K in keyof T]: T[K] } & {};
export type DynamicIntervalOptions = Pick<DynamicTriggerOptions<Anything, Anything>, "id">;
export type NotificationEvents = NotificationListeners;
export type WaitForEventResult<TEvent> = EventWaitedFor<TEvent>;
export type TypedEventSpecificationExample<TEvent> = Omit<EventSpecificationExample, "payload"> & { payload: TEvent };
export type WebhookHandlerEvent<TParams = Anything> = HandlerEvent<"HTTP", TParams>;
/** How values travel: as JSON, always. */
export interface OutputSerializer {
  serialize(value: unknown): string;
  deserialize<T>(value: string): T;
}
/** What `client.on` gives. */
export interface NotificationsEventEmitter {
  on<TName extends keyof NotificationListeners>(event: TName, listener: NotificationListeners[TName]): this;
}
/** A request at an external source, as v2's handlers of before 2.1 got it. */
export type HttpSourceEvent = { url: string; method: string; headers: Record<string, string>; rawBody?: Buffer | null };
/** What v2 counted in an execution. Nothing here counts so. */
export type IOStats = Record<
  | "initialCachedTasks"
  | "lazyLoadedCachedTasks"
  | "executedTasks"
  | "cachedTaskHits"
  | "cachedTaskMisses"
  | "noopCachedTaskHits"
  | "noopCachedTaskMisses",
  number
>;
/** What v2 made its `io` of, as far as programs can know it. */
export type IOOptions = { id: string; jobId: string; context: TriggerContext; executionTimeout?: number } & Record<
  string,
  Anything
>;
/** Properties of a run, as v2's server asked for them at first; it had stopped to. */
export type PreprocessResults = { abort: boolean; properties: DisplayProperty[] };
export type TriggerPreprocessContext = Pick<TriggerContext, "job" | "environment" | "organization" | "account"> & {
  run: Pick<TriggerContext["run"], "id" | "isTest">;
  event: TriggerContext["event"];
};
/** A request as v2's first sources were given it. */
export type NormalizedRequest = {
  url: string;
  method: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  body?: Anything;
};
/** What a source is registered for, and is to be. */
export type RegisteredOptionsDiff = { desired: string[]; missing: string[]; orphaned: string[] };
export type SourceEventOption = { name: string; value: string };
/** What handlers of sources log with. */
export type Logger = SourceLogger;
