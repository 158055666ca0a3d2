// Tests: jobs started by time, written against the published SDK's types; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { cronTrigger, intervalTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "scheduled" });

client.defineJob({
  id: "every-two-seconds",
  name: "Every two seconds",
  version: "1.0.0",
  enabled: process.env.SCHEDULED !== "off",
  trigger: cronTrigger({ cron: "*/2 * * * * *" }),
  run: async ({ ts, lastTimestamp }, io, ctx) => {
    await io.logger.info("Tick");
    return { ts: ts.toISOString(), last: lastTimestamp?.toISOString() ?? null, source: typeof ctx.source?.id };
  },
});

client.defineJob({
  id: "at-times",
  name: "At times",
  version: "1.0.0",
  trigger: intervalTrigger({ seconds: 20 }),
  run: async ({ ts }) => ({ ts: ts.toISOString() }),
});
