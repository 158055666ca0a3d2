// Room: execute. Every answer of a published v2 SDK, and what it does to the run and its tasks (wire §1.7).
import { executeJobResponseSchema } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import type { Store, TaskRow } from "../store/store.ts";
import { cacheOf } from "./push.ts";
import { V2Outcomes } from "./v2-outcome.ts";

const NOW = 1_000_000;
const TOKEN = "exe_x.run_x";
const base: TaskRow = {
  runId: "run_x",
  key: "k",
  id: "t1",
  parentId: null,
  name: "Task",
  displayKey: "k",
  noop: false,
  status: "RUNNING",
  attempts: 2,
  startedAt: 1,
  completedAt: null,
  delayUntil: null,
  outputText: null,
  errorText: null,
  detailsText: null,
  failuresText: null,
  position: 1,
};
const rows: TaskRow[] = [
  base,
  { ...base, id: "waits", noop: true, status: "WAITING", delayUntil: NOW + 5000 },
  { ...base, id: "soon", noop: true, status: "WAITING", delayUntil: NOW + 1000 },
  { ...base, id: "callback", status: "WAITING", detailsText: '{"callbackUrl":"http://x"}' },
  { ...base, id: "settled", status: "COMPLETED" },
];
const store = {
  tasks: async (_: string, options: { ids: string[] }) => rows.filter(({ id }) => options.ids.includes(id)),
} as unknown as Store;

async function read(answer: object) {
  const response = executeJobResponseSchema.parse(answer);
  return new V2Outcomes(store).read("run_x", TOKEN, response, NOW);
}
const times = { timeRemaining: 1, timeElapsed: 1 };

describe("an answer to EXECUTE_JOB", () => {
  it("SUCCESS keeps undefined apart from null", async () => {
    expect((await read({ status: "SUCCESS" })).input).toEqual({ type: "succeeded", token: TOKEN, output: null });
    expect((await read({ status: "SUCCESS", output: null })).input).toEqual({ type: "succeeded", token: TOKEN, output: "null" });
    expect((await read({ status: "SUCCESS", output: { a: 1 } })).input).toMatchObject({ output: '{"a":1}' });
  });

  it("ERROR fails the run and the task that failed", async () => {
    const { input, tasks } = await read({ status: "ERROR", error: { message: "no" }, task: { id: "t1", status: "COMPLETED" } });
    expect(input).toEqual({ type: "failed", token: TOKEN, error: { message: "no" } });
    expect(tasks).toMatchObject([
      { task: { id: "t1", status: "ERRORED", completedAt: NOW, errorText: '{"message":"no"}' }, token: null },
    ]);
  });

  it.each([
    ["a wait", "waits", NOW + 5000],
    ["a callback", "callback", null],
    ["a task settled meanwhile", "settled", NOW],
    ["a task we do not know", "nobody", NOW],
  ])("RESUME_WITH_TASK on %s", async (_, id, dueAt) => {
    expect((await read({ status: "RESUME_WITH_TASK", task: { id } })).input).toEqual({ type: "suspended", token: TOKEN, dueAt });
  });

  it("RESUME_WITH_TASK keeps what the task shows while it waits, as v2 did", async () => {
    const outputProperties = [{ label: "Callback URL", text: "http://x" }];
    const { tasks } = await read({ status: "RESUME_WITH_TASK", task: { id: "callback", status: "COMPLETED", outputProperties } });
    const detailsText = JSON.stringify({ callbackUrl: "http://x", outputProperties });
    expect(tasks).toMatchObject([{ task: { id: "callback", status: "WAITING", detailsText }, failureText: null }]);
    expect((await read({ status: "RESUME_WITH_TASK", task: { id: "settled", outputProperties } })).tasks).toEqual([]);
  });

  it("RETRY_WITH_TASK notes the failed attempt and waits", async () => {
    const retryAt = new Date(NOW + 700).toISOString();
    const { input, tasks } = await read({ status: "RETRY_WITH_TASK", task: { id: "t1" }, error: { message: "boom" }, retryAt });
    expect(input).toEqual({ type: "suspended", token: TOKEN, dueAt: NOW + 700 });
    expect(tasks).toMatchObject([{ task: { id: "t1", status: "WAITING", attempts: 2, delayUntil: NOW + 700 } }]);
    expect(JSON.parse(tasks[0]?.failureText ?? "")).toMatchObject({ attempt: 2, error: { message: "boom" } });
  });

  it("RESUME_WITH_PARALLEL_TASK resumes with its first branch, retries included", async () => {
    const retry = {
      status: "RETRY_WITH_TASK",
      task: { id: "t1" },
      error: { message: "b" },
      retryAt: new Date(NOW + 3000).toISOString(),
    };
    const branches = [
      { status: "RESUME_WITH_TASK", task: { id: "waits" } },
      retry,
      { status: "RESUME_WITH_TASK", task: { id: "soon" } },
    ];
    const { input, tasks } = await read({ status: "RESUME_WITH_PARALLEL_TASK", task: { id: "p" }, childErrors: branches });
    expect(input).toEqual({ type: "suspended", token: TOKEN, dueAt: NOW + 1000 });
    expect(tasks).toHaveLength(1);
  });

  it("branches that yield: one key is noted, and the run goes on at once; not while one awaits a callback", async () => {
    const yields = ["y1", "y2"].map((key) => ({ status: "YIELD_EXECUTION", key }));
    const wait = { status: "RESUME_WITH_TASK", task: { id: "waits" } };
    const parallel = { status: "RESUME_WITH_PARALLEL_TASK", task: { id: "t1" } };
    const { input } = await read({ ...parallel, childErrors: [wait, ...yields] });
    expect(input).toEqual({ type: "yielded", token: TOKEN, key: "y1", dueAt: null });
    const asked = { status: "RESUME_WITH_TASK", task: { id: "callback" } };
    expect((await read({ ...parallel, childErrors: [asked, ...yields] })).input).toMatchObject({
      type: "suspended",
      dueAt: null,
    });
  });

  it("a parallel task inside another suspends with it, as the published SDK tells it: as an error", async () => {
    const told = (thrown: object) => ({ status: "ERROR", error: { name: "Unknown error", message: JSON.stringify(thrown) } });
    const parallel = (...childErrors: object[]) => read({ status: "RESUME_WITH_PARALLEL_TASK", task: { id: "t1" }, childErrors });
    const inner = { task: { id: "t1" }, childErrors: [{ task: { id: "waits" } }, { task: { id: "soon" } }] };
    expect(await parallel(told(inner))).toEqual({
      input: { type: "suspended", token: TOKEN, dueAt: NOW + 1000 },
      tasks: [],
    });
    const deep = { task: { id: "t1" }, childErrors: [inner, { key: "y1" }] };
    expect((await parallel(told(deep))).input).toMatchObject({ type: "yielded", key: "y1" });
    const retryAt = new Date(NOW + 500).toISOString();
    const retried = await parallel(
      told({ task: { id: "t1" }, childErrors: [{ task: { id: "t1" }, cause: { message: "no" }, retryAt }] }),
    );
    expect(retried.input).toMatchObject({ type: "suspended", dueAt: NOW + 500 });
    expect(retried.tasks).toMatchObject([{ task: { id: "t1", status: "WAITING", delayUntil: NOW + 500 } }]);
    for (const thrown of [
      { task: {}, childErrors: [] },
      { task: {}, childErrors: [{ task: { id: 7 } }] },
      { task: {}, childErrors: [null] },
    ])
      expect((await parallel(told(thrown))).input, JSON.stringify(thrown)).toMatchObject({ type: "failed" });
  });

  it("a failing branch of a parallel task fails the run", async () => {
    const branches = [
      { status: "RESUME_WITH_TASK", task: { id: "waits" } },
      { status: "ERROR", error: { message: "no" } },
    ];
    const { input } = await read({ status: "RESUME_WITH_PARALLEL_TASK", task: { id: "p" }, childErrors: branches });
    expect(input).toEqual({ type: "failed", token: TOKEN, error: { message: "no" } });
  });

  it.each([
    [
      { status: "YIELD_EXECUTION", key: "y" },
      { key: "y", dueAt: null },
    ],
    [
      { status: "AUTO_YIELD_EXECUTION", location: "start_task", ...times },
      { key: null, dueAt: null },
    ],
    [
      { status: "AUTO_YIELD_EXECUTION", location: "failed_task_run", ...times },
      { key: null, dueAt: NOW + 1000 },
    ],
    [
      { status: "AUTO_YIELD_RATE_LIMIT", reset: NOW + 9000 },
      { key: null, dueAt: NOW + 9000 },
    ],
    [
      { status: "CANCELED", task: { id: "t1" } },
      { key: null, dueAt: null },
    ],
  ])("%j yields", async (answer, expected) => {
    expect((await read(answer)).input).toEqual({ type: "yielded", token: TOKEN, ...expected });
  });

  it("AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK completes the task it carries", async () => {
    const data = { location: "before_complete_task", ...times };
    const { input, tasks } = await read({ status: "AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK", id: "t1", output: "2", data });
    expect(input).toMatchObject({ type: "yielded" });
    expect(tasks).toMatchObject([{ task: { status: "COMPLETED", outputText: "2", completedAt: NOW } }]);
  });

  it("INVALID_PAYLOAD and UNRESOLVED_AUTH_ERROR end the run as what they are", async () => {
    const errors = [{ path: ["user", "age"], message: "Expected number" }];
    expect((await read({ status: "INVALID_PAYLOAD", errors })).input).toEqual({ type: "invalidPayload", token: TOKEN, errors });
    const issues = { h: { id: "hosted", error: "missing" } };
    expect((await read({ status: "UNRESOLVED_AUTH_ERROR", issues })).input).toEqual({
      type: "unresolvedAuth",
      token: TOKEN,
      issues,
    });
  });
});

it("the cache sent to a v2 SDK stops at the first task that does not fit, and names it as the cursor", () => {
  const task = (id: string, size: number) => ({ id, idempotencyKey: id, status: "COMPLETED" as const, output: "x".repeat(size) });
  expect(cacheOf([task("a", 100), task("b", 100)], 10_000)).toEqual({ tasks: [task("a", 100), task("b", 100)] });
  expect(cacheOf([task("a", 100), task("b", 900), task("c", 1)], 1000)).toEqual({ tasks: [task("a", 100)], cursor: "b" });
  expect(cacheOf([task("a", 5000), task("b", 1)], 1000)).toEqual({ tasks: [task("a", 5000)], cursor: "b" });
});
