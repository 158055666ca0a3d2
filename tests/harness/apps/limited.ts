// Tests: an app whose jobs may execute only few at a time. Every start and every end of an execution is written to APP_JOURNAL and flushed before it goes on.
import { setTimeout as pause } from "node:timers/promises";
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { openJournal } from "../journal.ts";

export type LimitedEntry = { what: "booted" } | { what: "began" | "ended"; run: string; job: string; key: string };

const journal = openJournal<LimitedEntry>(process.env.APP_JOURNAL ?? "limited.jsonl");
const client = new TriggerClient({ id: "limited" });
const together = client.defineConcurrencyLimit({ id: "together", limit: Number(process.env.TOGETHER) });

for (const job of ["by-key", "alone"]) {
  client.defineJob({
    id: job,
    name: job,
    version: "1.0.0",
    trigger: eventTrigger({ name: "work" }),
    ...(job === "alone"
      ? { concurrencyLimit: [1, together] }
      : { concurrencyLimit: [2, together], concurrencyKey: "customer.id" }),
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
