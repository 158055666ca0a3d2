// `@holdfast/sdk/testing`: jobs run in memory, by the real rules of replay, with time in the test's hands.
import { afterEach, describe, expect, it, vi } from "vitest";
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

  it("that race in one execution replay as they went, too", async () => {
    const raced: string[] = [];
    const run = await tester.run(
      job(async (io) => {
        let free = () => {};
        const blocked = new Promise<void>((resolve) => {
          free = resolve;
        });
        const slow = io.runTask("slow", async () => blocked.then(() => "slow"));
        const fast = io.runTask("fast", async () => "fast");
        raced.push(await Promise.race([slow, fast]));
        free();
        await slow;
        await io.wait("w", 1);
      }),
      {},
    );
    await run.toEnd();
    expect([run.status, raced]).toEqual(["SUCCESS", ["fast", "fast"]]);
  });

  it("that fail fail the tasks around them, which are not tried again; a wait can be made to fail", async () => {
    let tried = 0;
    const run = await tester.run(
      job((io) =>
        io.runTask(
          "parent",
          async () => {
            tried += 1;
            await io.wait("wait", 60);
          },
          { retry: {} },
        ),
      ),
      {},
      { tasks: { wait: new Error("no time") } },
    );
    expect([run.status, run.error?.message, tried, run.task("parent")?.status]).toEqual(["FAILURE", "no time", 1, "ERRORED"]);
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
