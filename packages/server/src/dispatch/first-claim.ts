// Room: dispatch. A port: runs this server is about to store and can execute at once are stored already claimed, so that they start without a claim of
// their own. Implemented by worker/first-claims.ts; called by whoever stores runs (send, ingest).
import { eventQueue } from "../store/queues.ts";
import type { IntakeResult } from "../store/store.ts";
import type { Plan } from "./plan.ts";

/** What is to be stored. Exactly one of `stored` and `dropped` must follow. */
export interface Starting extends Plan {
  /** It is on disk, except for `absent` runs: starts what was claimed, and says that the rest is due, besides work in those queues. */
  stored(besides?: string[], absent?: readonly string[]): void;
  /** It is not, or its event was there before: gives up the claims. */
  dropped(): void;
}

export interface FirstClaims {
  /** Claims those of the runs that this server has room for. */
  of(plan: Plan): Starting;
}

/**
 * Stores what starts runs, and starts them once it is on disk.
 *
 * @param environmentId of the event; who waits for it is told by any server
 * @example await storing(first.of(plan), event.environmentId, ({ runs, work }) => store.intake({ delivery: null, event, runs, work, done: null }))
 */
export async function storing(
  starting: Starting,
  environmentId: string,
  store: (plan: Plan) => Promise<IntakeResult>,
): Promise<IntakeResult> {
  const result = await store(starting).catch((error: unknown) => {
    starting.dropped();
    throw error;
  });
  if (result.type === "stored") starting.stored(result.awaited ? [eventQueue(environmentId)] : [], result.absent);
  else starting.dropped();
  return result;
}
