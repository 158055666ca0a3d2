// `@holdfast/sdk/testing`: what a run waits for outside of it, and what it finds in memory where a server would be.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { invokeTrigger, TriggerClient } from "../index.ts";
import type { IO } from "../io/io.ts";
import { createJobTester, type JobMatchers, matchers } from "./index.ts";

declare module "vitest" {
  interface Matchers<T> extends JobMatchers<T> {}
}
expect.extend(matchers);

const client = new TriggerClient({ id: "app" });
const tester = createJobTester();
let jobs = 0;

function job<T>(run: (io: IO, payload: { [key: string]: unknown }) => Promise<T>) {
  jobs += 1;
  const trigger = invokeTrigger<{ [key: string]: unknown }>();
  return client.defineJob({ id: `job-${jobs}`, name: "Job", version: "1.0.0", trigger, run: (payload, io) => run(io, payload) });
}

describe("something outside", () => {
  it("is given by the test: requests, events, fetches, other runs", async () => {
    const child = client.defineJob({
      id: "child",
      name: "Child",
      version: "1.0.0",
      trigger: invokeTrigger(),
      run: async () => ({ n: 5 }),
    });
    const urls: string[] = [];
    const waiting = job(async (io) => {
      const asked = await io.waitForRequest("approval", async (given) => void urls.push(given));
      const event = await io.waitForEvent("paid", { name: "invoice.paid", schema: z.object({ amount: z.number() }) });
      const fetched = await io.backgroundFetch("fetch", "https://api.test/slow");
      const failed = await io.backgroundFetch("bad", "https://api.test/bad").catch((error: Error) => error.message);
      const ended = await child.invokeAndWaitForCompletion("child", { of: "parent" });
      const mocked = await io.waitForEvent("mocked", { name: "other" });
      const batch = await child.batchInvokeAndWaitForCompletion("batch", [{ payload: 1 }, { payload: 2 }]);
      return [
        asked,
        event.payload,
        event.timestamp.getTime() > 0,
        fetched,
        failed,
        ended.ok && ended.output,
        mocked.payload,
        batch.map(({ ok }) => ok),
      ];
    });
    const mocks = { mocked: { payload: "m" }, "batch/0": { output: 1 }, "batch/1": { error: { message: "no" } } };
    const run = await tester.run(waiting, {}, { tasks: mocks, crashAfter: true });
    expect([urls.map((url) => URL.canParse(url)), run.waitsFor.map(({ key }) => key)]).toEqual([[true], ["approval"]]);
    await expect(run.complete("paid", {})).rejects.toMatchObject({ code: "NOT_FOUND", hint: 'These tasks do: "approval".' });
    await run.complete("approval", { yes: true });
    await run.complete("paid", { payload: { amount: 3 } });
    await expect(run.toEnd()).rejects.toThrow('The run waits for "fetch", and no time ends that.');
    await run.complete("fetch", { rows: [1] });
    await run.fail("bad", new Error("Fetch failed: 500"));
    expect(run.invocations).toEqual([{ job: "child", payload: { of: "parent" }, context: {} }]);
    await run.complete("child", await tester.run(child, run.invocations[0]?.payload));
    expect(run.error).toBeUndefined();
    expect(run.output).toEqual([
      { yes: true },
      { amount: 3 },
      true,
      { rows: [1] },
      "Fetch failed: 500",
      { n: 5 },
      "m",
      [true, false],
    ]);
  });

  it("is asked for once, however often the job runs meanwhile", async () => {
    const urls: string[] = [];
    const asks = job(async (io) => {
      const ask = (key: string) => io.waitForRequest<number>(key, async (url) => void urls.push(url));
      return Promise.all([ask("one"), ask("two"), io.wait("w", 60)]);
    });
    const run = await tester.run(asks, {});
    await run.advance(60);
    await run.complete("two", 2);
    expect([run.executions, run.waitsFor.map(({ key }) => key)]).toEqual([3, ["one"]]);
    await run.complete("one", 1);
    expect([run.output, urls.length, new Set(urls).size]).toEqual([[1, 2, null], 2, 2]);
  });

  it("that does not come in time fails its task", async () => {
    const run = await tester.run(
      job(async (io) => io.waitForRequest("approval", async () => {}, { timeoutInSeconds: 600 })),
      {},
    );
    await run.advance("9m 59s");
    expect(run.status).toBe("WAITING_TO_CONTINUE");
    expect(await run.advance("1s")).toHaveFailed("Remote callback timeout - no requests received");
    await expect(run.complete("approval", 1)).rejects.toThrow('No task "approval" waits for something outside.');
  });

  it("keeps values, events, statuses and schedules in memory, through the client too", async () => {
    const reminders = client.defineDynamicSchedule({ id: "reminders" });
    const busy = job(async (io, payload) => {
      const cursor = (await io.store.job.get<number>("get", "cursor")) ?? 0;
      await io.store.job.set("set", "cursor", cursor + 1);
      await client.store.env.set("env", "seen", [payload.n as number]);
      const had = [
        await io.store.run.has("has", "x"),
        await io.store.env.delete("delete", "old"),
        await io.store.run.get("get x", "x"),
      ];
      const sent = await io.sendEvent("send", { name: "greeted", payload: { n: 1 } }, { deliverAfter: 60, accountId: "acme" });
      await io.sendEvents("more", [
        { id: "own", name: "a" },
        { name: "b", context: { c: 1 } },
      ]);
      const cancelled = await io.cancelEvent("cancel", sent.id);
      const event = await io.getEvent("event", "own");
      const status = await io.createStatus("progress", { label: "Sending", state: "loading" });
      await status.update("done", { state: "success", data: { n: 1 } });
      const schedule = await reminders.register("ada", { type: "interval", options: { seconds: 60 }, metadata: { a: 1 } });
      await reminders.unregister("ada");
      await client.sendEvent({ id: "by client", name: "c" });
      return { cursor, had, cancelled: cancelled.cancelledAt instanceof Date, event: event.name, schedule };
    });
    const now = new Date(0);
    const first = await tester.run(busy, { n: 7 }, { now, store: { env: { old: 1 } } });
    expect(first).toHaveSucceeded();
    expect(first.output).toEqual({
      cursor: 0,
      had: [false, true, null],
      cancelled: true,
      event: "a",
      schedule: { id: "ada", schedule: { type: "interval", options: { seconds: 60 } }, metadata: { a: 1 }, active: true },
    });
    expect(first.events).toMatchObject([
      { name: "greeted", payload: { n: 1 }, deliverAt: new Date(60_000), accountId: "acme", cancelled: true },
      { id: "own", name: "a", cancelled: false },
      { name: "b", context: { c: 1 } },
      { id: "by client", name: "c" },
    ]);
    expect(first.statuses).toEqual([
      { key: "progress", label: "Sending", state: "success", data: { n: 1 }, history: [{ label: "Sending", state: "loading" }] },
    ]);
    expect(first.store).toEqual({ env: { seen: [7] }, job: { cursor: 1 }, run: {} });
    const again = { now, store: first.store, crashAfter: true, crashDuring: ["send", "more"] } as const;
    const second = await tester.run(busy, { n: 8 }, again);
    expect([second.store.job, second.events.length]).toEqual([{ cursor: 2 }, 4]);
  });

  it("that nothing in memory answers is refused by name", async () => {
    const run = await tester.run(
      job(async (io) => io.runTask("get", async () => (await client.getRun("run_x")).status)),
      {},
    );
    expect(run).toHaveFailed("A job under test cannot call GET /api/v2/runs/run_x");
  });
});
