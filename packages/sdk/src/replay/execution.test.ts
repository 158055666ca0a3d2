// The rules of replay, one by one, against a model of what a server keeps.

import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { settled } from "../../test-kit/virtual-runtime.ts";
import type { IO } from "../io/io.ts";
import { ErrorWithTask } from "./errors.ts";

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
    const program = async (io: IO) =>
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
    const program = async (io: IO) => {
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
    const program = async (io: IO) => {
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
    const program = async (io: IO) => {
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

  it("shows the params as they were given, whatever the task does to them", async () => {
    const model = new RunModel();
    await model.execute(async (io) => {
      const params: Record<string, number> = { given: 1 };
      await io.runTask("a", async () => Object.assign(params, { added: 2 }).added, { name: "Changes", params });
    });
    expect(JSON.parse(model.named("Changes")[0]?.details ?? "")).toEqual({ params: { given: 1 } });
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
      return [await why("a", async () => 1n as never), await why("b", async () => "x".repeat(10 * 1024 * 1024) as never)];
    });
    const [bigint, large] = JSON.parse((outcome as { output: string }).output);
    expect(bigint).toContain("BigInt");
    expect(large).toContain("The limit is 10MB");
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
    const program = async (io: IO) => {
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

  it("keeps what errors of services say of themselves, and nothing else of them, on replay, too", async () => {
    const model = new RunModel();
    const [seen, messages]: [unknown[], string[]] = [[], []];
    const more = { code: "E7", status: 404, statusCode: Number.NaN, type: "x".repeat(300), token: "hush", request: {} };
    const program = async (io: IO) => {
      const fails = () => Promise.reject(Object.assign(new TypeError("not there"), more));
      await io.runTask("fails", fails).catch((error) => seen.push({ ...error, cause: 0, shape: 0 }));
      const throwing = Object.defineProperty(new Error("mine"), "code", { get: () => JSON.parse("no JSON") });
      await io.runTask("getters", () => Promise.reject(throwing)).catch(({ message }) => messages.push(message));
    };
    for (let n = 0; n < 2; n++) expect(await model.execute(program)).toEqual(ok(undefined));
    const told = { name: "TypeError", code: "E7", status: 404, cause: 0, shape: 0 };
    expect(seen).toEqual([told, told]);
    expect(messages).toEqual(["mine", "mine"]);
    expect(JSON.stringify(model.named("Task"))).not.toContain("hush");
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
    const program = async (io: IO) =>
      io.runTask(
        "a",
        async (task) => {
          attempts.push(task.attempts);
          throw new Error(`boom ${task.attempts}`);
        },
        { retry: { limit: 3, minTimeoutInMs: 1000, factor: 2, randomize: false } },
      );
    expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED", wakeMs: 1000 });
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
    expect(outcome).toMatchObject({ status: "SUSPENDED", wakeMs: 5000 });
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
