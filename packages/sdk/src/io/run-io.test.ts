// What is built on tasks: random numbers, try, events.

import { describe, expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import type { IO } from "../io/io.ts";
import { isTriggerError } from "../replay/errors.ts";

const ok = (output: unknown) => ({ status: "SUCCESS", output: JSON.stringify(output) });

describe("io", () => {
  it("remembers random numbers, and refuses impossible bounds", async () => {
    const model = new RunModel();
    const program = async (io: IO) => [
      await io.random("r"),
      await io.random("i", { min: 10, max: 20, round: true }),
      await io.random("bad", { min: 2, max: 1 }).catch((error: Error) => error.message),
    ];
    const first = await model.execute(program);
    model.runtime.chance = 0.1;
    expect(await model.execute(program)).toEqual(first);
    expect(first).toEqual(ok([0.5, 15, "Lower bound can't be higher than upper bound - min: 2, max: 1"]));
  });

  it("tries, and lets a yield through", async () => {
    const model = new RunModel();
    const boom = async (): Promise<string> => {
      throw new Error("boom");
    };
    const outcome = await model.finish(async (io) => {
      const caught = await io.try(
        () => io.runTask("a", boom),
        async (error) => (error as Error).message,
      );
      const passed = await io.try(
        async () => {
          io.yield("again");
          return "second time";
        },
        async (error) => `swallowed, ${isTriggerError(error)}`,
      );
      return [caught, passed];
    });
    expect(outcome).toEqual(ok(["boom", "second time"]));
    expect(model.executions).toBe(2);
  });

  it("sends an event once, with an id made from the task's key", async () => {
    const model = new RunModel();
    const sent: unknown[] = [];
    model.runtime.fetch = async (_url, init) => {
      const { event } = JSON.parse(String(init.body));
      sent.push(event);
      return Response.json({ ...event, timestamp: "2026-01-01T00:00:00.000Z" });
    };
    const program = async (io: IO) => {
      const event = await io.sendEvent("send", { name: "n", payload: { a: 1 } });
      return [event.id, event.timestamp.getTime()];
    };
    const first = await model.execute(program);
    expect(await model.execute(program)).toEqual(first);
    expect(sent).toEqual([{ name: "n", payload: { a: 1 }, id: model.named("send")[0]?.key }]);
    expect(first).toEqual(ok([model.named("send")[0]?.key, Date.UTC(2026, 0, 1)]));
  });

  it("looks an event up and cancels one, each once, with times as dates on every replay", async () => {
    const model = new RunModel();
    const calls: string[] = [];
    const at = "2026-01-01T00:00:00.000Z";
    model.runtime.fetch = async (url, init) => {
      calls.push(`${init?.method} ${new URL(String(url)).pathname}`);
      const runs = [{ id: "run_1", status: "QUEUED", startedAt: null, completedAt: null }];
      if (init?.method === "GET") return Response.json({ id: "a/b", name: "n", createdAt: at, updatedAt: at, runs });
      return Response.json({ id: "c", name: "n", payload: {}, timestamp: at, deliverAt: at, cancelledAt: at });
    };
    const program = async (io: IO) => {
      const event = await io.getEvent("get", "a/b");
      const canceled = await io.cancelEvent("cancel", "c");
      return [event.createdAt.getTime(), event.updatedAt.getTime(), event.runs[0]?.startedAt, canceled.cancelledAt?.getTime()];
    };
    const first = await model.execute(program);
    expect(await model.execute(program)).toEqual(first);
    expect(first).toEqual(ok([Date.parse(at), Date.parse(at), null, Date.parse(at)]));
    expect(calls).toEqual(["GET /api/v2/events/a%2Fb", "POST /api/v1/events/c/cancel"]);
    expect(JSON.parse(model.named("cancelEvent")[0]?.details ?? "")).toEqual({
      properties: [{ label: "id", text: "c" }],
      params: { eventId: "c" },
    });
  });

  it("sends an event again after an outage of the server, and gives up at once when it is refused", async () => {
    const model = new RunModel();
    let calls = 0;
    model.runtime.fetch = async (_url, init) => {
      calls += 1;
      if (calls <= 5) throw new Error("connect ECONNREFUSED");
      const { event } = JSON.parse(String(init.body));
      if (event.name === "bad") return Response.json({ message: "no such thing" }, { status: 422 });
      return Response.json({ ...event, timestamp: "2026-01-01T00:00:00.000Z" });
    };
    model.runtime.after = (_ms, callback) => {
      setImmediate(callback);
      return () => {};
    };
    const program = async (io: IO) => {
      const { name } = await io.sendEvent("send", { name: "n" });
      const refused = await io.sendEvent("refused", { name: "bad" }).catch((error: Error) => error.message);
      return [name, refused];
    };
    expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED" });
    expect(await model.finish(program)).toEqual(ok(["n", "no such thing"]));
    expect(calls).toBe(7);
  });
});
