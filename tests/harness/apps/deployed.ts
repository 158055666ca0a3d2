// Tests: a deployment of an app whose jobs are those named in JOBS, each started by the event of its name; they say which deployment ran them. And an
// endpoint that is asked while its sender waits.
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
client.defineHttpEndpoint({
  id: "asked",
  source: "test",
  answer: "verified",
  verify: async (request) => ({ success: request.headers.get("x-key") === "right" }),
  respondWith: { filter: { method: ["GET"] }, handler: async () => new Response("the challenge") },
});
await client.connect().ready;
console.log("connected");
