// Room: execute. When work is looked at again. A suspended run is due not before the task it waits for, though that task's report took longer to arrive
// than the execution's end: woken earlier, the run would only go back to sleep. An app that was full and has room again is said to be ready.
import { expect, it } from "vitest";
import type { HttpOutcome } from "../platform/http-client.ts";
import { NOW } from "../store/samples.conformance.ts";
import { type ExecutorScene, executorScene } from "./fixture.test.mts";

const WAIT = { key: "k".repeat(64), id: "task_wait", name: "wait", status: "WAITING" as const, attempt: 1, startedAgo: 0 };

function answer(outcome: object): HttpOutcome {
  return { ok: true, status: 200, headers: {}, body: Buffer.from(JSON.stringify({ items: [], outcome })) };
}

it("a run sleeps until the task it waits for is due, by the time its report arrived", async () => {
  let now = NOW;
  let token = "";
  // The app starts a wait of 500 ms; the server reads that report 40 ms later, and the end of the execution at once.
  const fetch = async (): Promise<HttpOutcome> => {
    now += 40;
    await scene.executor.record(token, [{ ...WAIT, delayMs: 500 }]);
    return answer({ status: "SUSPENDED", wakeMs: 460, wakeKey: WAIT.key });
  };
  const scene: ExecutorScene = await executorScene({ world: { now: () => now, fetch } });
  const [item] = await scene.claimed(1);
  if (!item) throw new Error("the run was not claimed");
  token = item.token;
  await scene.executor.execute(item.run, token);

  const [task] = await scene.store.tasks(item.run.id);
  expect(task?.delayUntil).toBe(NOW + 540);
  expect((await scene.store.run(null, item.run.id))?.state).toEqual({ kind: "waiting", dueAt: NOW + 540 });
});

it("an app called by URL that had no room is looked at again as soon as one execution ends", async () => {
  const ends: (() => void)[] = [];
  const fetch = () => new Promise<HttpOutcome>((resolve) => ends.push(() => resolve(answer({ status: "SUCCESS" }))));
  const { executor, app, woken, claimed } = await executorScene({ world: { fetch } });
  const items = await claimed(executor.room(app));
  const all = items.map(({ run, token }) => executor.execute(run, token));
  await expect.poll(() => ends.length).toBe(items.length);
  expect([executor.room(app), woken]).toEqual([0, []]);
  ends[0]?.();
  await all[0];
  expect([executor.room(app), woken]).toEqual([1, [app.id]]);
  for (const end of ends) end();
  await Promise.all(all);
  expect(woken).toEqual([app.id]);
});

it("a server is not idle while an execution is about to start, and until it has ended", async () => {
  const ends: (() => void)[] = [];
  const fetch = () => new Promise<HttpOutcome>((resolve) => ends.push(() => resolve(answer({ status: "SUCCESS" }))));
  const { executor, store, claimed } = await executorScene({ world: { fetch } });
  const [item] = await claimed(1);
  if (!item) throw new Error("the run was not claimed");
  executor.begin(item.run, item.token);
  let idle = false;
  const waiting = executor.idle().then(() => {
    idle = true;
  });
  await expect.poll(() => ends.length).toBe(1);
  expect(idle).toBe(false);
  ends[0]?.();
  await waiting;
  await expect.poll(async () => (await store.run(null, item.run.id))?.state.kind).toBe("finished");
});
