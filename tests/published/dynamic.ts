// Tests: a dynamic schedule, jobs started by what is registered on it, and jobs that register and unregister. Written against the published SDK's types; copied
// unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "dynamic" });

const users = client.defineDynamicSchedule({ id: "users of it" });
const EVERY_SECOND = "* * * * * *";

client.defineJob({
  id: "tick",
  name: "Tick",
  version: "1.0.0",
  trigger: users,
  run: async ({ ts, lastTimestamp }, io, ctx) => {
    await io.logger.info("Tick");
    const { source, account } = ctx;
    return { ts: ts.toISOString(), last: lastTimestamp?.toISOString() ?? null, source, account, event: ctx.event.name };
  },
});

client.defineJob({
  id: "manage",
  name: "Manage",
  version: "1.0.0",
  trigger: eventTrigger({ name: "dynamic.manage" }),
  run: async (_payload: unknown, io) => {
    const cron = { type: "cron", options: { cron: "*/2 * * * * *" }, accountId: "acc", metadata: { m: [1] } } as const;
    const registered = await users.register("user/1", cron);
    const slow = await users.register("slow", { type: "interval", options: { seconds: 20 } });
    const old = [
      await io.registerCron("cron", users, "brief", { cron: EVERY_SECOND }),
      await io.unregisterCron("no cron", users, "brief"),
      await io.registerInterval("interval", users, "long", { seconds: 3600 }),
      await io.unregisterInterval("no interval", users, "long"),
    ];
    const refused = await io.try(
      async () => users.register("never", { type: "cron", options: { cron: "often" } }),
      async () => "refused",
    );
    return { registered, slow, old, refused, nothing: await users.unregister("never there") };
  },
});

client.defineJob({
  id: "end",
  name: "End",
  version: "1.0.0",
  trigger: eventTrigger({ name: "dynamic.end" }),
  run: async () => users.unregister("user/1"),
});
