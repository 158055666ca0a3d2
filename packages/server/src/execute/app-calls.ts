// Room: execute. What the rest of the server may ask of an app, whichever transport reaches it. Implemented by connect and push; ingest gets it passed in.
import type { IndexDocument, RunNotification } from "@holdfast/protocol";
import type { AskedApps, NoAnswer } from "../ingest/ports.ts";
import type { AppRow } from "../store/store.ts";

export type IndexAnswer = { type: "indexed"; index: IndexDocument; sdk: string | null } | NoAnswer;

/** `verify` and `respond`, as ingest asks for them, and what only this server's own rooms ask. */
export interface AppCalls extends AskedApps {
  /** As `reachable`, by any of the servers. */
  reachableByAny(app: AppRow): Promise<boolean>;
  /** Tells the app how a run ended; "taken" once it has done what it does then. */
  notify(app: AppRow, notification: RunNotification): Promise<{ type: "taken" } | NoAnswer>;
  /** Push only: PING, then INDEX_ENDPOINT at a URL. */
  index(app: { url: string; slug: string; environmentId: string }): Promise<IndexAnswer>;
}
