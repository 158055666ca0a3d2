// Room: worker, on the memory store: which runs are stored claimed, and that room is kept and given back.
import { beforeEach, expect, it } from "vitest";
import { planRuns } from "../dispatch/plan.ts";
import { executorScene } from "../execute/fixture.test.mts";
import { sampleEvent, world } from "../store/samples.conformance.ts";
import type { BusMessage, RunRow } from "../store/store.ts";
import { FirstClaims } from "./first-claims.ts";
import { News } from "./news.ts";

const ROOM = 100;
const OWNER = "srv_this";

async function scene(jobs: string[], url: string | null) {
  const made = await executorScene({ jobs, url });
  const { registry, runs, executor, bus, woken } = made;
  const begun: RunRow[] = [];
  executor.begin = (run) => void begun.push(run);
  const heard: BusMessage[] = [];
  bus.subscribe((message) => heard.push(message));
  const wake = (queues: string[]) => void woken.push(...queues);
  const first = new FirstClaims({ world, registry, runs, executor, news: new News(world, bus), owner: OWNER, wake });
  const start = () => first.of(planRuns(registry, world, sampleEvent({ name: "hello", source: "trigger.dev" })));
  return { ...made, begun, heard, start };
}

let jobs: string[];
beforeEach(() => {
  jobs = ["one", "two"];
});

it("a run whose app has room is stored executing and leased to this server, and begins once stored", async () => {
  const { app, executor, begun, woken, heard, start } = await scene(jobs, "http://127.0.0.1:9/");
  const starting = start();
  for (const [i, run] of starting.runs.entries()) {
    expect(run).toMatchObject({ state: { kind: "executing" }, executions: 1, revision: 0 });
    const token = run.state.kind === "executing" ? run.state.token : "";
    expect(starting.work[i]).toMatchObject({ id: run.id, kind: "run", queue: app.id, token, owner: OWNER });
  }
  expect(executor.room(app)).toBe(ROOM - 2);
  expect(begun).toEqual([]);
  starting.stored();
  expect(begun).toEqual(starting.runs);
  expect(woken).toEqual([]);
  const told = heard.flatMap((message) => (message.type === "live" && message.message.type === "run" ? [message.message] : []));
  expect(told.map(({ job, status }) => [job, status])).toEqual([
    ["one", "EXECUTING"],
    ["two", "EXECUTING"],
  ]);
});

it("what is not stored gives its room back and begins nothing", async () => {
  const { app, executor, begun, woken, start } = await scene(jobs, "http://127.0.0.1:9/");
  const starting = start();
  starting.dropped();
  expect(executor.room(app)).toBe(ROOM);
  expect(woken).toEqual([app.id]);
  expect(begun).toEqual([]);
});

it("beyond the room of its app a run is stored as due, and its queue is woken", async () => {
  jobs = Array.from({ length: ROOM + 3 }, (_, i) => `job ${i}`);
  const { app, executor, begun, woken, start } = await scene(jobs, "http://127.0.0.1:9/");
  const starting = start();
  expect(starting.runs.map(({ state }) => state.kind)).toEqual(jobs.map((_, i) => (i < ROOM ? "executing" : "queued")));
  expect(starting.work.filter(({ token }) => token === undefined)).toHaveLength(3);
  expect(executor.room(app)).toBe(0);
  starting.stored();
  expect(begun).toHaveLength(ROOM);
  expect(woken).toEqual([app.id]);
});

it("a server that drains, or that cannot reach the app, claims nothing", async () => {
  const drained = await scene(jobs, "http://127.0.0.1:9/");
  drained.executor.drain();
  expect(drained.start().runs.map(({ state }) => state.kind)).toEqual(["queued", "queued"]);
  const nowhere = await scene(jobs, null);
  expect(nowhere.start().runs.map(({ state }) => state.kind)).toEqual(["queued", "queued"]);
});

it("a run that has to ask for slots first is stored unclaimed", async () => {
  const { app, registry, woken, executor, runs, bus } = await scene(jobs, "http://127.0.0.1:9/");
  const wake = (queues: string[]) => void woken.push(...queues);
  const first = new FirstClaims({ world, registry, runs, executor, news: new News(world, bus), owner: OWNER, wake });
  const plan = planRuns(registry, world, sampleEvent({ name: "hello", source: "trigger.dev" }));
  const [limited] = plan.runs;
  if (limited) limited.flow = { gates: [{ id: "g", rule: "g", limit: 1 }], priority: 0 };
  const starting = first.of(plan);
  expect(starting.runs.map(({ state }) => state.kind)).toEqual(["queued", "executing"]);
  expect(starting.work.map(({ token }) => token === undefined)).toEqual([true, false]);
  starting.stored();
  expect(woken).toEqual([app.id]);
});

it("a server that stops waits for runs it is storing, and for those that begin", async () => {
  const { executor, start } = await scene(["one"], "http://127.0.0.1:9/");
  const starting = start();
  executor.drain();
  let idle = false;
  const waiting = executor.idle().then(() => {
    idle = true;
  });
  await new Promise(setImmediate);
  expect(idle).toBe(false);
  starting.dropped();
  await waiting;
});
