// Room: dispatch. A port: runs this server is about to store and can execute at once are stored already claimed, so that they start without a claim of
// their own. Implemented by worker/first-claims.ts; called by whoever stores runs (send, ingest).
import type { Plan } from "./plan.ts";

/** What is to be stored. Exactly one of `stored` and `dropped` must follow. */
export interface Starting extends Plan {
  /** It is on disk: starts what was claimed, and says that the rest is due. */
  stored(): void;
  /** It is not, or its event was there before: gives up the claims. */
  dropped(): void;
}

export interface FirstClaims {
  /** Claims those of the runs that this server has room for. */
  of(plan: Plan): Starting;
}
