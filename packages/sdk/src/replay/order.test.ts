// Races are won in a replay by whoever won them first: a program that took one branch must not be led into another one by its own record.
import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import type { IO } from "../io/io.ts";

/** The winners a program saw, one for each execution that got so far. */
async function winners(race: (io: IO, model: RunModel) => Promise<unknown>): Promise<unknown[]> {
  const model = new RunModel();
  const seen: unknown[] = [];
  await model.finish(async (io) => {
    seen.push(await race(io, model));
    await io.wait("afterwards", 100);
    await io.wait("and again", 100);
  });
  return seen;
}

describe("in a replay, Promise.race is won by", () => {
  it("the work that was done before a timeout named first", async () => {
    const timeout = (io: IO) => io.wait("timeout", 5).then(() => "timeout");
    const work = (io: IO) => io.runTask("work", async () => "work").then((value) => value);
    expect(await winners((io) => Promise.race([timeout(io), work(io)]))).toEqual(["work", "work", "work", "work"]);
  });

  it("the faster of two tasks, whatever stands behind them", async () => {
    const task = (io: IO, model: RunModel, name: string, ms: number) =>
      io.runTask(name, () => new Promise<string>((done) => void model.runtime.after(ms, () => done(name))));
    const seen = winners(async (io, model) => {
      const slow = task(io, model, "slow", 30);
      const fast = task(io, model, "fast", 10).then(async (value) => {
        for (let i = 0; i < 10; i++) await undefined;
        return value;
      });
      void model.runtime.advance(10).then(() => model.runtime.advance(30));
      const winner = await Promise.race([slow, fast]);
      await slow;
      return winner;
    });
    expect(await seen).toEqual(["fast", "fast", "fast"]);
  });

  it("the recorded result, not by what this execution can do at once", async () => {
    const instant = (io: IO) => io.runTask("instant", async () => "instant");
    const model = new RunModel();
    await model.execute(async (io) => io.runTask("recorded", async () => "recorded"));
    // As after a deploy of new code: a task more in the race.
    const slow = (io: IO) => io.runTask("recorded", async () => "never again").then((value) => value);
    expect(await model.finish((io) => Promise.race([io.wait("now", 0).then(() => "now"), instant(io), slow(io)]))).toMatchObject({
      output: '"recorded"',
    });
  });

  it("the one that failed first", async () => {
    const failing = (io: IO) => io.runTask("failing", async () => Promise.reject(new Error("failed")));
    const seen = winners((io) => Promise.race([io.wait("timeout", 5), failing(io)]).catch((error: Error) => error.message));
    expect(await seen).toEqual(["failed", "failed", "failed", "failed"]);
  });
});
