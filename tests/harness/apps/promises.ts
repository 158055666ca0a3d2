// Tests: jobs that show what the engine promises, on our SDK. Reached by connect, or with MOUNT=push by HTTP through the plain Node adapter.
// APP_JOURNAL tells the test what really happened in here, in order; a job waits for a file to appear where the test has to step in.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { eventTrigger, TriggerClient } from "@holdfast/sdk";
import { createNodeHandler } from "@holdfast/sdk/node";
import { openJournal } from "../journal.ts";

export interface PromiseEntry {
  run: string;
  what: string;
}

const journal = openJournal<PromiseEntry>(process.env.APP_JOURNAL ?? "app.jsonl");
const client = new TriggerClient({ id: "promises" });

async function appears(file: string): Promise<void> {
  while (!existsSync(file)) await pause(10);
}

client.defineJob({
  id: "guarded-wait",
  name: "Waits inside try, catch and finally",
  version: "1.0.0",
  trigger: eventTrigger({ name: "guarded-wait" }),
  run: async (_payload: unknown, io, ctx) => {
    const write = (what: string) => journal.write({ run: ctx.run.id, what });
    let caught = false;
    try {
      write("before");
      await io.wait("in try", 1);
      await Promise.allSettled([io.wait("settled", 0.5)]);
      write("after");
    } catch {
      caught = true;
      write("caught");
    } finally {
      write("finally");
    }
    await Promise.race([io.wait("raced", 0.3), new Promise(() => {})]).catch(() => write("race caught"));
    return { caught };
  },
});

client.defineJob({
  id: "all-at-once",
  name: "Ten tasks that need each other",
  version: "1.0.0",
  trigger: eventTrigger({ name: "all-at-once" }),
  run: async (payload: { width: number }, io, ctx) => {
    let inside = 0;
    let open: () => void = () => {};
    const everybody = new Promise<void>((resolve) => {
      open = resolve;
    });
    const one = (i: number) =>
      io.runTask(`task ${i}`, async () => {
        journal.write({ run: ctx.run.id, what: `task ${i}` });
        inside += 1;
        if (inside === payload.width) open();
        await everybody;
        return i;
      });
    const [numbers] = await Promise.all([
      Promise.all(Array.from({ length: payload.width }, (_, i) => one(i))),
      io.wait("beside them", 0.5),
    ]);
    return numbers;
  },
});

client.defineJob({
  id: "timeout-race",
  name: "Work against a timeout",
  version: "1.0.0",
  trigger: eventTrigger({ name: "timeout-race" }),
  run: async (_payload: unknown, io, ctx) => {
    const timeout = io.wait("timeout", 0.5).then(() => "timeout");
    const winner = await Promise.race([timeout, io.runTask("work", async () => "work").then((value) => value)]);
    journal.write({ run: ctx.run.id, what: winner });
    await io.wait("afterwards", 1);
    return winner;
  },
});

client.defineJob({
  id: "sleeper",
  name: "Sleeps",
  version: "1.0.0",
  trigger: eventTrigger({ name: "sleeper" }),
  run: async (payload: { seconds: number }, io) => {
    const from = await io.runTask("from", async () => Date.now());
    await io.wait("sleep", payload.seconds);
    const to = await io.runTask("to", async () => Date.now());
    return { slept: to - from };
  },
});

client.defineJob({
  id: "two-steps",
  name: "Two steps, the first ends when a file appears",
  version: "1.0.0",
  trigger: eventTrigger({ name: "two-steps" }),
  run: async (payload: { file: string }, io, ctx) => {
    const write = (what: string) => journal.write({ run: ctx.run.id, what });
    await io.runTask("first", async () => {
      write("first started");
      await appears(payload.file);
      write("first ended");
    });
    return io.runTask("second", async () => {
      write("second started");
      return "done";
    });
  },
});

client.defineJob({
  id: "fails-once",
  name: "Fails until a file appears",
  version: "1.0.0",
  trigger: eventTrigger({ name: "fails-once" }),
  run: async (payload: { file: string }, io) => {
    if (!existsSync(payload.file)) throw new Error("not yet");
    return io.runTask("done", async () => "done");
  },
});

client.defineJob({
  id: "where",
  name: "Says which process ran it",
  version: "1.0.0",
  trigger: eventTrigger({ name: "where" }),
  run: async (payload: { steps: number; stepMs: number }, io, ctx) => {
    for (let i = 0; i < payload.steps; i++) {
      await io.runTask(`step ${i}`, async () => {
        journal.write({ run: ctx.run.id, what: `step ${i}` });
        await pause(payload.stepMs);
      });
    }
    return { pid: process.pid };
  },
});

async function mount(): Promise<void> {
  if (process.env.MOUNT !== "push") return client.connect().ready;
  const server = createServer(createNodeHandler(client));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answer = await fetch(`${process.env.TRIGGER_API_URL}/api/v1/endpoints`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.TRIGGER_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ id: client.id, url }),
  });
  if (!answer.ok) throw new Error(`refused: ${answer.status} ${await answer.text()}`);
}

await mount();
console.log("mounted");
