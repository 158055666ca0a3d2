// Tests: an app of which one is a bad neighbour and another a good one. What it does is written to APP_JOURNAL before it goes on. While there is no file
// APP_HOLD, its job "slow" does not end, nor does its endpoint "hook" say whether requests are genuine if APP_DOUBTS is set; without APP_HOLD nothing is held up.
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { openJournal } from "../journal.ts";

export interface NeighbourEntry {
  did: "slow" | "brief" | "hook" | "heard" | "fetched";
}

const { APP_HOLD: hold, APP_JOURNAL: file = "neighbour.jsonl", APP_ID: id = "neighbour" } = process.env;
const journal = openJournal<NeighbourEntry>(file);
const client = new TriggerClient({ id });
const did = (what: NeighbourEntry["did"]): void => journal.write({ did: what });
async function held(): Promise<void> {
  while (hold && !existsSync(hold)) await pause(50);
}
const event = (name: string) => ({ name, version: "1.0.0", trigger: eventTrigger({ name: `${id}.${name}` }) });

client.defineJob({
  id: `${id}-slow`,
  ...event("slow"),
  run: async (_payload, io) => {
    did("slow");
    await io.runTask("held", held);
  },
});
// Its limit makes it ask for a slot, so that it is always claimed from the queue.
client.defineJob({ id: `${id}-brief`, ...event("brief"), concurrencyLimit: 10, run: async () => did("brief") });
client.defineJob({
  id: `${id}-fetches`,
  ...event("fetches"),
  run: async (payload: { url: string; count: number }, io) => {
    const urls = Array.from({ length: payload.count }, (_, n) => `fetch ${n}`);
    await Promise.all(urls.map((key) => io.backgroundFetch(key, payload.url)));
    did("fetched");
  },
});
const hook = client.defineHttpEndpoint({
  id: `${id}-hook`,
  source: `${id}.test`,
  verify: async () => {
    did("hook");
    if (process.env.APP_DOUBTS) await held();
    return { success: true };
  },
});
client.defineJob({
  id: `${id}-hears`,
  name: "hears",
  version: "1.0.0",
  trigger: hook.onRequest(),
  run: async () => did("heard"),
});

await client.connect({ concurrency: 5 }).ready;
console.log("connected");
