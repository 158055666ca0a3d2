// Room: tasks. What many answers from outside at once do to the run that waits for them: a fan-out of invoked jobs, of callbacks, of fetches.
import { expect, it } from "vitest";
import { Runs } from "../runs/change.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { apply, executing, report, sampleTask, world } from "../store/samples.conformance.ts";
import type { RunChange, RunRow, Store, TaskRow } from "../store/store.ts";
import { Callbacks } from "./callbacks.ts";

const MANY = 120;
const END = { status: "COMPLETED", outputText: "1" } as const;

/** A run that executes and has `count` tasks which something outside completes; `seen` counts changes tried, and can make looks at it fail. */
async function scene(count: number) {
  const { store: whole } = createMemoryStore();
  const seen = { changes: 0, fails: false };
  const { tasks: read, recordTask } = whole;
  const store = {
    tasks: read.bind(whole),
    recordTask: recordTask.bind(whole),
    run: async (...by: Parameters<Store["run"]>) => {
      if (seen.fails) throw new Error("the database is away");
      return whole.run(...by);
    },
    changeRun: async (change: RunChange) => {
      seen.changes += 1;
      // As with a database: others get their turn before it is known what came of it.
      await new Promise((resolve) => setImmediate(resolve));
      return whole.changeRun(change);
    },
  } as Partial<Store> as Store;
  const { run, token } = await executing(whole);
  const open = { status: "WAITING" as const, completedAt: null, outputText: null };
  const tasks: TaskRow[] = Array.from({ length: count }, (_, position) => sampleTask(run.id, { ...open, position }));
  for (const task of tasks) await whole.recordTask(report(task, token));
  const callbacks = new Callbacks({ world, store, runs: new Runs(world, store), isPublished: () => false });
  return { store: whole, run, token, tasks, callbacks, seen };
}

it("many answers at once touch an executing run a few times, not each by itself", async () => {
  const { store, run, tasks, callbacks, seen } = await scene(MANY);
  const settled = await Promise.all(tasks.map(({ id }) => callbacks.settle(run.id, id, END)));
  expect(new Set(settled)).toEqual(new Set(["taken"]));
  expect((await store.tasks(run.id)).every(({ status }) => status === "COMPLETED")).toBe(true);
  expect((await store.run(null, run.id))?.revision).toBeGreaterThan(run.revision);
  expect(seen.changes).toBeLessThan(10);
});

it("an answer recorded after a wake has looked at the run wakes it again", async () => {
  const { store, run, token, tasks, callbacks } = await scene(2);
  const [first, second] = tasks as [TaskRow, TaskRow];
  await callbacks.settle(run.id, first.id, END);
  const touched = (await store.run(null, run.id)) as RunRow;
  await apply(store, touched, { type: "suspended", token, dueAt: null });
  await callbacks.settle(run.id, second.id, END);
  expect((await store.run(null, run.id))?.state).toMatchObject({ kind: "queued", cause: "resumed" });
});

it("a wake that fails is told to all who joined it, and does not hold up the next", async () => {
  const { run, tasks, callbacks, seen } = await scene(4);
  const [first, second, third, last] = tasks as [TaskRow, TaskRow, TaskRow, TaskRow];
  seen.fails = true;
  const told = await Promise.allSettled([first, second, third].map(({ id }) => callbacks.settle(run.id, id, END)));
  expect(told.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  seen.fails = false;
  expect(await callbacks.settle(run.id, last.id, END)).toBe("taken");
  expect(seen.changes).toBe(1);
});
