// Bench: the app, a process of its own, connected as any app is. It tells the bench of every finished run by one line on stdout: {job, …times}.
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { Webhook } from "svix";
import { sharedClock } from "./statistics.ts";

const client = new TriggerClient({ id: "bench" });
const webhook = new Webhook(process.env.BENCH_SECRET ?? "");

/** Every field in shared-clock milliseconds. */
export interface Told {
  job: string;
  /** When the body's `sentAt` says the webhook left. */
  sentAt?: number;
  firstStepAt?: number;
  lastStepDoneAt?: number;
  /** Milliseconds of each step. */
  steps?: number[];
  /** Milliseconds after it was to wake. */
  lateMs?: number;
}
const tell = (told: Told) => process.stdout.write(`${JSON.stringify(told)}\n`);

const endpoint = client.defineHttpEndpoint({
  id: "bench",
  source: "bench",
  verify: async (request: Request) => {
    try {
      webhook.verify(await request.text(), Object.fromEntries(request.headers));
      return { success: true };
    } catch (error) {
      return { success: false, reason: String(error) };
    }
  },
});

client.defineJob({
  id: "hook",
  name: "Hook",
  version: "1.0.0",
  trigger: endpoint.onRequest(),
  run: async (request, io) => {
    const { sentAt }: { sentAt: number } = await request.json();
    const firstStepAt = await io.runTask("first", async () => sharedClock());
    tell({ job: "hook", sentAt, firstStepAt });
  },
});

client.defineJob({
  id: "no-op",
  name: "No-op",
  version: "1.0.0",
  trigger: eventTrigger({ name: "no-op" }),
  run: async () => tell({ job: "no-op" }),
});

client.defineJob({
  id: "steps",
  name: "Steps",
  version: "1.0.0",
  trigger: eventTrigger({ name: "steps" }),
  run: async (payload: { steps: number }, io) => {
    const times: number[] = [];
    const firstStepAt = sharedClock();
    let from = firstStepAt;
    for (let i = 0; i < payload.steps; i++) {
      await io.runTask(`step ${i}`, async () => i);
      const done = sharedClock();
      times.push(done - from);
      from = done;
    }
    tell({ job: "steps", firstStepAt, lastStepDoneAt: from, steps: times });
  },
});

client.defineJob({
  id: "sleep",
  name: "Sleep",
  version: "1.0.0",
  trigger: eventTrigger({ name: "sleep" }),
  run: async ({ due }: { due: number }, io) => {
    await io.wait("until due", Math.max(0, due - Date.now()) / 1_000);
    tell({ job: "sleep", lateMs: Date.now() - due });
  },
});

await client.connect().ready;
console.log("connected");
