// The rules of replay, one by one, against a model of what a server keeps.
import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { settled } from "../../test-kit/virtual-runtime.ts";
import { ErrorWithTask, isTriggerError } from "./errors.ts";

const ok = (output: unknown) => ({ status: "SUCCESS", output: JSON.stringify(output) });

describe("a step", () => {
  it("costs one report, waited for, with start, output and end in it", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => io.runTask("a", async () => ({ n: 1 })));
    expect(outcome).toEqual(ok({ n: 1 }));
    expect(model.calls).toHaveLength(1);
    expect(model.calls[0]).toMatchObject([
      { displayKey: "a", name: "Task", status: "COMPLETED", attempt: 1, output: '{"n":1}', startedAgo: 0, endedAgo: 0 },
    ]);
  });

  it("shows its output only once it is recorded", async () => {
    const model = new RunModel();
    model.hold = true;
    const seen: string[] = [];
    const { ended } = model.begin(async (io) => {
      await io.runTask("a", async () => 1);
      seen.push("a");
    });
    await settled();
    expect(model.calls).toHaveLength(1);
    expect(seen).toEqual([]);
    model.release();
    await ended;
    expect(seen).toEqual(["a"]);
  });

  it("is not performed again once recorded, and costs nothing then", async () => {
    const model = new RunModel();
    let performed = 0;
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) =>
      io.runTask("a", async () => {
        performed += 1;
        return { at: new Date(0) };
      });
    const first = await model.execute(program);
    const second = await model.execute(program);
    expect(first).toEqual(second);
    expect(first).toEqual(ok({ at: "1970-01-01T00:00:00.000Z" }));
    expect(performed).toBe(1);
    expect(model.calls).toHaveLength(1);
  });

  it("gives JSON at first and on replay, a fresh copy each time", async () => {
    const model = new RunModel();
    const got: unknown[] = [];
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => {
      got.push(await io.runTask("a", async () => ({ when: new Date(5), list: [1], skip: undefined })));
    };
    await model.execute(program);
    await model.execute(program);
    expect(got[0]).toEqual({ when: "1970-01-01T00:00:00.005Z", list: [1] });
    expect(got[1]).toEqual(got[0]);
    expect(got[1]).not.toBe(got[0]);
  });

  it("keeps undefined and null apart", async () => {
    const model = new RunModel();
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => {
      const nothing = await io.runTask("nothing", async () => {});
      const nil = await io.runTask("nil", async () => null);
      return [nothing === undefined, nil === null];
    };
    expect(await model.execute(program)).toEqual(ok([true, true]));
    expect(await model.execute(program)).toEqual(ok([true, true]));
    expect(model.named("nothing")[0]?.output).toBeUndefined();
    expect(model.named("nil")[0]?.output).toBe("null");
  });

  it("applies parseOutput to fresh and recorded output alike", async () => {
    const model = new RunModel();
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => {
      const date = await io.runTask("d", async () => new Date(7), { parseOutput: (text) => new Date(String(text)) });
      return date.getTime();
    };
    expect(await model.execute(program)).toEqual(ok(7));
    expect(await model.execute(program)).toEqual(ok(7));
  });

  it("refuses a key used twice under one parent, but not under two", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => {
      await io.runTask("a", async () => io.runTask("same", async () => 1));
      await io.runTask("b", async () => io.runTask("same", async () => 2));
      await io.runTask("a", async () => 3);
    });
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: expect.stringContaining('cacheKey "a" has already') } });
    expect(model.named("same").map((task) => task.output)).toEqual(["1", "2"]);
  });

  it("knows its parent, which is shown before it", async () => {
    const model = new RunModel();
    await model.execute(async (io) => io.runTask("outer", async (task) => io.runTask("inner", async () => task.id)));
    const [outer, inner] = [model.named("outer")[0], model.named("inner")[0]];
    expect(inner?.parentId).toBe(outer?.id);
    expect(JSON.parse(inner?.output ?? "")).toBe(outer?.id);
    expect(model.calls[0]?.map((item) => [item.displayKey, item.status])).toEqual([
      ["outer", "RUNNING"],
      ["inner", "COMPLETED"],
    ]);
  });

  it("carries what the dashboard shows, and survives what is not JSON", async () => {
    const model = new RunModel();
    await model.execute(async (io) => {
      await io.runTask(
        "a",
        async (task) => {
          task.outputProperties = [{ label: "out", text: "1" }];
        },
        {
          name: "Named",
          icon: "bolt",
          description: "d",
          params: { x: 1 },
          style: { style: "minimal" },
          redact: { paths: ["p"] },
        },
      );
      await io.runTask("b", async () => 1, { params: { big: 10n } });
    });
    expect(JSON.parse(model.named("Named")[0]?.details ?? "")).toEqual({
      icon: "bolt",
      description: "d",
      params: { x: 1 },
      style: { style: "minimal" },
      redact: { paths: ["p"] },
      outputProperties: [{ label: "out", text: "1" }],
    });
    expect(model.named("b")[0]?.details).toContain("not JSON");
  });

  it("fails when its output is no JSON or too large, and the program may catch it", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => {
      const why = async (key: string, output: () => Promise<never>) =>
        io.runTask(key, output).catch((error: Error) => error.message);
      return [await why("a", async () => 1n as never), await why("b", async () => "x".repeat(3 * 1024 * 1024) as never)];
    });
    const [bigint, large] = JSON.parse((outcome as { output: string }).output);
    expect(bigint).toContain("BigInt");
    expect(large).toContain("The limit is 3MB");
    expect(model.named("b")[0]?.status).toBe("ERRORED");
  });

  it("shows a long task as running after about 200 ms, once, without waiting", async () => {
    const model = new RunModel();
    let release = () => {};
    const { ended } = model.begin(async (io) => io.runTask("slow", () => new Promise<void>((resolve) => (release = resolve))));
    await model.runtime.advance(150);
    expect(model.calls).toHaveLength(0);
    await model.runtime.advance(60);
    expect(model.calls).toMatchObject([[{ displayKey: "slow", status: "RUNNING", startedAgo: 200 }]]);
    await model.runtime.advance(5000);
    expect(model.calls).toHaveLength(1);
    release();
    await ended;
    expect(model.calls[1]).toMatchObject([{ status: "COMPLETED", startedAgo: 5210, endedAgo: 0 }]);
    expect(model.runtime.timers.size).toBe(0);
  });
});

describe("failure", () => {
  it("is recorded, thrown as an ordinary error, and the same on replay", async () => {
    const model = new RunModel();
    let performed = 0;
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => {
      try {
        await io.runTask("a", async () => {
          performed += 1;
          throw new RangeError("boom");
        });
      } catch (error) {
        const caught = error as ErrorWithTask;
        return [error instanceof ErrorWithTask, caught.name, caught.message, caught.cause.id];
      }
    };
    const first = await model.execute(program);
    expect(await model.execute(program)).toEqual(first);
    expect(first).toEqual(ok([true, "RangeError", "boom", model.named("a")[0]?.id]));
    expect(performed).toBe(1);
    expect(model.named("a")).toMatchObject([{ status: "ERRORED", error: { message: "boom", name: "RangeError" } }]);
  });

  it("ends the run with the error and the task it came from", async () => {
    const model = new RunModel();
    const outcome = await model.execute(async (io) => io.runTask("outer", async () => io.runTask("inner", fail)));
    const inner = model.named("inner")[0];
    expect(outcome).toMatchObject({ status: "ERROR", taskId: inner?.id, error: { message: "boom", name: "Error" } });
    expect(model.named("outer")).toMatchObject([{ status: "ERRORED", error: { message: "boom" } }]);
    async function fail(): Promise<void> {
      throw new Error("boom");
    }
  });

  it("of plain values is an Unknown error, as in v2", async () => {
    const model = new RunModel();
    const throwing = (value: unknown) => model.execute(() => Promise.reject(value));
    expect(await throwing("a string")).toEqual({ status: "ERROR", error: { name: "Unknown error", message: "a string" } });
    expect(await throwing({ code: 7 })).toEqual({ status: "ERROR", error: { name: "Unknown error", message: '{"code":7}' } });
    expect(await throwing(undefined)).toEqual({ status: "ERROR", error: { name: "Unknown error", message: "undefined" } });
    expect(await throwing({ message: "shaped" })).toEqual({ status: "ERROR", error: { message: "shaped" } });
  });

  it("with retry options suspends, and is tried again when it is due, up to the limit", async () => {
    const model = new RunModel();
    const attempts: number[] = [];
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) =>
      io.runTask(
        "a",
        async (task) => {
          attempts.push(task.attempts);
          throw new Error(`boom ${task.attempts}`);
        },
        { retry: { limit: 3, minTimeoutInMs: 1000, factor: 2, randomize: false } },
      );
    expect(await model.execute(program)).toEqual({ status: "SUSPENDED", wakeMs: 1000 });
    expect(model.named("a")).toMatchObject([{ status: "WAITING", attempt: 1, delayMs: 1000, error: { message: "boom 1" } }]);
    const outcome = await model.finish(program);
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: "boom 3" } });
    expect(attempts).toEqual([1, 2, 3]);
  });

  it("of a child is not retried by its parent", async () => {
    const model = new RunModel();
    let children = 0;
    const outcome = await model.finish(async (io) =>
      io.runTask(
        "parent",
        async () =>
          io.runTask("child", async () => {
            children += 1;
            throw new Error("no");
          }),
        { retry: {} },
      ),
    );
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: "no" } });
    expect(children).toBe(1);
    expect(model.executions).toBe(1);
  });

  it("is judged by onError first", async () => {
    const model = new RunModel();
    const boom = async (): Promise<void> => {
      throw new Error("boom");
    };
    const { runtime } = model;
    const retryAt = new Date(runtime.now() + 5000);
    const outcome = await model.execute(async (io) => {
      const why = (error: Error) => error.message;
      const replaced = await io.runTask("replaced", boom, {}, () => new Error("better words")).catch(why);
      const thrown = await io
        .runTask("thrown", boom, {}, () => {
          throw new Error("from onError");
        })
        .catch(why);
      const final = await io.runTask("final", boom, { retry: {} }, () => ({ skipRetrying: true })).catch(why);
      await io.logger.info("so far", { replaced, thrown, final });
      await io.runTask("later", boom, {}, (error, task) => ({
        retryAt,
        error: new Error(`${task.attempts}: ${(error as Error).message}`),
      }));
    });
    expect(outcome).toEqual({ status: "SUSPENDED", wakeMs: 5000 });
    expect(JSON.parse(model.named("log")[0]?.details ?? "").params).toEqual({
      replaced: "better words",
      thrown: "from onError",
      final: "boom",
    });
    expect(model.named("later")).toMatchObject([{ status: "WAITING", delayMs: 5000, error: { message: "1: boom" } }]);
  });

  it("lets onError run tasks of its own, waits included", async () => {
    const model = new RunModel();
    let tries = 0;
    const outcome = await model.finish(async (io) =>
      io.runTask(
        "a",
        async () => {
          tries += 1;
          throw new Error("boom");
        },
        {},
        async (_error, _task, ownIo) => {
          await ownIo.wait("cool down", 60);
          return { skipRetrying: true };
        },
      ),
    );
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: "boom" } });
    expect(tries).toBe(2);
    expect(model.named("cool down")[0]?.parentId).toBe(model.named("a")[0]?.id);
  });
});

describe("logs", () => {
  it("travel with the next report, or with the end", async () => {
    const model = new RunModel();
    const { ended } = model.begin(async (io) => {
      await io.logger.info("one", { a: 1 });
      await io.runTask("a", async () => 1);
      await io.logger.error("two", new Error("boom"));
    });
    const end = await ended;
    expect(model.calls.map((items) => items.map((item) => item.name))).toEqual([["log", "Task"]]);
    expect(end).toMatchObject({ items: [{ name: "log", noop: true, status: "COMPLETED" }] });
    expect(JSON.parse(model.calls[0]?.[0]?.details ?? "")).toEqual({
      icon: "log",
      description: "one",
      params: { a: 1 },
      properties: [{ label: "Level", text: "INFO" }],
      style: { style: "minimal", variant: "info" },
    });
    const details = end.kind === "ended" ? JSON.parse(end.items[0]?.details ?? "") : undefined;
    expect(details.params).toMatchObject({ name: "Error", message: "boom" });
  });

  it("may say the same twice; the second is another line, and neither is repeated on replay", async () => {
    const model = new RunModel();
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => {
      for (let i = 0; i < 3; i++) await io.logger.info("same");
    };
    await model.execute(program);
    expect(model.named("log")).toHaveLength(3);
    const end = await model.begin(program).ended;
    expect(end).toMatchObject({ kind: "ended", items: [] });
  });

  it("are sent after a while even if nothing else happens, and in bounded reports", async () => {
    const model = new RunModel();
    const { ended } = model.begin(async (io) => {
      await io.logger.info("early");
      await io.runTask("slow", () => new Promise<void>((resolve) => model.runtime.after(1000, resolve)));
      for (let i = 0; i < 1700; i++) void io.logger.info(`line ${i}`);
    });
    await model.runtime.advance(250);
    expect(model.named("log")).toHaveLength(1);
    await model.runtime.advance(1000);
    const end = await ended;
    const lines = model.named("log").length + (end.kind === "ended" ? end.items.length : 0);
    expect(lines).toBe(1701);
    expect(Math.max(...model.calls.map((items) => items.length))).toBeLessThanOrEqual(1000);
  });

  it("never fail the run, whatever is logged", async () => {
    const model = new RunModel();
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const outcome = await model.execute(async (io) => {
      await io.logger.info("circular", circular);
      await io.logger.info("bigint", { n: 1n });
      await io.logger.info("large", { text: "x".repeat(2_000_000) });
      return "done";
    });
    expect(outcome).toEqual(ok("done"));
    expect(model.named("log")).toHaveLength(3);
  });
});

describe("the end", () => {
  it("says stale or abandoned, and nothing goes on after it", async () => {
    for (const answer of ["stale", new Error("gone")] as const) {
      const model = new RunModel();
      model.answers.push(answer);
      const after: string[] = [];
      const { ended } = model.begin(async (io) => {
        await io.runTask("a", async () => 1).finally(() => after.push("settled"));
        after.push("went on");
      });
      expect((await ended).kind).toBe(answer === "stale" ? "stale" : "abandoned");
      await model.runtime.advance(1000);
      expect(after).toEqual([]);
      expect(model.calls).toHaveLength(0);
    }
  });

  it("lets no task start or report any more", async () => {
    const model = new RunModel();
    let performed = 0;
    let keep: Promise<unknown> = Promise.resolve();
    await model.execute(async (io) => {
      keep = (async () => {
        await settled();
        await io.logger.info("late");
        await io.runTask("late", async () => {
          performed += 1;
        });
        return "went on";
      })();
    });
    expect(await Promise.race([keep, settled(60).then(() => "stuck")])).toBe("stuck");
    expect(performed).toBe(0);
    expect(model.rows.size).toBe(0);
  });

  it("waits for reports under way", async () => {
    const model = new RunModel();
    model.hold = true;
    let over = false;
    const { ended } = model.begin(async (io) => {
      void io.runTask("floating", async () => 1);
      await settled();
    });
    void ended.then(() => (over = true));
    await settled(30);
    expect(over).toBe(false);
    model.release();
    expect((await ended).kind).toBe("ended");
  });

  it("fails the run when its output is no JSON", async () => {
    const outcome = await new RunModel().execute(async () => ({ n: 1n }));
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: expect.stringContaining("BigInt") } });
  });
});

describe("io", () => {
  it("remembers random numbers, and refuses impossible bounds", async () => {
    const model = new RunModel();
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => [
      await io.random("r"),
      await io.random("i", { min: 10, max: 20, round: true }),
      await io.random("bad", { min: 2, max: 1 }).catch((error: Error) => error.message),
    ];
    const first = await model.execute(program);
    model.runtime.chance = 0.1;
    expect(await model.execute(program)).toEqual(first);
    expect(first).toEqual(ok([0.5, 15, "Lower bound can't be higher than upper bound - min: 2, max: 1"]));
  });

  it("tries, and lets a yield through", async () => {
    const model = new RunModel();
    const boom = async (): Promise<string> => {
      throw new Error("boom");
    };
    const outcome = await model.finish(async (io) => {
      const caught = await io.try(
        () => io.runTask("a", boom),
        async (error) => (error as Error).message,
      );
      const passed = await io.try(
        async () => {
          io.yield("again");
          return "second time";
        },
        async (error) => `swallowed, ${isTriggerError(error)}`,
      );
      return [caught, passed];
    });
    expect(outcome).toEqual(ok(["boom", "second time"]));
    expect(model.executions).toBe(2);
  });

  it("sends an event once, with an id made from the task's key", async () => {
    const model = new RunModel();
    const sent: unknown[] = [];
    model.runtime.fetch = async (_url, init) => {
      const { event } = JSON.parse(String(init.body));
      sent.push(event);
      return Response.json({ ...event, timestamp: "2026-01-01T00:00:00.000Z" });
    };
    const program = async (io: Parameters<Parameters<RunModel["execute"]>[0]>[0]) => {
      const event = await io.sendEvent("send", { name: "n", payload: { a: 1 } });
      return [event.id, event.timestamp.getTime()];
    };
    const first = await model.execute(program);
    expect(await model.execute(program)).toEqual(first);
    expect(sent).toEqual([{ name: "n", payload: { a: 1 }, id: model.named("send")[0]?.key }]);
    expect(first).toEqual(ok([model.named("send")[0]?.key, Date.UTC(2026, 0, 1)]));
  });
});
