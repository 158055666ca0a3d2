// Tests: programs that move data, in the style of apps written for v2: schedules over a table, imports row by row, pages, reports from child jobs, counters, slow services. Started, and
// what must come out told, by tests/many-programs.test.ts; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, type IO, intervalTrigger, invokeTrigger, redactString } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "./programs.ts";
import { vendor } from "./programs-vendor.ts";

const sites = [
  { id: "s1", url: "https://one.example", up: true },
  { id: "s2", url: "https://two.example", up: false },
];
client.defineJob({
  id: "check-sites",
  name: "Check every site of the table",
  version: "1.0.0",
  trigger: intervalTrigger({ seconds: 3_600 }),
  run: async ({ ts, lastTimestamp }, io) => {
    const down: string[] = [];
    for (const { id, url, up } of sites) {
      const seen = await io.runTask(["check", id], async () => up, { name: "Check", params: { url } });
      if (!seen) down.push(id);
    }
    if (down.length > 0) await io.sendEvent("alert", { name: "data.sites.down", payload: { down } });
    return { down, first: lastTimestamp === undefined, ts: ts instanceof Date };
  },
});
client.defineJob({
  id: "page-on-call",
  name: "Page who is on call",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.sites.down", filter: { down: ["s2"] } }),
  run: async () => "never: a list does not equal a text",
});
client.defineJob({
  id: "page-on-call-for-s2",
  name: "Page who is on call for s2",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.sites.down", filter: { down: [{ $includes: "s2" }] } }),
  run: async ({ down }: { down: string[] }, io) => io.runTask("page", async () => `${down.length} down`, { name: "Page" }),
});

client.defineJob({
  id: "import-csv",
  name: "Import a CSV",
  version: "3.0.1",
  trigger: eventTrigger({ name: "data.csv.uploaded", schema: z.object({ csv: z.string() }) }),
  run: async ({ csv }, io) => {
    const rows = await io.runTask("parse", async () => csv.split("\n").map((line) => line.split(";")), { name: "Parse" });
    const result = { imported: 0, refused: [] as string[] };
    for (const [at, [name = "", amount = ""]] of rows.entries()) {
      const imported = await io.runTask(
        ["row", at],
        async (_task, inner) => {
          const cents = await inner.runTask("cents", async () => Math.round(Number(amount) * 100), { name: "Cents" });
          if (!Number.isFinite(cents)) return null;
          await inner.logger.info(`Imported ${name}`, { cents });
          return { name, cents };
        },
        { name: `Row ${at + 1}`, style: { style: "minimal" } },
      );
      if (imported) result.imported += imported.cents;
      else result.refused.push(name);
    }
    return result;
  },
});

const people = Array.from({ length: 7 }, (_, n) => `p${n}`);
client.defineJob({
  id: "copy-pages",
  name: "Copy a list page by page",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.copy", schema: z.object({ size: z.number() }) }),
  run: async ({ size }, io) => {
    let copied = 0;
    for (let cursor: number | null = 0; cursor !== null; ) {
      const from: number = cursor;
      const page = await io.runTask(["page", from], async () => {
        const items = people.slice(from, from + size);
        return { items, next: from + size < people.length ? from + size : null };
      });
      copied += page.items.length;
      cursor = page.next;
      if (cursor !== null) io.yield(`after ${copied}`);
    }
    return { copied };
  },
});

const regionReport = client.defineJob({
  id: "report-region",
  name: "Report of a region",
  version: "1.0.0",
  trigger: invokeTrigger({ schema: z.object({ region: z.string(), sales: z.array(z.number()) }) }),
  run: async ({ region, sales }, io, ctx) => {
    const sum = await io.runTask("sum", async () => sales.reduce((a, b) => a + b, 0), { name: `Sum of ${region}` });
    return { region, sum, account: ctx.account?.id, asked: ctx.event.context?.quarter };
  },
});
client.defineJob({
  id: "report",
  name: "Report of all regions",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.report" }),
  run: async (payload: { regions: Record<string, number[]> }, io) => {
    const reports: { region: string; sum: number }[] = [];
    for (const [region, sales] of Object.entries(payload.regions)) {
      const context = { quarter: "Q3" };
      const run = await regionReport.invokeAndWaitForCompletion(["report", region], { region, sales }, 60, {
        context,
        accountId: "acme",
      });
      if (run.ok) reports.push(run.output as { region: string; sum: number });
    }
    await regionReport.invoke("once more", { region: "none", sales: [] }, { idempotencyKey: "none", accountId: "acme" });
    return io.runTask("bind", async () => ({ reports }), { name: "Bind the report" });
  },
});

client.defineJob({
  id: "summarize",
  name: "Summarize by a slow service",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.summarize", schema: z.object({ text: z.string() }) }),
  run: async ({ text }, io) => {
    const status = await io.createStatus("summary", { label: "Asking", state: "loading" });
    const request = {
      method: "POST",
      headers: { authorization: redactString`Bearer ${"s3cret"}`, "content-type": "application/json" },
      body: JSON.stringify({ text }),
    };
    const answer = await io.backgroundFetch<{ summary: string }>("ask", `${process.env.VENDOR_URL}/summary`, request, {
      retry: {
        "429,503": { strategy: "backoff", limit: 4, minTimeoutInMs: 20, maxTimeoutInMs: 20, factor: 1, randomize: false },
      },
    });
    const job = await io.backgroundFetchResponse<{ id: string }>("start", `${process.env.VENDOR_URL}/start`, { method: "POST" });
    await status.update("done", { label: "Done", state: "success", data: { summary: answer.summary } });
    return { ...answer, started: job.status };
  },
});

client.defineJob({
  id: "polite-calls",
  name: "Come back when the service says",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.polite" }),
  run: async (_payload, io) => {
    return io.runTask(
      "call",
      async (task) => {
        if (task.attempts < 3) throw Object.assign(new Error("Too many calls"), { retryAfterMs: 20 });
        return { attempts: task.attempts };
      },
      { name: "Call" },
      (error) => ({ retryAt: new Date(Date.now() + (error as { retryAfterMs: number }).retryAfterMs) }),
    );
  },
});

async function count(io: IO, by: number): Promise<number> {
  const before = (await io.store.job.get<number>("before", "count")) ?? 0;
  return io.store.job.set("after", "count", before + by);
}
client.defineJob({
  id: "count-visits",
  name: "Count visits, run after run",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.visit" }),
  concurrencyLimit: 1,
  run: async (payload: { by: number }, io) => ({
    total: await count(io, payload.by),
    own: await io.store.run.get("own", "count"),
  }),
});

client.defineJob({
  id: "tell-once",
  name: "Tell each subscriber once",
  version: "1.0.0",
  trigger: eventTrigger({ name: "data.published", schema: z.object({ article: z.string(), to: z.array(z.string()) }) }),
  run: async ({ article, to }, io) => {
    const event = (reader: string) => ({ id: `${article} to ${reader}`, name: "data.tell", payload: { article, reader } });
    const first = await io.sendEvents("all", to.map(event));
    const again = await io.sendEvents("all again", to.map(event));
    return { sent: first.length, same: again.every(({ id }, at) => id === first[at]?.id) };
  },
});
client.defineJob({
  id: "tell",
  name: "Tell one",
  version: "1.0.0",
  trigger: eventTrigger({ name: ["data.tell", "data.told"] }),
  run: async ({ reader }: { reader: string }, io) => io.runTask("mail", () => vendor("mail", { to: reader }), { name: "Mail" }),
});
