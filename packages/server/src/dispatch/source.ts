// Room: dispatch. Sources: endpoints that an app registers with another service by itself, for an integration's trigger, a webhook source, or a registration of a
// dynamic trigger (wire §3.3, §3.4). Pure: how they are named, what is to be registered, whether their app still has them. Read by registry, ingest and http.
import type { EventRule, HttpEndpointMetadata, SourceOptions } from "@holdfast/protocol";
import type { AppRow, EndpointRow } from "../store/store.ts";

/** What is kept of a source, in {@link EndpointRow.sourceText}. */
export interface SourceState {
  /** source: requests arrive at a URL of its own, and the app answers their events. webhook: at its endpoint's, and the app sends its events by itself. */
  kind: "source" | "webhook";
  /** What the app calls it. */
  key: string;
  params: unknown;
  /** The id of its integration, if the server keeps its credentials and its handler is given them. */
  hosted?: string | undefined;
  /** What is to be listened to, and what the other service was told to send. */
  desired: SourceOptions;
  registered: SourceOptions;
  /** Whether the other service knows it. */
  active: boolean;
  /** What the app noted when it registered it, and at its last request. */
  data?: unknown;
  metadata?: unknown;
  /** Of a dynamic trigger: which, under which key, and for which events. */
  dynamic?: { trigger: string; registration: string; rule: EventRule; accountId: string | null };
  /** How often its registration was asked for. */
  asked: number;
  /** How often it had been asked for when it was last registered. */
  calm?: number;
}

/** Sources share the endpoints' names; no endpoint's holds a slash. */
export const sourceSlug = (key: string): string => `source/${key}`;

/** What a registration of a dynamic trigger calls its source: one trigger may have many, of one key each. */
export function dynamicKey(trigger: string, registration: string, key: string): string {
  return `${trigger}:${registration}:${key}`;
}

/** What is kept of an endpoint, whether or not its app still has it as a source. */
export function sourceOf({ sourceText }: Pick<EndpointRow, "sourceText">): SourceState | null {
  return sourceText === null ? null : (JSON.parse(sourceText) as SourceState);
}

/** An endpoint's source, while its app has it. One that is a webhook's no longer is an endpoint like others. */
export function knownSource(app: AppRow, row: Pick<EndpointRow, "sourceText">): SourceState | null {
  const source = sourceOf(row);
  if (source?.kind !== "webhook") return source;
  return app.index?.webhooks?.some(({ key }) => key === source.key) ? source : null;
}

/** What of it is to be registered yet: names that are desired and missing, or no longer desired. */
export function optionsOf({ desired, registered }: SourceState) {
  const names = new Set([...Object.keys(desired), ...Object.keys(registered)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const [want, have] = [[...new Set(desired[name] ?? [])], registered[name] ?? []];
      const missing = want.filter((value) => !have.includes(value));
      return [name, { desired: want, missing, orphaned: have.filter((value) => !want.includes(value)) }];
    }),
  );
}

/** True when the other service knows all of it. */
export function isRegistered(state: SourceState): boolean {
  return state.active && Object.values(optionsOf(state)).every(({ missing, orphaned }) => missing.length + orphaned.length === 0);
}

/** As of an endpoint, while its app has it. Webhooks are defined as endpoints too. */
export function sourceEndpoint(app: AppRow, state: SourceState): HttpEndpointMetadata | null {
  const { key, dynamic } = state;
  const { sources = [], dynamicTriggers = [] } = app.index ?? {};
  const has = dynamic ? dynamicTriggers.some(({ id }) => id === dynamic.trigger) : sources.some((source) => source.key === key);
  if (!has) return null;
  const title = dynamic ? `${dynamic.trigger}: ${dynamic.registration}` : key;
  const event = { name: dynamic?.rule.event ?? key, title, source: dynamic?.rule.source ?? key, icon: "webhook" };
  return { id: sourceSlug(key), version: "1", enabled: true, event, source: event.source };
}
