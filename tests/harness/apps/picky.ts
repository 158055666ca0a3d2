// Tests: an app whose jobs do not start for every event, and one that is busy with one run at a time. Every start is written to APP_JOURNAL and flushed
// before the run goes on. A run with `hold` in its payload goes on once there is a file of that name.
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { openJournal } from "../journal.ts";

export interface PickyPayload {
  key: string;
  n: number;
  urgency?: number;
  hold?: string;
}
export type PickyEntry = { run: string; job: string } & PickyPayload;

const journal = openJournal<PickyEntry>(process.env.APP_JOURNAL ?? "picky.jsonl");
const client = new TriggerClient({ id: "picky" });

export const RATE = { limit: 3, period: 1 };
const jobs = {
  rated: { rateLimit: { ...RATE, key: "key" } },
  latest: { debounce: { period: 1.5, key: "key" } },
  keyed: { concurrencyLimit: [2, client.defineConcurrencyLimit({ id: "keys", limit: 3 })], concurrencyKey: "key" },
  urgent: { priority: "urgency" },
};
for (const [job, limits] of Object.entries(jobs)) {
  client.defineJob({
    id: job,
    name: job,
    version: "1.0.0",
    trigger: eventTrigger({ name: job }),
    ...limits,
    run: async (payload: PickyPayload, io, ctx) => {
      journal.write({ run: ctx.run.id, job, ...payload });
      await io.runTask("work", async () => {
        while (payload.hold && !existsSync(payload.hold)) await pause(20);
      });
      return payload.n;
    },
  });
}

await client.connect({ concurrency: Number(process.env.APP_CONCURRENCY ?? 20) }).ready;
console.log("connected");
