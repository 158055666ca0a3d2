// Bench: our app, connected by WebSocket as any app is, with nothing set that is not a default.
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { sleeper, steps, tell } from "./tell.mjs";

const client = new TriggerClient({ id: "bench" });
const job = (id, run) => client.defineJob({ id, name: id, version: "1.0.0", trigger: eventTrigger({ name: id }), run });

job("noop", async ({ id }) => tell({ job: "noop", id }));
job("steps", (payload, io) => steps(payload, (i) => io.runTask(`step ${i}`, async () => i)));
job("sleep", (payload, io) => sleeper(payload, (ms) => io.wait("until due", ms / 1000)));

await client.connect().ready;
console.log("ready");
