// `@holdfast/sdk/testing`: jobs run in memory, by the real rules of replay, with time in the test's hands.
import { afterEach, describe, expect, it, vi } from "vitest";
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

afterEach(() => void vi.useRealTimers());

describe("time", () => {
  it("stands still while the run waits, and wakes it at its moments, never early", async () => {
    const run = await tester.run(
      job(async (io) => {
        await io.wait("a day", 86_400);
        await io.logger.info("up", { after: "a day" });
        await io.wait("an hour", 3600);
        return "done";
      }),
      {},
      { now: new Date("2026-01-01T00:00:00Z") },
    );
    expect(run).not.toHaveSucceeded();
    expect(run.waitsFor).toEqual([{ key: "a day", until: new Date("2026-01-02T00:00:00Z") }]);
    await run.advance("23h 59m 59s 999ms");
    expect([run.status, run.executions, run.logs]).toEqual(["WAITING_TO_CONTINUE", 1, []]);
    await run.advance("1ms");
    expect([run.executions, run.logs]).toEqual([2, [{ level: "info", message: "up", data: { after: "a day" } }]]);
    await run.toEnd();
    expect([run.output, run.executions, run.now]).toEqual(["done", 3, new Date("2026-01-02T01:00:00Z")]);
    expect(run.tasks.map(({ key, status, completedAt }) => [key, status, completedAt?.toISOString()])).toEqual([
      ["a day", "COMPLETED", "2026-01-02T00:00:00.000Z"],
      ["an hour", "COMPLETED", "2026-01-02T01:00:00.000Z"],
    ]);
  });

  it("passes over retries with their backoff, up to the limit", async () => {
    const tried: string[] = [];
    const failing = job((io) =>
      io.runTask("call", async () => 1, { retry: { limit: 4, minTimeoutInMs: 1000, factor: 2, randomize: false } }),
    );
    const now = new Date(0);
    const call = async (task: { attempts: number }) => {
      tried.push(`${task.attempts} at ${run?.now.getTime() ?? 0}`);
      return new Error(`no ${task.attempts}`);
    };
    let run: Awaited<ReturnType<typeof tester.run>> | undefined;
    run = await tester.run(failing, {}, { now, tasks: { call } });
    expect(run.task("call")).toMatchObject({ status: "WAITING", attempts: 1, until: new Date(1000) });
    await run.toEnd();
    expect(tried).toEqual(["1 at 0", "2 at 1000", "3 at 2000", "4 at 4000"]);
    expect(run).toHaveFailed("no 4");
    expect(run.task("call")).toMatchObject({ status: "ERRORED", error: { message: "no 4" } });
    expect(run.task("call")?.failures.map(({ message }) => message)).toEqual(["no 1", "no 2", "no 3"]);
    const second = await tester.run(
      failing,
      {},
      { now, tasks: { call: (task) => (task.attempts < 3 ? new Error("no") : "yes") } },
    );
    expect([(await second.toEnd()).output, second.now]).toEqual(["yes", new Date(2000)]);
  });

  it("is the time of the program's dates while vitest fakes them", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const seen: number[] = [];
    const timed = job(async (io) => {
      seen.push(Date.now());
      await io.wait("w", 60);
      await io.runTask("later", async () => seen.push(Date.now()), { delayUntil: new Date(Date.now() + 60_000) });
    });
    const run = await createJobTester(vi).run(timed, {}, { now: new Date(5000) });
    await run.toEnd();
    expect([...new Set(seen)]).toEqual([5000, 65_000, 125_000]);
    expect(run.now).toEqual(new Date(125_000));
  });

  it("counts dates of the program from when it read them where nobody fakes them", async () => {
    const run = await tester.run(
      job(async (io) => io.runTask("later", async () => "yes", { delayUntil: new Date(Date.now() + 3_600_000) })),
      {},
    );
    expect(run.status).toBe("WAITING_TO_CONTINUE");
    expect((await run.advance("1h")).output).toBe("yes");
  });

  it("refuses what is no duration, and two moves at once", async () => {
    const run = await tester.run(
      job((io) => io.wait("w", 90)),
      {},
    );
    for (const wrong of ["soon", "", "3", "3 hours", -1, Number.NaN]) {
      await expect(run.advance(wrong)).rejects.toMatchObject({ code: "BAD_REQUEST" });
    }
    const [first, second] = await Promise.allSettled([run.advance(30), run.advance("1.5m")]);
    expect([first.status, second]).toMatchObject(["fulfilled", { reason: { code: "CONFLICT" } }]);
    expect((await run.advance("1m")).status).toBe("SUCCESS");
  });
});

describe("tasks", () => {
  it("are mocked by key, path, value, function and error, and performed where they are not", async () => {
    const performed: string[] = [];
    const work = (io: IO, key: string) => io.runTask(key, async () => void performed.push(key));
    const mixed = job(async (io) => {
      const value = await io.runTask("value", async () => "real");
      const list = await io.runTask(["send", 2, { to: "ada" }], async () => "real");
      const inner = await io.runTask("outer", async () => io.runTask("inner", async () => "real"));
      const bare = await io.runTask("other", async () => io.runTask("inner", async () => "real"));
      const failed = await io.runTask("error", async () => "real").catch((error: Error) => error.message);
      const params = await io.runTask("params", async () => "real", { params: { n: 2 } });
      await work(io, "performed");
      await io.wait("wait", 3600);
      return { value, list, inner, bare, failed, params };
    });
    const run = await tester.run(
      mixed,
      {},
      {
        tasks: {
          value: { at: new Date(0) },
          'send-2-{"to":"ada"}': "sent",
          "outer/inner": "by path",
          inner: "by key",
          error: new Error("refused"),
          params: (task: { params: { n: number } }) => task.params.n * 2,
          wait: undefined,
          "never asked": 1,
        },
      },
    );
    expect(run.output).toEqual({
      value: { at: "1970-01-01T00:00:00.000Z" },
      list: "sent",
      inner: "by path",
      bare: "by key",
      failed: "refused",
      params: 4,
    });
    expect([performed, run.unusedMocks]).toEqual([["performed"], ["never asked"]]);
    expect(run).toHaveRunTask("outer/inner");
    expect(run).not.toHaveRunTask("error");
    expect(run.task("other/inner")).toMatchObject({ key: "inner", path: "other/inner", output: "by key", attempts: 1 });
    expect(run.task("params")).toMatchObject({ params: { n: 2 }, output: 4 });
  });

  it("in parallel wait and retry each for themselves, and races replay as they went", async () => {
    const run = await tester.run(
      job(async (io) => {
        const parts = await io.parallel("all", [3, 1, 2], async (n) => {
          await io.wait(`wait ${n}`, n);
          return io.runTask(`part ${n}`, async () => n * 10);
        });
        const race = await Promise.race([io.wait("slow", 10).then(() => "slow"), io.wait("fast", 5).then(() => "fast")]);
        await io.wait("after", 60);
        return [parts, race];
      }),
      {},
      { now: new Date(0) },
    );
    expect((await run.advance(2)).tasks.filter(({ key }) => key.startsWith("part")).map(({ path }) => path)).toEqual([
      "all/part 1",
      "all/part 2",
    ]);
    await run.toEnd();
    expect(run.output).toEqual([[30, 10, 20], "fast"]);
    expect(run.task("slow")?.status).toBe("COMPLETED");
  });

  it("yields at once, and fails for one key used twice and after too many yields", async () => {
    const run = await tester.run(
      job(async (io) => {
        io.yield("one");
        io.yield("two");
        return "through";
      }),
      {},
    );
    expect([run.output, run.executions]).toEqual(["through", 3]);
    const twice = await tester.run(
      job(async (io) => {
        await io.runTask("same", async () => 1);
        await io.runTask("same", async () => 2);
      }),
      {},
    );
    expect(twice).toHaveFailed('Task with cacheKey "same" has already been executed');
    let turn = 0;
    const endless = await tester.run(
      job(async (io) => io.yield(`again ${++turn}`)),
      {},
    );
    expect(endless).toHaveFailed("Run has yielded too many times, the maximum is 100");
  });
});

describe("a crash", () => {
  const counted = () => {
    const count: Record<string, number> = {};
    const program = job(async (io) => {
      const step = (key: string) => io.runTask(key, async () => (count[key] = (count[key] ?? 0) + 1));
      const a = await step("a");
      const [b, c] = await Promise.all([step("b"), step("c")]);
      await io.wait("w", 60);
      return [a, b, c, await io.runTask("outer", async () => step("d"))];
    });
    return { count, program };
  };

  it("after a task replays it; after each, the run goes the same way", async () => {
    for (const crashAfter of ["a", ["b", "outer/d"], true] as const) {
      const { count, program } = counted();
      const run = await (await tester.run(program, {}, { crashAfter })).toEnd();
      expect([run.output, count]).toEqual([[1, 1, 1, 1], { a: 1, b: 1, c: 1, d: 1 }]);
      expect(run.executions).toBeGreaterThan(2);
    }
  });

  it("during a task performs it again", async () => {
    const { count, program } = counted();
    const run = await (await tester.run(program, {}, { crashDuring: ["a", "outer/d"] })).toEnd();
    expect([run.output, count]).toEqual([[2, 1, 1, 2], { a: 2, b: 1, c: 1, d: 2 }]);
  });

  it("shows what a program does outside of tasks", async () => {
    let charged = 0;
    const careless = job(async (io) => {
      charged += 1;
      await io.runTask("note", async () => charged);
      return charged;
    });
    expect((await tester.run(careless, {})).output).toBe(1);
    charged = 0;
    expect((await tester.run(careless, {}, { crashAfter: "note" })).output).toBe(2);
  });

  it("that never happens is an error: such a test would show nothing", async () => {
    const { program } = counted();
    const run = await tester.run(program, {}, { crashAfter: "misspelt" });
    await expect(run.toEnd()).rejects.toThrow('no task "misspelt" came that far');
  });
});

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
        event.timestamp instanceof Date,
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
    const second = await tester.run(busy, { n: 8 }, { now, store: first.store, crashAfter: true });
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
