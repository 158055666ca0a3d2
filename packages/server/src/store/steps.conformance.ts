// What a store must do with tasks and changes of runs. Part of the conformance suite: called by store.conformance.ts.
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import {
  apply,
  changeOf,
  claim,
  ENVIRONMENT,
  executing,
  NOW,
  report,
  sampleEvent,
  sampleRun,
  sampleTask,
  world,
} from "./samples.conformance.ts";
import type { TaskRow } from "./store.ts";

export function recording(context: Context): void {
  it("records a finished task once and keeps its output for ever", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const task = sampleTask(run.id);
    expect(await store.recordTask(report(task, token))).toBe("recorded");
    expect(await store.recordTask(report(task, token))).toBe("kept");
    expect(await store.recordTask(report({ ...task, outputText: "2", status: "ERRORED" }, token))).toBe("kept");
    expect(await store.tasks(run.id)).toEqual([task]);
  });

  it("refuses a report without the current token, after the end, and for no run", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    expect(await store.recordTask(report(sampleTask(run.id), "exe_wrong"))).toBe("stale");
    await apply(store, run, { type: "succeeded", token, output: null });
    expect(await store.recordTask(report(sampleTask(run.id), token))).toBe("stale");
    expect(await store.recordTask(report(sampleTask(run.id), null))).toBe("stale");
    expect(await store.recordTask(report(sampleTask(world.newId("run")), token))).toBe("stale");
    expect(await store.recordTask(report(sampleTask("no id at all"), null))).toBe("stale");
    expect(await store.tasks(run.id)).toEqual([]);
  });

  it("records without a token while the run is unfinished (v2)", async () => {
    const { store } = context;
    const { run } = await executing(store);
    const task = sampleTask(run.id);
    expect(await store.recordTask(report(task, null))).toBe("recorded");
    expect(await store.recordTask(report(task, null))).toBe("kept");
  });

  it("stores all but the bad one of a hundred reports", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const tasks = Array.from({ length: 100 }, (_, i) => sampleTask(run.id, { position: i, name: `step ${i}` }));
    const verdicts = await Promise.all(tasks.map((task) => store.recordTask(report(task, token))));
    expect(new Set(verdicts)).toEqual(new Set(["recorded"]));
    expect((await store.tasks(run.id)).map(({ position }) => position)).toEqual(tasks.map((_, i) => i));
  });

  it("reads tasks by page, by id and by status", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const hash = "0123456789abcdef".repeat(4);
    const tasks = [
      sampleTask(run.id, { position: 1, key: hash, id: `task_${hash.slice(0, 26)}` }),
      sampleTask(run.id, { position: 2, id: "odd", status: "RUNNING", completedAt: null, outputText: null }),
      sampleTask(run.id, { position: 3 }),
    ];
    for (const task of tasks) await store.recordTask(report(task, token));
    expect(await store.tasks(run.id, { limit: 2 })).toEqual(tasks.slice(0, 2));
    expect(await store.tasks(run.id, { after: tasks[1] })).toEqual(tasks.slice(2));
    expect(await store.tasks(run.id, { statuses: ["COMPLETED"] })).toEqual([tasks[0], tasks[2]]);
    const open = [3, 1, 2].map((n) =>
      sampleTask(run.id, { status: n === 1 ? "RUNNING" : "WAITING", completedAt: null, outputText: null, position: 1_000 + n }),
    );
    for (const one of open) await store.recordTask(report(one, token));
    const [third, first, second] = open;
    expect(await store.tasks(run.id, { statuses: ["WAITING", "RUNNING"] })).toEqual([tasks[1], first, second, third]);
    expect(await store.tasks(run.id, { statuses: ["WAITING"] })).toEqual([second, third]);
    expect(await store.tasks(run.id, { statuses: ["WAITING"], limit: 1 })).toEqual([second]);
    expect(await store.tasks(run.id, { statuses: ["PENDING"] })).toEqual([]);
    expect(await store.tasks(run.id, { statuses: ["WAITING", "COMPLETED"], limit: 3 })).toEqual([tasks[0], tasks[2], second]);
    expect(await store.tasks(run.id, { ids: ["odd", tasks[0]?.id ?? "", "unknown"] })).toEqual([tasks[0], tasks[1]]);
    expect(await store.tasks(world.newId("run"))).toEqual([]);
  });

  it("ends a page behind so many bytes of outputs, and begins the next one with the task after that", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const outputs = ['"ää"', null, '"b"', '"cccccccc"', '"d"'];
    const tasks = outputs.map((outputText, position) => sampleTask(run.id, { position, outputText }));
    for (const task of tasks) await store.recordTask(report(task, token));
    const page = async (outputBytes: number, after?: TaskRow) =>
      (await store.tasks(run.id, { after, limit: 10, outputBytes })).map(({ position }) => position);
    expect(await page(6)).toEqual([0]);
    expect(await page(7)).toEqual([0, 1, 2]);
    expect(await page(1, tasks[2])).toEqual([3]);
    expect(await page(11, tasks[2])).toEqual([3, 4]);
    expect(await page(1_000)).toEqual([0, 1, 2, 3, 4]);
  });

  it("skips none of the tasks that started in one microsecond, wherever a page ends", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const tasks = ["c", "a", "e", "b", "d"].map((key) => sampleTask(run.id, { key, id: key, position: 7 }));
    for (const task of tasks) await store.recordTask(report(task, token));
    const read: string[] = [];
    for (let after: TaskRow | undefined; read.length < 9; ) {
      const page = await store.tasks(run.id, { after, limit: 2 });
      read.push(...page.map(({ key }) => key));
      after = page.at(-1);
      if (!after) break;
    }
    expect(read).toEqual(["a", "b", "c", "d", "e"]);
  });
}

export function merging(context: Context): void {
  it("takes a start, a retry, its failure and the end", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const started = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    const waiting = { ...started, status: "WAITING" as const, delayUntil: NOW + 100.25, detailsText: null };
    const failure = '{"attempt":1,"at":"2026-01-01T00:00:00Z","error":{"message":"é\\u0000"}}';
    await store.recordTask(report(started, token));
    expect(await store.recordTask(report(waiting, token, failure))).toBe("recorded");
    expect(await store.recordTask(report(waiting, token, failure))).toBe("kept");
    expect((await store.tasks(run.id))[0]).toEqual({
      ...waiting,
      delayUntil: NOW + 101,
      detailsText: started.detailsText,
      failuresText: `[${failure}]`,
    });
    expect(await store.recordTask(report({ ...started, attempts: 2 }, token))).toBe("recorded");
    expect(await store.recordTask(report({ ...waiting, attempts: 2 }, token, '{"attempt":2}'))).toBe("recorded");
    const done = { ...started, status: "COMPLETED" as const, attempts: 3, outputText: "null", completedAt: NOW + 9 };
    expect(await store.recordTask(report(done, token))).toBe("recorded");
    const failuresText = `[${failure},{"attempt":2}]`;
    expect(await store.tasks(run.id)).toEqual([{ ...done, delayUntil: NOW + 101, failuresText }]);
  });

  it("keeps the first due time of a wait that is reported again", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const wait = sampleTask(run.id, {
      noop: true,
      status: "WAITING",
      delayUntil: NOW + 5_000,
      completedAt: null,
      outputText: null,
    });
    await store.recordTask(report(wait, token));
    await store.recordTask(report({ ...wait, delayUntil: NOW + 9_000 }, token));
    expect((await store.tasks(run.id))[0]?.delayUntil).toBe(NOW + 5_000);
  });
}

export function opening(context: Context): void {
  it("creates a task once and returns it as it is afterwards", async () => {
    const { store, other } = context;
    const { run } = await executing(store);
    const task = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    const opened = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        (i % 2 ? store : other).openTask(ENVIRONMENT, { ...task, position: task.position + i }),
      ),
    );
    expect(opened.filter((result) => result?.created)).toHaveLength(1);
    expect(new Set(opened.map((result) => result?.task.position)).size).toBe(1);
    const done = { ...task, status: "COMPLETED" as const, completedAt: NOW, outputText: "7" };
    await store.recordTask(report(done, null));
    expect(await store.openTask(ENVIRONMENT, task)).toMatchObject({
      created: false,
      task: { status: "COMPLETED", outputText: "7" },
    });
  });

  it("creates nothing open in a finished run, and reopens when the run continues", async () => {
    const { store } = context;
    const { run } = await executing(store);
    const task = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    await store.openTask(ENVIRONMENT, task);
    const canceled = await apply(store, run, { type: "canceled" });
    expect(await store.openTask(ENVIRONMENT, task)).toMatchObject({ created: false, task: { status: "CANCELED" } });
    const late = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    expect(await store.openTask(ENVIRONMENT, late)).toMatchObject({ created: true, task: { status: "CANCELED" } });
    await apply(store, canceled, { type: "continued" });
    expect(await store.openTask(ENVIRONMENT, task)).toMatchObject({
      created: false,
      task: { status: "RUNNING", completedAt: null },
    });
  });

  it("knows no task of an unknown run", async () => {
    expect(await context.store.openTask(ENVIRONMENT, sampleTask(world.newId("run")))).toBeNull();
    expect(await context.store.openTask(ENVIRONMENT, sampleTask("nonsense"))).toBeNull();
  });
}

export function changing(context: Context): void {
  it("applies a change once; a copy that is out of date changes nothing", async () => {
    const { store, other } = context;
    const { run, token } = await executing(store);
    const change = changeOf(run, { type: "succeeded", token, output: '{"a":1.0}' });
    if (!change) throw new Error("ignored");
    const results = await Promise.all([store.changeRun(change), other.changeRun(change), store.changeRun(change)]);
    expect(results.filter(Boolean)).toHaveLength(1);
    const outcome = { status: "SUCCESS", output: '{"a":1.0}' };
    expect(await store.run(null, run.id)).toMatchObject({ revision: 2, state: { kind: "finished", at: NOW, outcome } });
  });

  it("settles waits and retries that are due when the run executes again", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    const open = { status: "WAITING" as const, completedAt: null, outputText: null };
    const wait = sampleTask(run.id, { ...open, noop: true, delayUntil: NOW + 100, position: 1 });
    const retry = sampleTask(run.id, { ...open, delayUntil: NOW + 100, position: 2 });
    const later = sampleTask(run.id, { ...open, noop: true, delayUntil: NOW + 500, position: 3 });
    const callback = sampleTask(run.id, { ...open, delayUntil: null, position: 4 });
    await store.recordTask(report(retry, token, '{"attempt":1}'));
    for (const task of [wait, later, callback]) await store.recordTask(report(task, token));
    await apply(store, run, { type: "suspended", token, dueAt: NOW + 100 });
    expect(await claim(store, [queue], { now: NOW + 99 })).toEqual({ items: [], changes: [], nextDueAt: NOW + 100 });
    expect((await claim(store, [queue], { now: NOW + 100 })).items).toHaveLength(1);
    const after = await store.tasks(run.id);
    expect(after.map(({ status, attempts, completedAt }) => [status, attempts, completedAt])).toEqual([
      ["COMPLETED", 1, NOW + 100],
      ["RUNNING", 2, null],
      ["WAITING", 1, null],
      ["WAITING", 1, null],
    ]);
  });

  it("records the reports that travel with an end, cancels the other open tasks, and reopens them", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    const open = { status: "RUNNING" as const, completedAt: null, outputText: null };
    const [left, ended, errored] = [1, 2, 3].map((position) => sampleTask(run.id, { ...open, position }));
    if (!left || !ended || !errored) throw new Error("no samples");
    await store.recordTask(report(left, token));
    await store.recordTask(report(ended, token));
    const fresh = sampleTask(run.id, { ...open, position: 4 });
    const done = { ...ended, status: "COMPLETED" as const, completedAt: NOW, outputText: "1" };
    const failed = { ...errored, status: "ERRORED" as const, completedAt: NOW, errorText: '{"message":"x"}' };
    const tasks = [done, failed, fresh].map((task) => report(task, null));
    const error = { message: "x" };
    const finished = await apply(store, run, { type: "failed", token, error }, { tasks });
    expect(finished.state).toMatchObject({ kind: "finished", outcome: { status: "FAILURE", error } });
    expect((await store.tasks(run.id)).map(({ status }) => status)).toEqual(["CANCELED", "COMPLETED", "ERRORED", "CANCELED"]);
    await apply(store, finished, { type: "continued" });
    const after = await store.tasks(run.id);
    expect(after.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["PENDING", 1],
      ["COMPLETED", 1],
      ["RUNNING", 2],
      ["PENDING", 1],
    ]);
    expect(after[2]?.errorText).toBeNull();
    expect(after[1]?.outputText).toBe("1");
  });

  it("wakes a run that nothing but the outside can wake", async () => {
    const { store } = context;
    const { run, token, queue } = await executing(store);
    const waiting = await apply(store, run, { type: "suspended", token, dueAt: null });
    expect(await claim(store, [queue], { now: NOW + 1e9 })).toEqual({ items: [], changes: [], nextDueAt: null });
    await apply(store, waiting, { type: "woken" });
    const [item] = (await claim(store, [queue])).items;
    expect(item).toMatchObject({ kind: "run", attempts: 1, run: { executions: 2 } });
  });

  it("knows nothing of a run that is not there", async () => {
    const event = sampleEvent();
    const change = changeOf(sampleRun(event), { type: "canceled" });
    const odd = changeOf(sampleRun(event, { id: "odd" }), { type: "canceled" });
    if (!change || !odd) throw new Error("ignored");
    expect(await context.store.changeRun(change)).toBe(false);
    expect(await context.store.changeRun(odd)).toBe(false);
    expect(await context.store.run(null, "odd")).toBeNull();
  });
}
