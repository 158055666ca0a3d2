// What programs throw, name and ask for when nobody checked it: every report must still be one the server takes (RunModel refuses the others),
// and nothing may throw outside of the run. One refused frame costs every run of the app its connection.
import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { describeError } from "./errors.ts";

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error("gotcha");
    },
  },
);
const bare = Object.create(null) as object;
Object.assign(bare, { self: bare });

const THROWN: [string, unknown, string][] = [
  ["a proxy whose every property throws", hostile, "(something was thrown that cannot be shown)"],
  ["an object without a prototype that is a circle", bare, "(something was thrown that cannot be shown)"],
  ["undefined", undefined, "undefined"],
  ["a bigint", 10n, "10"],
  ["a symbol", Symbol("s"), "Symbol(s)"],
  ["an error with a number for a name", Object.assign(new Error("numbered"), { name: 5 }), "numbered"],
];

describe("whatever is thrown", () => {
  it.each(THROWN)("ends the run: %s", async (_what, thrown, message) => {
    const inRun = await new RunModel().finish(() => Promise.reject(thrown));
    const inTask = await new RunModel().finish((io) => io.runTask("a", () => Promise.reject(thrown)));
    for (const outcome of [inRun, inTask]) expect(outcome).toMatchObject({ status: "ERROR", error: { message } });
  });

  it("is retried like any failure", async () => {
    const model = new RunModel();
    const outcome = await model.finish((io) =>
      io.runTask("a", ({ attempts }) => (attempts < 2 ? Promise.reject(hostile) : Promise.resolve(attempts)), { retry: {} }),
    );
    expect(outcome).toEqual({ status: "SUCCESS", output: "2" });
  });

  it("travels cut when it is huge, so that no frame is too large", () => {
    const { message, stack = "" } = describeError(new Error("x".repeat(30_000_000)));
    expect(message).toMatch(/^x{65536}… \(cut; it has 30000000 characters\)$/);
    expect(stack.length).toBeLessThan(66_000);
  });
});

describe("times nobody can name", () => {
  it("a wait for ever is the longest the wire takes", async () => {
    for (const seconds of [1e12, 1e300]) {
      expect(await new RunModel().execute((io) => io.wait("long", seconds))).toMatchObject({ status: "SUSPENDED", wakeMs: 1e13 });
    }
  });

  it("a retryAt beyond that is too; one that is no date fails the task and says why", async () => {
    const failing = (retryAt: unknown) => (model: RunModel) =>
      model.execute((io) =>
        io.runTask(
          "a",
          () => Promise.reject(new Error("no")),
          {},
          () => ({ retryAt: retryAt as Date }),
        ),
      );
    expect(await failing(new Date(8.64e15))(new RunModel())).toMatchObject({ status: "SUSPENDED", wakeMs: 1e13 });
    for (const retryAt of [new Date(Number.NaN), "2020-01-01"]) {
      const outcome = await failing(retryAt)(new RunModel());
      expect(outcome).toMatchObject({ status: "ERROR", error: { message: expect.stringContaining("valid Date") } });
    }
  });

  it("a delayUntil that is no date is an error, not a task at once; a date as text is one, and null is none", async () => {
    const delayed = (model: RunModel, delayUntil: unknown) =>
      model.execute((io) => io.runTask("later", async () => 1, { delayUntil: delayUntil as Date }));
    for (const nonsense of [new Date(Number.NaN), "tomorrow", {}]) {
      const outcome = await delayed(new RunModel(), nonsense);
      expect(outcome).toMatchObject({ status: "ERROR", error: { message: expect.stringContaining("delayUntil") } });
    }
    const model = new RunModel();
    const text = new Date(model.runtime.now() + 30_000).toISOString();
    expect(await delayed(model, text)).toMatchObject({ status: "SUSPENDED", wakeMs: 30_000 });
    expect(await delayed(new RunModel(), null)).toEqual({ status: "SUCCESS", output: "1" });
  });

  it("a wait of a number that came as text takes its time, as on v2", async () => {
    const seconds = "30" as unknown as number;
    expect(await new RunModel().execute((io) => io.wait("w", seconds))).toMatchObject({ status: "SUSPENDED", wakeMs: 30_000 });
  });

  it("retry options that are no numbers count as left out", async () => {
    const model = new RunModel();
    const retry = { limit: Number.NaN, minTimeoutInMs: Number.NaN, factor: "2" as unknown as number, maxTimeoutInMs: undefined };
    let attempts = 0;
    const outcome = await model.finish((io) =>
      io.runTask(
        "a",
        async () => {
          attempts += 1;
          throw new Error("no");
        },
        { retry },
      ),
    );
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: "no" } });
    expect(attempts).toBe(5);
  });
});

it("names and keys that are no texts are shown as texts", async () => {
  const model = new RunModel();
  const odd = { name: 5, displayKey: { a: 1 } } as unknown as { name: string };
  const outcome = await model.finish(async (io) => {
    await io.runTask("a", async () => 1, odd);
    io.yield(7 as unknown as string);
    return "done";
  });
  expect(outcome).toEqual({ status: "SUCCESS", output: '"done"' });
  expect(model.named("5")).toHaveLength(1);
});
