// Room: http. For tests: claims a run the way the worker does, so that it executes under a token.

import { Runs } from "../runs/change.ts";
import type { RunChange } from "../store/store.ts";
import { makeToken } from "../tasks/report.ts";
import type { Fixture } from "./fixture.test.mts";

export async function runTokenFor({ store, world, registry }: Fixture, runId: string): Promise<string> {
  const runs = new Runs(world, store);
  const until = world.now() + 60_000;
  const queues = registry.apps().map((app) => ({ queue: app.id, limit: 200 }));
  const claim = await store.claim(
    { queues, now: world.now(), leaseUntil: until, owner: "test", newToken: (id) => makeToken(world, id) },
    (run, token): RunChange | null =>
      run.id === runId ? runs.claimed(run, { token, owner: "test", until }, { type: "claimed", token }) : null,
  );
  const mine = claim.items.find((item) => item.kind === "run" && item.run.id === runId);
  if (!mine) throw new Error(`run ${runId} was not due`);
  return mine.token;
}
