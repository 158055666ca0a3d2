// Names of v2's types that programs import, for what is called otherwise here, or is part of something. Public; used nowhere else.

import type { Anything } from "./anything.ts";
import type { EventWaitedFor } from "./io/outside.ts";
import type { NotificationListeners } from "./jobs/notification.ts";
import type { DynamicTriggerOptions } from "./triggers/dynamic-trigger.ts";
import type { HandlerEvent } from "./triggers/external-source.ts";
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
