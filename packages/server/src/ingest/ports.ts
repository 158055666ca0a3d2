// Room: ingest. What ingest is built from and what it answers; main builds the one and http serialises the other.
import type { ConnectionAuth, HandOver, RawEvent, RequestPayload, RespondResult, VerifyResult } from "@holdfast/protocol";
import type { Starting } from "../dispatch/first-claim.ts";
import type { Registry } from "../dispatch/registry.ts";
import type { Events } from "../dispatch/send.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { ConnectionOwner } from "../store/connection-rows.ts";
import type { AppRow, Bus, EventRow, Store } from "../store/store.ts";
import type { Meter } from "../views/meter.ts";
import type { BodySource } from "./read-body.ts";

/** The app could not be asked, or answered nonsense: try again later. Not a verdict. */
export interface NoAnswer {
  type: "no-answer";
  message: string;
}
export type VerifyAnswer = { type: "verified" | "refused"; result: VerifyResult; found?: Found } | NoAnswer;
/** What an app found in a request at a source: events, and what it wants to be told next time. */
export interface Found {
  events: RawEvent[];
  metadata?: unknown;
}
export type RespondAnswer = { type: "responded"; result: RespondResult } | NoAnswer;

/** What a source's handler can be given; Connections fits. `unavailable`: ask again later. */
export type Credentials =
  | { type: "found"; auth: ConnectionAuth }
  | { type: "missing" }
  | { type: "unavailable"; message: string };

/** What ingest asks of apps; execute's AppCalls fits. */
export interface AskedApps {
  /** True when this server can reach the app now (connect: a live connection here; push: it has a URL). */
  reachable(app: AppRow): boolean;
  /** Runs the endpoint's `verify`. Apps on a published v2 SDK have no such action: check `app.index?.holdfast` first. */
  verify(app: AppRow, endpointSlug: string, request: RequestPayload): Promise<VerifyAnswer>;
  /** Gives a source's app a request that arrived there. */
  handOver(app: AppRow, what: HandOver, request: RequestPayload): Promise<VerifyAnswer>;
  /** Runs the endpoint's `respondWith.handler`. */
  respond(app: AppRow, endpointSlug: string, request: RequestPayload): Promise<RespondAnswer>;
}

export interface IngestParts {
  world: Pick<World, "now" | "newId" | "sign" | "fetch" | "random" | "log" | "turn">;
  registry: Registry;
  store: Store;
  bus: Bus;
  apps: AskedApps;
  /** The runs an event starts, those claimed that this server can execute at once. */
  planRuns(event: EventRow): Starting;
  /** Events an app found in a request at a source. */
  events: Pick<Events, "send">;
  /** Credentials the server keeps, for the handlers of sources. */
  connections: { find(owner: ConnectionOwner): Promise<Credentials> };
  /** Opens the signing secrets stored for endpoints. */
  vault: Pick<Vault, "open">;
  meter: Meter;
  /** This server's id: who holds a delivery while its app is asked. */
  owner: string;
  mode: "dev" | "start";
  /** Bytes of a request's body accepted, packed and unpacked. */
  bodyBytes: number;
}

export interface InboundRequest {
  method: string;
  /** Absolute; its path names the endpoint. */
  url: string;
  headers: [string, string][];
  body: BodySource;
  /** Reads the body, at most so many bytes of it, unless too many large ones are being read. */
  reading?: <T>(most: number, read: () => Promise<T>) => Promise<T>;
  /** Does what follows once the body was read when it is a body of that size's turn. */
  inTurn?: <T>(bytes: number, act: () => Promise<T>) => Promise<T>;
}
export interface IngestAnswer {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array | null;
  /** Absent when nothing was stored. */
  deliveryId?: string;
}

export const DEFAULT_BODY_BYTES = 10 * 1024 * 1024;
