// Room: deliver. Waiting for a run's end: ends here and on other servers, news that is lost, callers that go, servers that stop. Time is the test's.
import { expect, it } from "vitest";
import type { World } from "../platform/world.ts";
import type { ChangeListener } from "../runs/change.ts";
import { LocalBus } from "../store/local-bus.ts";
import { sampleEvent, sampleRun } from "../store/samples.conformance.ts";
import type { RunRow } from "../store/store.ts";
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
    this.ends = new RunEnds({ world: { after } as World, store: { run }, bus: this.bus, runs: { onChange } });
  }

  wait(withinMs = 60_000, gone = new AbortController().signal) {
    return this.ends.of(this.run, { withinMs, gone, isNew: true });
  }

  /** As the only writer of runs says it: the news first, then whoever listens. */
  endsHere(): void {
    this.newsOfEnd();
    for (const listener of this.#listeners) listener(this.ended, {} as never, []);
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
