// Tests: one job that uses what v2 users use most: retry, nested and parallel tasks, try, wait, yield, events, logs. Written against the published SDK's types;
// copied unchanged to where `@trigger.dev/sdk` is the published package, and to where it is ours. Both must give the same result.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "features" });

const quick = { limit: 5, factor: 1, minTimeoutInMs: 50, maxTimeoutInMs: 100, randomize: false };

client.defineJob({
  id: "features",
  name: "Features",
  version: "1.0.0",
  trigger: eventTrigger({ name: "features.asked" }),
  run: async (payload: { n: number }, io, ctx) => {
    await io.logger.info("Asked", { n: payload.n });

    const retried = await io.runTask(
      "retried",
      async (task) => {
        if (task.attempts < 3) throw new Error(`attempt ${task.attempts} fails`);
        return { attempts: task.attempts };
      },
      { name: "Retried", retry: quick },
    );

    const nested = await io.runTask(
      "outer",
      async (_task, inner) => {
        const a = await inner.runTask("a", async () => payload.n + 1, { name: "Inner a" });
        const b = await inner.runTask("b", async () => a * 2, { name: "Inner b" });
        return { a, b };
      },
      { name: "Outer" },
    );

    const caught = await io.try(
      () => io.runTask("fails", async (): Promise<string> => Promise.reject(new Error("no")), { name: "Fails" }),
      async (error) => `caught ${error instanceof Error ? error.message : String(error)}`,
    );

    await io.wait("a moment", 1);
    io.yield("once");

    const parallel = await io.parallel(
      "each",
      [1, 2, 3],
      async (item) => io.runTask(`item ${item}`, async () => item * payload.n, { name: `Item ${item}` }),
      { name: "Each" },
    );

    const sent = await io.sendEvent("tell", { name: "features.told", payload: { n: payload.n } });
    const nothing = await io.runTask("nothing", async () => undefined, { name: "Nothing" });
    const odd = await io.runTask("odd", async () => ({ zero: -0, text: "\u2028\ud83d\ude00", list: [null, 1.5], nil: null }), {
      name: "Odd",
    });

    return { retried, nested, caught, parallel, told: sent.name, nothing: nothing === undefined, odd, job: ctx.job.id };
  },
});

client.defineJob({
  id: "told",
  name: "Told",
  version: "1.0.0",
  trigger: eventTrigger({ name: "features.told", filter: { n: [{ $gt: 1 }] } }),
  run: async (payload: { n: number }) => ({ heard: payload.n }),
});

client.defineJob({
  id: "gives-up",
  name: "Gives up",
  version: "1.0.0",
  trigger: eventTrigger({ name: "features.hopeless" }),
  run: async (_payload: unknown, io) => {
    await io.runTask(
      "never",
      async (task) => {
        throw new Error(`attempt ${task.attempts} failed`);
      },
      { name: "Never", retry: { ...quick, limit: 3 } },
    );
  },
});

const two = client.defineConcurrencyLimit({ id: "two-at-once", limit: 2 });

for (const [id, concurrencyLimit] of [
  ["one-at-once", 1],
  ["shared-a", two],
  ["shared-b", two],
] as const) {
  client.defineJob({
    id,
    name: id,
    version: "1.0.0",
    concurrencyLimit,
    trigger: eventTrigger({ name: "features.crowded" }),
    run: async (_payload: unknown, io) =>
      io.runTask("busy", async () => {
        const from = Date.now();
        await new Promise((resolve) => setTimeout(resolve, 40));
        return { from, to: Date.now() };
      }),
  });
}
