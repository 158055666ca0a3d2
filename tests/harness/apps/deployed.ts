// Tests: a deployment of an app whose jobs are those named in JOBS, each started by the event of its name; they say which deployment ran them.
import { eventTrigger, TriggerClient } from "@holdfast/sdk";

const client = new TriggerClient({ id: "deployed" });
for (const id of (process.env.JOBS ?? "").split(",")) {
  client.defineJob({
    id,
    name: id,
    version: "1.0.0",
    trigger: eventTrigger({ name: id }),
    run: async (_payload, io) => io.runTask("say", async () => process.env.JOBS),
  });
}
await client.connect().ready;
console.log("connected");
