// Room: worker. The first claim of a run, made before it is stored: a run whose app has room on this server is stored executing, its work leased to this
// server. That spares it a claim, which costs a transaction of its own. Called through dispatch's port by whoever stores runs.
// Promises: room is taken when it is promised and given back if the run is not stored; a crash in between leaves a lease that expires, as any claim does.
import type { FirstClaims as Port, Starting } from "../dispatch/first-claim.ts";
import type { Plan } from "../dispatch/plan.ts";
import type { Registry } from "../dispatch/registry.ts";
import type { Executor } from "../execute/executor.ts";
import { LEASE_MS } from "../execute/lease.ts";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { PlannedRun, RunRow } from "../store/store.ts";
import { makeToken } from "../tasks/report.ts";
import type { News } from "./news.ts";

export interface FirstClaimsNeeds {
  world: World;
  registry: Registry;
  runs: Runs;
  executor: Executor;
  news: News;
  /** Work of these queues is due. */
  wake: (queues: string[]) => void;
  /** Names this server in leases. */
  owner: string;
}

interface Claimed {
  run: RunRow;
  token: string;
}

export class FirstClaims implements Port {
  constructor(private readonly needs: FirstClaimsNeeds) {}

  of(plan: Plan): Starting {
    const { executor, news, owner, wake, world } = this.needs;
    const claimed = new Map<string, Claimed>();
    for (const run of plan.runs) {
      const own = this.#claim(run);
      if (own) claimed.set(run.id, own);
    }
    const until = world.now() + LEASE_MS;
    const queued = plan.work.filter(({ id }) => !claimed.has(id));
    const release = (): void => {
      for (const { run } of claimed.values()) executor.release(run.appId, 1);
    };
    return {
      runs: plan.runs.map((run) => claimed.get(run.id)?.run ?? run),
      work: plan.work.map((work) => {
        const own = claimed.get(work.id);
        return own ? { ...work, dueAt: until, token: own.token, owner } : work;
      }),
      stored: (besides = [], absent = []) => {
        release();
        for (const run of plan.runs) if (!absent.includes(run.id)) news.run(claimed.get(run.id)?.run ?? run);
        for (const { run, token } of claimed.values()) executor.begin(run, token);
        if (queued.length + besides.length > 0) wake([...new Set([...queued.map(({ queue }) => queue), ...besides])]);
      },
      dropped: () => {
        release();
        // Work that found no room meanwhile may find it now.
        wake([...new Set([...claimed.values()].map(({ run }) => run.appId))]);
      },
    };
  }

  /** The run as claimed by this server; null when its app has no room here, or when it has to ask for slots or at a door first. */
  #claim(run: PlannedRun): Claimed | null {
    const { world, registry, runs, executor } = this.needs;
    const app = registry.app(run.appId);
    if (!app || run.flow || run.door || executor.room(app) < 1) return null;
    const token = makeToken(world, run.id);
    const claimed = runs.bornClaimed(run, token);
    if (!claimed) return null;
    executor.reserve(app.id, 1);
    return { run: claimed, token };
  }
}
