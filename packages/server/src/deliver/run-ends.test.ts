// Room: deliver. Waiting for a run's end: ends here and on other servers, news that is lost, callers that go, servers that stop. Time is the test's.
import { expect, it } from "vitest";
import type { World } from "../platform/world.ts";
import type { ChangeListener } from "../runs/change.ts";
import { LocalBus } from "../store/local-bus.ts";
import { sampleEvent, sampleRun } from "../store/samples.conformance.ts";
import type { BusMessage, RunRow } from "../store/store.ts";
import { RunEnds } from "./run-ends.ts";

interface Timer {
  at: number;
  callback: () => void;
}

class Bench {
  readonly bus = new LocalBus();
  readonly run = sampleRun(sampleEvent());
  readonly ended: RunRow = { ...this.run, state: { kind: "finished", at: 1, outcome: { status: "SUCCESS", output: "1" } } };
  /** What the database has. */
  stored: RunRow | null | Error = this.run;
  looks = 0;
  isHere = true;
  readonly said: BusMessage[] = [];
  readonly ends: RunEnds;
  #now = 0;
  readonly #timers = new Set<Timer>();
  readonly #listeners: ChangeListener[] = [];

  constructor() {
    const after: World["after"] = (ms, callback) => {
      const timer = { at: this.#now + ms, callback };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    };
    const run = async () => {
      this.looks += 1;
      if (this.stored instanceof Error) throw this.stored;
      return this.stored;
    };
    const onChange = (listener: ChangeListener) => void this.#listeners.push(listener);
    const newId = (() => "srv_here") as World["newId"];
    const executes = () => this.isHere;
    this.ends = new RunEnds({ world: { after, newId }, store: { run }, bus: this.bus, runs: { onChange }, executes });
    this.bus.subscribe((message) => void this.said.push(message));
  }

  wait(withinMs = 60_000, gone = new AbortController().signal) {
    return this.ends.of(this.run, { withinMs, gone, isNew: true });
  }

  /** As the only writer of runs says it: the news first, then whoever listens. */
  endsHere(): void {
    this.newsOfEnd();
    this.changes(this.ended);
  }

  changes(run: RunRow): void {
    for (const listener of this.#listeners) listener(run, {} as never, []);
  }

  newsOfEnd(): void {
    const { id, jobId, environmentId } = this.run;
    this.bus.publish({ type: "live", environmentId, message: { type: "run", id, job: jobId, status: "SUCCESS" } });
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const timer of [...this.#timers].filter(({ at }) => at <= this.#now)) {
      this.#timers.delete(timer);
      timer.callback();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  get timers(): number {
    return this.#timers.size;
  }
}

it("hands over a run that ends here without reading it, to all who wait", async () => {
  const bench = new Bench();
  const both = [bench.wait(), bench.wait()];
  expect(bench.ends.waiting).toBe(2);
  bench.endsHere();
  expect(await Promise.all(both)).toEqual([bench.ended, bench.ended]);
  expect([bench.looks, bench.ends.waiting, bench.timers]).toEqual([0, 0, 0]);
});

it("reads a run of which another server says that it ended", async () => {
  const bench = new Bench();
  const waits = bench.wait();
  bench.stored = bench.ended;
  bench.newsOfEnd();
  expect(await waits).toBe(bench.ended);
  expect(bench.looks).toBe(1);
});

it("tells other servers once what it awaits and does not execute, and hears at once that it ended there", async () => {
  const bench = new Bench();
  bench.isHere = false;
  const both = [bench.wait(), bench.wait()];
  expect(bench.said).toEqual([{ type: "awaited", runId: bench.run.id, by: "srv_here" }]);
  bench.stored = bench.ended;
  bench.bus.publish({ type: "ended", runId: bench.run.id });
  expect(await Promise.all(both)).toEqual([bench.ended, bench.ended]);
});

it("tells other servers of what it executes only once that may go on with them", async () => {
  const bench = new Bench();
  const waits = bench.wait();
  bench.changes({ ...bench.run, state: { kind: "executing", token: "t", since: 1 } as RunRow["state"] });
  expect(bench.said).toEqual([]);
  for (const _ of "ab") bench.changes(bench.run);
  expect(bench.said).toEqual([{ type: "awaited", runId: bench.run.id, by: "srv_here" }]);
  bench.endsHere();
  expect(await waits).toBe(bench.ended);
});

it("says at once that a run ended that another server awaits, once, and of no other", async () => {
  const bench = new Bench();
  const ends = () => bench.said.filter(({ type }) => type === "ended");
  bench.changes(bench.ended);
  bench.bus.publish({ type: "awaited", runId: bench.run.id, by: "srv_here" });
  bench.changes(bench.ended);
  expect(ends()).toEqual([]);
  bench.bus.publish({ type: "awaited", runId: bench.run.id, by: "srv_other" });
  bench.changes(bench.run);
  expect(ends()).toEqual([]);
  for (const _ of "ab") bench.changes(bench.ended);
  expect(ends()).toEqual([{ type: "ended", runId: bench.run.id }]);
});

it("remembers a bounded number of runs that others await, and none that ended elsewhere", async () => {
  const bench = new Bench();
  const awaited = (runId: string) => bench.bus.publish({ type: "awaited", runId, by: "srv_other" });
  const ends = () => bench.said.filter(({ type }) => type === "ended").length;
  awaited(bench.run.id);
  bench.bus.publish({ type: "ended", runId: bench.run.id });
  bench.changes(bench.ended);
  expect(ends(), "what the other server said").toBe(1);
  awaited(bench.run.id);
  for (let i = 0; i < 10_000; i += 1) awaited(`run_${i}`);
  bench.changes(bench.ended);
  expect(ends()).toBe(1);
});

it("finds an end whose news was lost, through an outage of the database, and one before it began to wait", async () => {
  const bench = new Bench();
  const waits = bench.wait();
  bench.stored = new Error("no database");
  await bench.pass(5_000);
  bench.stored = bench.ended;
  await bench.pass(5_000);
  expect(await waits).toBe(bench.ended);
  const old = bench.ends.of(bench.run, { withinMs: 60_000, gone: new AbortController().signal, isNew: false });
  expect(await old).toBe(bench.ended);
});

it("waits no longer than it may, nor for who has gone, nor when the server stops", async () => {
  const bench = new Bench();
  const short = bench.wait(1_000);
  await bench.pass(1_000);
  expect(await short).toBeNull();
  const gone = new AbortController();
  const left = bench.wait(60_000, gone.signal);
  gone.abort();
  expect(await left).toBeNull();
  expect(await bench.wait(60_000, gone.signal)).toBeNull();
  const last = bench.wait();
  bench.ends.stop();
  expect([await last, await bench.wait()]).toEqual([null, null]);
  expect([bench.ends.waiting, bench.timers]).toEqual([0, 0]);
});

it("a run that is no longer kept is not waited for", async () => {
  const bench = new Bench();
  const waits = bench.wait();
  bench.stored = null;
  await bench.pass(5_000);
  expect(await waits).toBeNull();
});

it("refuses more calls than it can hold", async () => {
  const bench = new Bench();
  const all = Array.from({ length: 10_000 }, () => bench.wait());
  await expect(bench.wait()).rejects.toMatchObject({ code: "OVERLOADED" });
  bench.endsHere();
  expect(new Set(await Promise.all(all))).toEqual(new Set([bench.ended]));
});
