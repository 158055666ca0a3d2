// Room: io. What `io` waits for outside of the run: how it is given, shown and read back. Names, icons and labels are v2's. Used by run-io.ts.
import type { DisplayProperty } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { RedactString } from "../objects.ts";
import { InvalidPayload, type PayloadSchema, validate } from "../triggers/schema.ts";
import type { EventFilter } from "../triggers/trigger.ts";
import type { RetryOptions, RunTaskOptions } from "./task.ts";

/** The event `io.waitForEvent` waits for. */
export interface AwaitedEvent<T = Anything> {
  /** Exactly this name, or any of these. */
  name: string | string[];
  /** The payload must fit it, or the task throws. */
  schema?: PayloadSchema<T> | undefined;
  filter?: EventFilter | undefined;
  /** Default "trigger.dev". */
  source?: string | undefined;
  contextFilter?: EventFilter | undefined;
  /** Only events sent with this account. */
  accountId?: string | undefined;
}
export type EventWaitedFor<T = Anything> = {
  id: string;
  name: string;
  source: string;
  payload: T;
  timestamp: Date;
  context?: Anything;
  accountId?: string;
};

export type FetchRequestInit = {
  method?: string | undefined;
  /** A `redactString` is sent as it is and shown as ********. */
  headers?: Record<string, string | RedactString> | undefined;
  /** Bytes must be UTF-8: what is asked for is kept as text. */
  body?: string | ArrayBuffer | undefined;
};
/** When an answer of that status ("429", "5xx", "500-599", "401,403", "all") is asked for again; the first that fits counts. */
export type FetchRetryOptions = Record<
  string,
  | (RetryOptions & { strategy: "backoff"; bodyFilter?: EventFilter | undefined })
  | {
      strategy: "headers";
      limitHeader?: string | undefined;
      remainingHeader?: string | undefined;
      /** The header that says when it may be asked again. */
      resetHeader: string;
      /** Default "unix_timestamp". */
      resetFormat?: "unix_timestamp" | "unix_timestamp_in_ms" | "iso_8601" | "iso_8601_duration_openai_variant" | undefined;
      bodyFilter?: EventFilter | undefined;
    }
>;
export interface BackgroundFetchOptions {
  retry?: FetchRetryOptions | undefined;
  timeout?: { durationInMs: number; retry?: RetryOptions | undefined } | undefined;
}
export type BackgroundFetchResponse<T> = {
  status: number;
  data: T;
  headers: Record<string, string>;
};
export interface BackgroundPoll {
  url: string;
  requestInit?: FetchRequestInit | undefined;
  /** Which answer ends the poll: all that is given must fit. */
  responseFilter: { status?: number[] | undefined; headers?: EventFilter | undefined; body?: EventFilter | undefined };
  /** Seconds between two tries. Default 10. */
  interval?: number | undefined;
  /** Seconds after which it fails. Default 600. */
  timeout?: number | undefined;
  requestTimeout?: { durationInMs?: number | undefined; retry?: RetryOptions | undefined } | undefined;
}

/** Labels and texts; what is undefined is not shown. */
export function propertiesOf(shown: Record<string, string | undefined>): DisplayProperty[] {
  return Object.entries(shown).flatMap(([label, text]) => (text === undefined ? [] : [{ label, text }]));
}

/** @throws TypeError when its body is no text */
function asText(init: FetchRequestInit | undefined): FetchRequestInit | undefined {
  if (!(init?.body instanceof ArrayBuffer)) return init;
  return { ...init, body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(init.body) };
}

export function fetchTask(
  operation: "fetch" | "fetch-response",
  url: string,
  requestInit: FetchRequestInit | undefined,
  { retry, timeout }: BackgroundFetchOptions,
): RunTaskOptions {
  const { hostname, pathname } = new URL(url);
  const properties = propertiesOf({
    method: requestInit?.method ?? "GET",
    background: "true",
    timeout: timeout && `${timeout.durationInMs}ms`,
  });
  return {
    name: `fetch ${operation === "fetch" ? "" : "response "}${hostname}${pathname}`,
    icon: "background",
    operation,
    params: { url, requestInit: asText(requestInit), retry, timeout },
    properties: [{ label: "url", text: url, url }, ...properties],
  };
}

export function pollTask(poll: BackgroundPoll): RunTaskOptions {
  const { hostname, pathname } = new URL(poll.url);
  const { interval = 10, timeout = 600 } = poll;
  return {
    name: `poll ${hostname}${pathname}`,
    icon: "clock-bolt",
    operation: "fetch-poll",
    params: { ...poll, requestInit: asText(poll.requestInit), interval, timeout },
    properties: propertiesOf({ url: poll.url, interval: `${interval}s`, timeout: `${timeout}s` }),
  };
}

/** @throws InvalidPayload when the payload does not fit the schema */
export async function checkedEvent<T>(
  event: EventWaitedFor<T>,
  schema: PayloadSchema<T> | undefined,
): Promise<EventWaitedFor<T>> {
  const read = await validate(schema, event.payload);
  if (read.ok) return { ...event, payload: read.value };
  throw new InvalidPayload(read.issues);
}

/** The event as it was posted, its time as a date. */
export function reviveEvent(output: unknown): EventWaitedFor {
  const event = output as EventWaitedFor & { timestamp: string | Date };
  return { ...event, timestamp: new Date(event.timestamp) };
}
