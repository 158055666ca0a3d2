// Bench of peers: all of them, ours first, by the name that --only takes.
import { bullmq } from "./bullmq.ts";
import { dbos } from "./dbos.ts";
import { graphileWorker } from "./graphile-worker.ts";
import { holdfast } from "./holdfast.ts";
import type { PeerKind } from "./peer.ts";
import { pgBoss } from "./pg-boss.ts";
import { restate } from "./restate.ts";

export const KINDS: Readonly<Record<string, PeerKind>> = {
  holdfast,
  restate,
  dbos,
  "graphile-worker": graphileWorker,
  "pg-boss": pgBoss,
  bullmq,
};
