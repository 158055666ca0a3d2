// `@holdfast/sdk/testing` given what it does not take: each is refused in words that say what to write, before anything of the job runs.
import { expect, it, test } from "vitest";
import { invokeTrigger, TriggerClient } from "../index.ts";
import type { IO } from "../io/io.ts";
import { createJobTester } from "./index.ts";

const client = new TriggerClient({ id: "app" });
const tester = createJobTester();
let calls = 0;
let jobs = 0;

function job<T>(run: (io: IO) => Promise<T>) {
  jobs += 1;
  return client.defineJob({
    id: `job-${jobs}`,
    name: "Job",
    version: "1.0.0",
    trigger: invokeTrigger(),
    run: async (_payload, io) => {
      calls += 1;
      return run(io);
    },
  });
}
const plain = job(async () => 1);

const circle: Record<string, unknown> = {};
circle.self = circle;

/** What each option takes, as its error says, and what it does not take. */
const WRONG: Record<string, [takes: string, ...values: unknown[]]> = {
  tasks: ["an object, by cacheKey", null, 5, "send", ["send"], new Map([["a", 1]]), () => 1],
  crashAfter: ["a cacheKey, a list of them, or true", null, 5, false, "", { a: 1 }, ["a", 5]],
  crashDuring: ["a cacheKey, or a list of them", null, 5, true, [""], {}],
  id: ["a text, the id of the event", null, 5, "", {}],
  context: ["something that can be written as JSON", 5n, circle],
  account: ['{ id: "…" }', null, "acme", { id: 5 }, {}],
  source: ['{ id: "…" }', null, "s", { id: "" }, []],
  connections: [
    "by id of the integration",
    null,
    "token",
    { github: "token" },
    { github: null },
    { github: { accessToken: "t" } },
    [1],
  ],
  isTest: ["true or false", null, 1, "yes"],
  environment: ['one of "DEVELOPMENT", "STAGING"', null, 5, "production", {}],
  now: ["a Date: new Date(", null, "2026-03-01", 1_772_323_200_000, new Date("text"), {}],
  store: ["an object of the scopes", null, "x", { key: 1 }, { env: "x" }, { job: null }, new Map()],
};

test.each(Object.entries(WRONG))("the option %s", async (name, [takes, ...values]) => {
  calls = 0;
  for (const value of values) {
    const options = { [name]: value } as never;
    const refusal = {
      code: "BAD_REQUEST",
      message: expect.stringContaining(`The option "${name}" cannot be `),
      hint: expect.stringContaining(takes),
    };
    await expect(tester.run(plain, {}, options)).rejects.toMatchObject(refusal);
    await expect(tester(plain, options)).rejects.toMatchObject(refusal);
  }
  expect(calls).toBe(0);
  expect((await tester.run(plain, {}, { [name]: undefined })).status).toBe("SUCCESS");
});

it("says what was given", async () => {
  const told = (options: object) => tester.run(plain, {}, options as never).then(String, (error: Error) => error.message);
  expect(await told({ now: "tomorrow" })).toBe('The option "now" cannot be "tomorrow".');
  expect(await told({ now: new Date("text") })).toBe('The option "now" cannot be an invalid Date.');
  expect(await told({ id: new Date(0) })).toBe('The option "id" cannot be a Date.');
  expect(await told({ tasks: ["a".repeat(100)] })).toBe(`The option "tasks" cannot be ["${"a".repeat(58)}….`);
  expect(await told({ context: circle })).toBe('The option "context" cannot be [object Object].');
});

it("knows its options, those of the short form, and objects of modules and other realms", async () => {
  const hint = expect.stringContaining("tasks, crashAfter");
  await expect(tester.run(plain, {}, { task: {} } as never)).rejects.toMatchObject({
    message: 'There is no option "task" of a run.',
    hint,
  });
  await expect(tester.run(plain, {}, { payload: {} } as never)).rejects.toThrow('no option "payload"');
  await expect(tester.run(plain, {}, { toString: 1 } as never)).rejects.toThrow('no option "toString"');
  await expect(tester(plain, { env: "live" } as never)).rejects.toThrow('The option "env" cannot be "live"');
  for (const options of [null, 5, "x", [], () => ({})])
    await expect(tester.run(plain, {}, options as never)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringContaining("are an object"),
    });
  await expect(tester(plain, null as never)).rejects.toMatchObject({ hint: expect.stringContaining("testJob(job, {") });
  const { runInNewContext } = await import("node:vm");
  const far = runInNewContext("({ tasks: { a: 1 }, now: new Date(0), store: { env: { k: 1 } }, crashAfter: [] })");
  expect(
    (
      await tester.run(
        job(async (io) => [await io.runTask("a", async () => 2), await io.store.env.get("s", "k")]),
        {},
        far,
      )
    ).output,
  ).toEqual([1, 1]);
});

it("refuses a payload that cannot travel", async () => {
  const refusal = (why: string) => ({
    code: "BAD_REQUEST",
    message: expect.stringContaining(`The payload cannot be written as JSON, as it travels: ${why}`),
  });
  await expect(tester.run(plain, { n: 5n } as never)).rejects.toMatchObject(refusal("Do not know how to serialize a BigInt"));
  await expect(tester(plain, { payload: circle } as never)).rejects.toMatchObject(refusal("Converting circular structure"));
});

it("refuses what is no test framework, and no job", async () => {
  for (const framework of [null, 5, "vi", { fn: 5 }, { setSystemTime: "now" }, { isFakeTimers: true }])
    expect(() => createJobTester(framework as never), String(framework)).toThrow(/no function|takes a test framework/);
  for (const wrong of [undefined, null, "job", {}])
    await expect(tester.run(wrong as never, {})).rejects.toThrow("This is no job");
});

it("refuses durations and values from outside that make no sense, and goes on", async () => {
  const child = job(async () => 1);
  const waiting = await tester.run(
    job(async (io) => {
      const event = await io.waitForEvent("event", { name: "paid" });
      const end = await child.invokeAndWaitForCompletion("child", {});
      return [event.payload, end.ok && end.output];
    }),
    {},
  );
  for (const duration of [null, undefined, {}, [], 5n, Number.NaN, -1, "soon", new Date()])
    await expect(waiting.advance(duration as never), String(duration)).rejects.toThrow("is no duration");
  for (const event of [null, "paid", 5, ["paid"]])
    await expect(waiting.complete("event", event)).rejects.toMatchObject({
      message: expect.stringContaining("waits for an event, which "),
      hint: expect.stringContaining("{ payload"),
    });
  await expect(waiting.complete("event", { payload: 5n })).rejects.toThrow("The value cannot be written as JSON");
  await expect(waiting.complete(5 as never, {})).rejects.toThrow('No task "5" waits');
  await waiting.complete("event", { payload: "yes" });
  await expect(waiting.complete("child", "done")).rejects.toThrow('waits for the end of a run, which "done" is not');
  await waiting.complete("child", { output: 7 });
  expect(waiting.output).toEqual(["yes", 7]);
});
