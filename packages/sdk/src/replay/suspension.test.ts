// Waits, retries and yields inside every construct a program may use: none of them can be swallowed, none of them hangs.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { settled, VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import type { IO } from "../io/io.ts";

const ok = (output: unknown) => ({ status: "SUCCESS", output: JSON.stringify(output) });

describe("a wait", () => {
  it("costs no report of its own: it travels with the end", async () => {
    const model = new RunModel();
    const end = await model.begin((io) => io.wait("w", 60)).ended;
    expect(model.calls).toHaveLength(0);
    expect(end).toMatchObject({
      outcome: { status: "SUSPENDED", wakeMs: 60_000 },
      items: [{ displayKey: "w", name: "wait", noop: true, status: "WAITING", delayMs: 60_000 }],
    });
  });

  it("is over when it is due: never early, and the program goes on", async () => {
    const model = new RunModel();
    const program = async (io: IO) => {
      await io.wait("w", 60);
      return "after";
    };
    await model.execute(program);
    model.runtime.time += 59_999;
    const early = await model.begin(program).ended;
    expect(early).toMatchObject({ outcome: { status: "SUSPENDED", wakeMs: 1 }, items: [] });
    model.runtime.time += 1;
    expect(await model.execute(program)).toEqual(ok("after"));
  });

  it("that came due while this execution ran is not waited for again", async () => {
    const model = new RunModel();
    const program = async (io: IO) => {
      await io.runTask("slow", async () => {
        model.runtime.time += 5000;
      });
      await io.wait("w", 1);
      return "after";
    };
    await model.execute(program);
    model.rows.delete(model.named("slow")[0]?.key ?? "");
    expect(await model.execute(program)).toEqual(ok("after"));
  });

  it("of nothing or less takes no time; of nonsense is an error", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => {
      await io.wait("zero", 0);
      await io.wait("past", -5);
      await io.wait("nonsense", Number.NaN);
    });
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: expect.stringContaining("io.wait()") } });
  });

  it("cannot be swallowed by try, catch or finally", async () => {
    const model = new RunModel();
    const seen: string[] = [];
    const program = async (io: IO) => {
      try {
        await io.wait("w", 10);
        seen.push("after");
      } catch {
        seen.push("caught");
      } finally {
        seen.push("finally");
      }
      return "end";
    };
    expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED" });
    expect(seen).toEqual([]);
    expect(await model.finish(program)).toEqual(ok("end"));
    expect(seen).toEqual(["after", "finally"]);
  });

  it("inside a task suspends the task", async () => {
    const model = new RunModel();
    let started = 0;
    const outcome = await model.finish(async (io) =>
      io.runTask("outer", async () => {
        started += 1;
        await io.wait("w", 10);
        return io.runTask("inner", async () => "in");
      }),
    );
    expect(outcome).toEqual(ok("in"));
    expect(started).toBe(2);
    expect(model.named("w")[0]?.parentId).toBe(model.named("outer")[0]?.id);
  });

  it("until a date delays a task, once", async () => {
    const model = new RunModel();
    const delayUntil = new Date(model.runtime.now() + 30_000);
    const program = (io: IO) => io.runTask("later", async () => model.runtime.time, { delayUntil });
    expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED", wakeMs: 30_000 });
    expect(await model.finish(program)).toEqual(ok(31_000));
  });
});

describe("together", () => {
  it("Promise.all over tasks and waits lets every branch come as far as it can", async () => {
    const model = new RunModel();
    const performed: string[] = [];
    const step = (io: IO, key: string) =>
      io.runTask(key, async () => {
        performed.push(key);
        await settled(3);
        return key;
      });
    const program = async (io: IO) =>
      Promise.all([
        io.wait("w1", 100).then(() => step(io, "a")),
        step(io, "b").then(() => step(io, "c")),
        step(io, "d").then(async () => {
          await io.wait("w2", 50);
          return step(io, "e");
        }),
      ]);
    expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED", wakeMs: 50_000 });
    expect(performed.sort()).toEqual(["b", "c", "d"]);
    expect(await model.finish(program)).toEqual(ok(["a", "c", "e"]));
    expect(performed.sort()).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("tasks that finish in one turn share one report", async () => {
    const model = new RunModel();
    await model.execute(async (io) => Promise.all(Array.from({ length: 20 }, (_, i) => io.runTask(`t${i}`, async () => i))));
    expect(model.calls).toHaveLength(1);
    expect(model.calls[0]).toHaveLength(20);
  });

  it("Promise.race between a wait and a task is won by the task", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => Promise.race([io.wait("w", 100), io.runTask("a", async () => "won")]));
    expect(outcome).toEqual(ok("won"));
  });

  it("reading a request's body beside a wait is given the turns it needs", async () => {
    const model = new RunModel();
    const program = async (io: IO) => {
      const request = new Request("http://x/", { method: "POST", body: JSON.stringify({ n: 1 }) });
      const read = async () => {
        const body = (await request.json()) as { n: number };
        return io.runTask("read", async () => body.n);
      };
      return Promise.all([io.wait("w", 100), read()]);
    };
    expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED" });
    expect(model.named("read")).toMatchObject([{ status: "COMPLETED" }]);
  });

  it("a suspended child blocks its parent, a running one does not", async () => {
    const model = new RunModel();
    let release = () => {};
    const { ended } = model.begin(async (io) =>
      io.runTask("parent", async () => {
        await Promise.all([io.wait("w", 100), io.runTask("slow", () => new Promise<void>((resolve) => (release = resolve)))]);
      }),
    );
    let over = false;
    void ended.then(() => (over = true));
    await settled(30);
    expect(over).toBe(false);
    release();
    expect(await ended).toMatchObject({ outcome: { status: "SUSPENDED", wakeMs: 100_000 } });
    expect(model.named("slow")).toMatchObject([{ status: "COMPLETED" }]);
  });

  it("a task that leaves a waiting child behind still completes", async () => {
    const model = new RunModel();
    model.hold = true;
    const { ended } = model.begin(async (io) => {
      await io.runTask("parent", async () => {
        void io.wait("left behind", 100);
        return 1;
      });
      return io.runTask("next", async () => 2);
    });
    await settled(30);
    model.hold = false;
    model.release();
    expect(await ended).toMatchObject({ outcome: ok(2) });
  });

  it("io.parallel keeps the order, waits for all, and fails with the first error", async () => {
    const model = new RunModel();
    const outcome = await model.finish((io) =>
      io.parallel("p", [30, 10, 20], async (seconds, index) => {
        await io.wait(`w${index}`, seconds);
        return seconds;
      }),
    );
    expect(outcome).toEqual(ok([30, 10, 20]));
    const failing = new RunModel();
    const failed = await failing.execute((io) =>
      io.parallel("p", ["long", "boom"], async (item) => {
        if (item === "long") await io.wait("for a month", 2_592_000);
        else throw new Error("boom");
      }),
    );
    expect(failed).toMatchObject({ status: "ERROR", error: { message: "boom" } });
  });

  it("retries in parallel branches do not hold each other up", async () => {
    const model = new RunModel();
    const outcome = await model.finish((io) =>
      io.parallel("p", [1, 2, 3], async (item) =>
        io.runTask(
          `t${item}`,
          async (task) => {
            if (task.attempts < item) throw new Error("not yet");
            return task.attempts;
          },
          { retry: { randomize: false } },
        ),
      ),
    );
    expect(outcome).toEqual(ok([1, 2, 3]));
  });
});

describe("a yield", () => {
  it("ends the execution once tasks under way have finished, and is not repeated", async () => {
    const model = new RunModel();
    const performed: string[] = [];
    const program = async (io: IO) => {
      const beside = io.runTask("beside", async () => {
        performed.push("beside");
        await settled(5);
      });
      io.yield("y1");
      await beside;
      await io.runTask("after", async () => void performed.push("after"));
      return "done";
    };
    expect(await model.execute(program)).toEqual({ status: "YIELDED", key: "y1" });
    expect(await model.execute(program)).toEqual(ok("done"));
    expect(performed).toEqual(["beside", "after"]);
  });

  it("cannot be swallowed, not even inside a task", async () => {
    const model = new RunModel();
    const program = async (io: IO) =>
      io.runTask("a", async () => {
        try {
          io.brb("y");
        } catch {
          await io.runTask("hidden", async () => 1);
        }
        return "a";
      });
    expect(await model.execute(program)).toEqual({ status: "YIELDED", key: "y" });
    expect(model.named("hidden")).toEqual([]);
    expect(await model.execute(program)).toEqual(ok("a"));
  });

  it("swallowed at the end of run() still ends as a yield", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => {
      try {
        io.yield("y");
      } catch {
        return "swallowed";
      }
    });
    expect(outcome).toEqual({ status: "YIELDED", key: "y" });
  });
});

type Plan =
  | { kind: "task"; fails: number }
  | { kind: "wait"; seconds: number }
  | { kind: "log" }
  | { kind: "parallel" | "all" | "nest"; parts: Plan[] };

const plans = fc.letrec<{ plan: Plan }>((tie) => ({
  plan: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.record({ kind: fc.constant("task" as const), fails: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: 100 }) }),
    fc.record({ kind: fc.constant("log" as const) }),
    fc.record({ kind: fc.constantFrom("parallel", "all", "nest"), parts: fc.array(tie("plan"), { maxLength: 4 }) }),
  ),
})).plan;

describe("any program of tasks, waits, retries, logs and nesting", () => {
  it("finishes, performs each attempt once, and gives what it would give in one go", async () => {
    const retry = { limit: 3, minTimeoutInMs: 1000, randomize: false };
    const run = async (io: IO, plan: Plan, key: string, performed: string[]): Promise<unknown> => {
      switch (plan.kind) {
        case "log":
          return io.logger.info("line");
        case "wait":
          return io.wait(key, plan.seconds);
        case "task":
          return io.runTask(
            key,
            async (task) => {
              performed.push(`${key}#${task.attempts}`);
              if (task.attempts <= plan.fails) throw new Error("again");
              return task.attempts;
            },
            { retry },
          );
        case "all":
          return Promise.all(plan.parts.map((part, i) => run(io, part, `${key}.${i}`, performed)));
        case "parallel":
          return io.parallel(key, plan.parts, (part, i) => run(io, part, `${i}`, performed) as Promise<string>);
        case "nest":
          return io.runTask(key, async () => {
            const results: unknown[] = [];
            for (const [i, part] of plan.parts.entries()) results.push(await run(io, part, `${i}`, performed));
            return results as string[];
          });
      }
    };
    const attempts = (plan: Plan): number =>
      plan.kind === "task" ? plan.fails + 1 : "parts" in plan ? plan.parts.reduce((sum, part) => sum + attempts(part), 0) : 0;
    const expected = (plan: Plan): unknown =>
      plan.kind === "task" ? plan.fails + 1 : "parts" in plan ? plan.parts.map(expected) : undefined;
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const model = new RunModel();
        const performed: string[] = [];
        const outcome = await model.finish((io) => run(io, plan, "top", performed), 200);
        const output = JSON.stringify(expected(plan));
        expect(outcome).toEqual({ status: "SUCCESS", ...(output === undefined ? {} : { output }) });
        expect(performed).toHaveLength(attempts(plan));
      }),
      { numRuns: 150 },
    );
  });
});

describe("a task that something outside completes", () => {
  it("is told of by nothing before the request that opens it is answered, however long that takes", async () => {
    const runtime = new VirtualRuntime();
    let open = (_answer: Response) => {};
    runtime.fetch = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const model = new RunModel(runtime);
    const urls: string[] = [];
    const { ended } = model.begin((io) => io.waitForRequest("ask", async (url) => urls.push(url)));
    await settled();
    await runtime.advance(1_000);
    // A report would make the server know a task without an address, which it then hands out as it is.
    expect(model.calls).toEqual([]);
    open(
      Response.json({ id: "task_1", name: "Wait", noop: false, status: "WAITING", attempts: 1, callbackUrl: "http://test/1" }),
    );
    expect(await ended).toMatchObject({ outcome: { status: "SUSPENDED" }, items: [{ status: "WAITING" }] });
    expect(urls).toEqual(["http://test/1"]);
  });
});
