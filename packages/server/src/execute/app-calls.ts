// Room: execute. What the rest of the server may ask of an app, whichever transport reaches it. Implemented by connect and push; ingest gets it passed in.
import type { IndexDocument, RequestPayload, RespondResult, VerifyResult } from "@holdfast/protocol";
import type { AppRow } from "../store/store.ts";

/** The app could not be asked, or answered nonsense: try again later. Not a verdict. */
export interface NoAnswer {
  type: "no-answer";
  message: string;
}
export type VerifyAnswer = { type: "verified" | "refused"; result: VerifyResult } | NoAnswer;
export type RespondAnswer = { type: "responded"; result: RespondResult } | NoAnswer;
export type IndexAnswer = { type: "indexed"; index: IndexDocument; sdk: string | null } | NoAnswer;

export interface AppCalls {
  /** True when this server can reach the app now (connect: a live connection here; push: it has a URL). */
  reachable(app: AppRow): boolean;
  /** Runs the endpoint's `verify`. Apps on a published v2 SDK have no such action: check `app.index?.holdfast` first. */
  verify(app: AppRow, endpointSlug: string, request: RequestPayload): Promise<VerifyAnswer>;
  /** Runs the endpoint's `respondWith.handler`. */
  respond(app: AppRow, endpointSlug: string, request: RequestPayload): Promise<RespondAnswer>;
  /** Push only: PING, then INDEX_ENDPOINT at a URL. */
  index(app: { url: string; slug: string; environmentId: string }): Promise<IndexAnswer>;
}
