// Logs, which cost nothing of their own, and the end of an execution, after which nothing happens.

import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { settled } from "../../test-kit/virtual-runtime.ts";
import type { IO } from "../io/io.ts";

const ok = (output: unknown) => ({ status: "SUCCESS", output: JSON.stringify(output) });

describe("logs", () => {
  it("travel with the next report, or with the end", async () => {
    const model = new RunModel();
    const { ended } = model.begin(async (io) => {
      await io.logger.info("one", { a: 1 });
      await io.runTask("a", async () => 1);
      await io.logger.error("two", new Error("boom"));
    });
    const end = await ended;
    expect(model.calls.map((items) => items.map((item) => item.name))).toEqual([["log", "Task"]]);
    expect(end).toMatchObject({ items: [{ name: "log", noop: true, status: "COMPLETED" }] });
    expect(JSON.parse(model.calls[0]?.[0]?.details ?? "")).toEqual({
      icon: "log",
      description: "one",
      params: { a: 1 },
      properties: [{ label: "Level", text: "INFO" }],
      style: { style: "minimal", variant: "info" },
    });
    const details = end.kind === "ended" ? JSON.parse(end.items[0]?.details ?? "") : undefined;
    expect(details.params).toMatchObject({ name: "Error", message: "boom" });
  });

  it("may say the same twice; the second is another line, and neither is repeated on replay", async () => {
    const model = new RunModel();
    const program = async (io: IO) => {
      for (let i = 0; i < 3; i++) await io.logger.info("same");
    };
    await model.execute(program);
    expect(model.named("log")).toHaveLength(3);
    const end = await model.begin(program).ended;
    expect(end).toMatchObject({ kind: "ended", items: [] });
  });

  it("are sent after a while even if nothing else happens, and in bounded reports", async () => {
    const model = new RunModel();
    const { ended } = model.begin(async (io) => {
      await io.logger.info("early");
      await io.runTask("slow", () => new Promise<void>((resolve) => model.runtime.after(1000, resolve)));
      for (let i = 0; i < 1700; i++) void io.logger.info(`line ${i}`);
    });
    await model.runtime.advance(250);
    expect(model.named("log")).toHaveLength(1);
    await model.runtime.advance(1000);
    const end = await ended;
    const lines = model.named("log").length + (end.kind === "ended" ? end.items.length : 0);
    expect(lines).toBe(1701);
    expect(Math.max(...model.calls.map((items) => items.length))).toBeLessThanOrEqual(1000);
  });

  it("are recorded in a task under way while the execution yields, and the task ends", async () => {
    const model = new RunModel();
    let started = 0;
    const program = (io: IO) =>
      Promise.all([
        io.runTask("busy", async () => {
          started += 1;
          await settled(2);
          await io.logger.info("still here");
          return "done";
        }),
        (async () => io.yield("y"))(),
      ]);
    expect(await model.execute(program)).toEqual({ status: "YIELDED", key: "y" });
    expect(model.named("log")).toHaveLength(1);
    expect(await model.execute(program)).toEqual(ok(["done", null]));
    expect(started).toBe(1);
  });

  it("never fail the run, whatever is logged", async () => {
    const model = new RunModel();
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const outcome = await model.execute(async (io) => {
      await io.logger.info("circular", circular);
      await io.logger.info("bigint", { n: 1n });
      await io.logger.info("large", { text: "x".repeat(2_000_000) });
      return "done";
    });
    expect(outcome).toEqual(ok("done"));
    expect(model.named("log")).toHaveLength(3);
  });
});

describe("the end", () => {
  it("says stale or abandoned, and nothing goes on after it", async () => {
    for (const answer of ["stale", new Error("gone")] as const) {
      const model = new RunModel();
      model.answers.push(answer);
      const after: string[] = [];
      const { ended } = model.begin(async (io) => {
        await io.runTask("a", async () => 1).finally(() => after.push("settled"));
        after.push("went on");
      });
      expect((await ended).kind).toBe(answer === "stale" ? "stale" : "abandoned");
      await model.runtime.advance(1000);
      expect(after).toEqual([]);
      expect(model.calls).toHaveLength(0);
    }
  });

  it("lets no task start or report any more", async () => {
    const model = new RunModel();
    let performed = 0;
    let keep: Promise<unknown> = Promise.resolve();
    await model.execute(async (io) => {
      keep = (async () => {
        await settled();
        await io.logger.info("late");
        await io.runTask("late", async () => {
          performed += 1;
        });
        return "went on";
      })();
    });
    expect(await Promise.race([keep, settled(60).then(() => "stuck")])).toBe("stuck");
    expect(performed).toBe(0);
    expect(model.rows.size).toBe(0);
  });

  it("waits for reports under way", async () => {
    const model = new RunModel();
    model.hold = true;
    let over = false;
    const { ended } = model.begin(async (io) => {
      void io.runTask("floating", async () => 1);
      await settled();
    });
    void ended.then(() => (over = true));
    await settled(30);
    expect(over).toBe(false);
    model.release();
    expect((await ended).kind).toBe("ended");
  });

  it("fails the run when its output is no JSON", async () => {
    const outcome = await new RunModel().execute(async () => ({ n: 1n }));
    expect(outcome).toMatchObject({ status: "ERROR", error: { message: expect.stringContaining("BigInt") } });
  });
});
