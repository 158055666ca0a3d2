// Bench: an app reached by push, in a process of its own, started by push.ts: runs of steps whose reports travel as BENCH_REPORTS says, over the stream or,
// for comparison, each by a request. It tells of every finished run by one line on stdout.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { createNodeHandler } from "@holdfast/sdk/node";
import { realRuntime } from "../packages/sdk/src/runtime/real.ts";
import type { Runtime } from "../packages/sdk/src/runtime/runtime.ts";
import { sharedClock } from "./statistics.ts";

/** A runtime without WebSockets, as on some edge platforms: every report is posted. */
const posting: Runtime = {
  ...realRuntime,
  dial: () => {
    throw new Error("no WebSockets here");
  },
};

const id = `push-${process.env.BENCH_REPORTS}`;
const client = new TriggerClient({ id, runtime: process.env.BENCH_REPORTS === "posted" ? posting : realRuntime });

client.defineJob({
  id,
  name: "Steps",
  version: "1.0.0",
  trigger: eventTrigger({ name: id }),
  run: async (payload: { steps: number }, io) => {
    const times: number[] = [];
    let from = sharedClock();
    for (let i = 0; i < payload.steps; i++) {
      await io.runTask(`step ${i}`, async () => i);
      const done = sharedClock();
      times.push(done - from);
      from = done;
    }
    console.log(JSON.stringify({ job: id, steps: times }));
  },
});

const server = createServer(createNodeHandler(client)).listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = await fetch(`${process.env.TRIGGER_API_URL}/api/v1/endpoints`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.TRIGGER_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ id, url }),
  });
  console.log(answer.ok ? "registered" : `refused: ${answer.status} ${await answer.text()}`);
});
