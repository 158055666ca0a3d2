// Tests: an app whose jobs may execute only few at a time. Every start and every end of an execution is written to APP_JOURNAL and flushed before it goes on.
import { setTimeout as pause } from "node:timers/promises";
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { openJournal } from "../journal.ts";

export type LimitedEntry = { what: "booted" } | { what: "began" | "ended"; run: string; job: string; key: string };

const journal = openJournal<LimitedEntry>(process.env.APP_JOURNAL ?? "limited.jsonl");
const client = new TriggerClient({ id: "limited" });
const together = client.defineConcurrencyLimit({ id: "together", limit: Number(process.env.TOGETHER) });

const jobs = {
  "by-key": { event: "work", concurrencyLimit: [2, together], concurrencyKey: "customer.id" },
  alone: { event: "work", concurrencyLimit: [1, together] },
  paced: { event: "paced", throttle: { limit: 5, period: 1, key: "customer.id" } },
};
for (const [job, { event, ...limits }] of Object.entries(jobs)) {
  client.defineJob({
    id: job,
    name: job,
    version: "1.0.0",
    trigger: eventTrigger({ name: event }),
    ...limits,
    run: async (payload: { customer: { id: string } }, io, ctx) => {
      const entry = { run: ctx.run.id, job, key: payload.customer.id };
      journal.write({ what: "began", ...entry });
      await io.runTask("work", () => pause(30, "done"));
      journal.write({ what: "ended", ...entry });
    },
  });
}

journal.write({ what: "booted" });
await client.connect().ready;
console.log("connected");
