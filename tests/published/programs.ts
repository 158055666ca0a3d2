// Tests: programs in the style of apps written for v2, each small, each using something else of the surface. Written against the published SDK's types; copied unchanged to
// where `@trigger.dev/sdk` is the published package, and to ours. VENDOR_URL: a service that answers `/ok`, and fails twice at `/flaky/<name>` before it answers.
import { cronTrigger, eventTrigger, invokeTrigger, isTriggerError, retry, TriggerClient } from "@trigger.dev/sdk";
import { z } from "zod";

const VENDOR = process.env.VENDOR_URL ?? "";

export const client = new TriggerClient({ id: "programs", ioLogLocalEnabled: false });

const quick = { limit: 4, factor: 1, minTimeoutInMs: 20, maxTimeoutInMs: 40, randomize: false };

/** v2's SDK gives a failed task's error as JSON in the message; ours gives the message. */
function messageOf(error: unknown): string {
  const { message } = error as Error;
  return message.startsWith("{") ? (JSON.parse(message) as Error).message : message;
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(VENDOR + path, init);
  if (!answer.ok) throw new Error(`The vendor answered ${answer.status}`);
  return (await answer.json()) as T;
}

const person = z.object({ id: z.string(), email: z.string().email(), name: z.string().default("friend") });

client.defineJob({
  id: "drip-mails",
  name: "Drip mails",
  version: "1.2.0",
  trigger: eventTrigger({ name: ["person.signed-up", "person.invited"], schema: person }),
  run: async (payload, io, ctx) => {
    await io.logger.info("Begin", { person: payload.id });
    const sent: string[] = [];
    for (const [at, template] of ["welcome", "tips", "offer"].entries()) {
      const mail = { method: "POST", body: JSON.stringify({ to: payload.email, template }) };
      await io.runTask(["mail", template], () => ask<{ ok: boolean }>("/ok", mail), {
        name: `Mail ${template}`,
        icon: "mail",
        description: "One of three",
        properties: [{ label: "To", text: payload.email }],
        params: { to: payload.email, template },
      });
      sent.push(`${template} to ${payload.name}`);
      if (at < 2) await io.wait(`pause ${template}`, 0.05);
    }
    await io.logger.debug("End");
    return { by: ctx.event.name, sent, version: ctx.job.version, test: ctx.run.isTest };
  },
});

client.defineJob({
  id: "import-rows",
  name: "Import rows",
  version: "1.0.0",
  trigger: eventTrigger({ name: "rows.import", schema: z.object({ rows: z.array(z.object({ id: z.number() })) }) }),
  run: async ({ rows }, io) => {
    const one = (row: { id: number }) =>
      io.runTask(
        ["row", row.id],
        async (task) => {
          task.outputProperties = [{ label: "Doubled", text: String(row.id * 2) }];
          return { id: row.id, doubled: row.id * 2, at: new Date(row.id) };
        },
        { name: "Import", displayKey: `row ${row.id}`, style: { style: "minimal" } },
      );
    const inOrder = [];
    for (const row of rows.slice(0, 2)) inOrder.push(await one(row));
    const together = await Promise.all(rows.slice(2).map(one));
    const parsed = await io.runTask("sum", async () => "6", { name: "Sum", parseOutput: (output) => `parsed ${String(output)}` });
    return { inOrder, together, parsed };
  },
});

client.defineJob({
  id: "flaky-calls",
  name: "Flaky calls",
  version: "1.0.0",
  trigger: eventTrigger({ name: "calls.flaky", schema: z.object({ tag: z.string() }) }),
  run: async ({ tag }, io) => {
    const retried = await io.runTask("retried", () => ask<{ tries: number }>(`/flaky/${tag}-a`), {
      name: "Retried",
      retry: quick,
    });
    const byHand = await io.runTask(
      "by hand",
      () => ask<{ tries: number }>(`/flaky/${tag}-b`),
      { name: "By hand" },
      (error) => ({ retryAt: new Date(Date.now() + 20), error: error as Error }),
    );
    const outcomes: string[] = [];
    const note = async (work: Promise<unknown>) => {
      try {
        await work;
      } catch (error) {
        if (isTriggerError(error)) throw error;
        outcomes.push(messageOf(error));
      }
    };
    const broken = async (): Promise<string> => {
      throw new Error("broken");
    };
    await note(io.runTask("skipped", broken, { name: "Skipped", retry: quick }, () => ({ skipRetrying: true })));
    await note(io.runTask("replaced", broken, { name: "Replaced" }, () => new Error("another")));
    await note(io.runTask("given up", broken, { name: "Given up", retry: { ...retry.standardBackoff, ...quick, limit: 2 } }));
    const tried = await io.try(
      () =>
        io.runTask("outer", (_task, inner) => inner.runTask("inner", broken, { name: "Inner" }), { name: "Outer", retry: quick }),
      async (error) => `caught ${messageOf(error)}`,
    );
    return { retried, byHand, outcomes, tried };
  },
});

client.defineJob({
  id: "later",
  name: "Later",
  version: "1.0.0",
  trigger: eventTrigger({ name: "work.later" }),
  run: async (_payload, io) => {
    const before = Date.now();
    const delayed = await io.runTask("delayed", async () => "done", { name: "Delayed", delayUntil: new Date(before + 60) });
    await io.runTask("nothing", async () => {}, { name: "Nothing", noop: true });
    const number = await io.random("number", { min: 5, max: 6, round: true });
    const kept = await io.runTask("kept", async () => number * 10, { name: "Kept" });
    io.yield("once");
    io.brb("again");
    return { delayed, stable: number * 10 === kept, between: number >= 5 && number <= 6 };
  },
});

client.defineJob({
  id: "fan-out",
  name: "Fan out",
  version: "1.0.0",
  trigger: eventTrigger({ name: "orders.placed" }),
  run: async (payload: { tag: string }, io) => {
    const context = { by: "fan-out" };
    const one = await io.sendEvent("one", { name: "order.paid", payload: { ...payload, euros: 50 }, source: "billing", context });
    const many = await io.sendEvents("many", [
      { name: "order.paid", payload: { ...payload, euros: 5 }, source: "billing", context },
      { name: "order.paid", payload: { ...payload, euros: 70 }, source: "billing", context: { by: "others" } },
      { name: "order.paid", payload: { ...payload, euros: 90 }, context },
    ]);
    const found = await io.getEvent("look", one.id);
    return { one: one.name, many: many.map(({ name }) => name), found: found.name };
  },
});
client.defineJob({
  id: "large-orders",
  name: "Large orders",
  version: "1.0.0",
  trigger: eventTrigger({ name: "order.paid", source: "billing", filter: { euros: [{ $gte: 50 }] } }),
  run: async (payload: { tag: string; euros: number }, _io, ctx) => ({ ...payload, by: ctx.event.context?.by }),
});

client.defineJob({
  id: "parallel-work",
  name: "Parallel work",
  version: "1.0.0",
  trigger: invokeTrigger({ schema: z.object({ items: z.array(z.string()) }) }),
  run: async ({ items }, io) => {
    const waited = await io.parallel(
      "all",
      items,
      async (item, index) => {
        await io.wait(["pause", item], 0.05);
        return io.runTask(["work", item], async () => `${index} ${item}`, { name: "Work" });
      },
      { name: "All", properties: [{ label: "Items", text: String(items.length) }] },
    );
    const failed = await io.try(
      () =>
        io.parallel("some fail", items, async (item) =>
          io.runTask(["fail", item], async () => {
            if (item === "b") throw new Error(`no ${item}`);
            return item;
          }),
        ),
      async (error) => [messageOf(error)],
    );
    return { waited, failed };
  },
});

client.defineJob({
  id: "look-around",
  name: "Look around",
  version: "1.0.0",
  trigger: eventTrigger({ name: "look.around" }),
  run: async (_payload, io, ctx) => {
    const seen = await io.runTask("see", async () => {
      const run = await client.getRun(ctx.run.id);
      const runs = await client.getRuns("look-around", { take: 1 });
      return { status: run?.status, newest: runs.runs[0]?.id === ctx.run.id };
    });
    const names = [ctx.environment.slug, ctx.environment.type, ctx.job.id, typeof ctx.organization.id, typeof ctx.project.id];
    return { seen, names, started: ctx.run.startedAt instanceof Date, timestamp: ctx.event.timestamp instanceof Date };
  },
});

client.defineJob({
  id: "throws-text",
  name: "Throws text",
  version: "1.0.0",
  trigger: eventTrigger({ name: "throws.text" }),
  run: async () => {
    throw "just a text";
  },
});

client.defineJob({
  id: "fails-in-task",
  name: "Fails in a task",
  version: "1.0.0",
  trigger: eventTrigger({ name: "fails.in-task" }),
  run: async (_payload, io) => {
    await io.runTask("bad", async () => Promise.reject(new RangeError("out of range")), { name: "Bad" });
  },
});

client.defineJob({
  id: "switched-off",
  name: "Switched off",
  version: "1.0.0",
  enabled: false,
  trigger: eventTrigger({ name: "look.around" }),
  run: async () => "never",
});

client.defineJob({
  id: "nightly",
  name: "Nightly",
  version: "1.0.0",
  trigger: cronTrigger({ cron: "0 3 1 1 *" }),
  run: async (payload, io) => {
    const rows = await io.runTask("rows", async () => [1, 2, 3], { name: "Rows" });
    return { rows: rows.length, ts: payload.ts instanceof Date };
  },
});
