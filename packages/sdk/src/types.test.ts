// Programs of v2, as their authors wrote them: they must compile against this package, with the types they rely on.
// `npx tsc -p tsconfig.tests.json` is the real check of this file.
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { VirtualRuntime } from "../test-kit/virtual-runtime.ts";
import {
  eventTrigger,
  type IO,
  type IOTask,
  invokeTrigger,
  isTriggerError,
  Job,
  type JobIO,
  type JobPayload,
  omit,
  redactString,
  retry,
  type TaskLogger,
  TriggerClient,
  type TriggerContext,
  type TriggerIntegration,
  verifyRequestSignature,
} from "./index.ts";

const client = new TriggerClient({ id: "types", apiKey: "tr_dev_x", runtime: new VirtualRuntime() });

describe("programs of v2 compile", () => {
  it("a webhook that becomes a job", () => {
    const clerk = client.defineHttpEndpoint({
      id: "clerk.com",
      title: "Clerk",
      source: "clerk.com",
      icon: "clerk",
      verify: async (request: Request): Promise<{ success: boolean; reason?: string }> => {
        const payload = await request.text();
        const headers = { id: request.headers.get("svix-id") || "" };
        if (headers.id === "") return { success: false, reason: "Missing svix headers" };
        return { success: payload !== "" };
      },
    });
    const job = client.defineJob({
      id: "http-clerk",
      name: "HTTP Clerk",
      version: "1.0.0",
      enabled: true,
      trigger: clerk.onRequest(),
      run: async (request, io, ctx) => {
        expectTypeOf(request).toEqualTypeOf<Request>();
        expectTypeOf(ctx).toEqualTypeOf<TriggerContext>();
        expectTypeOf(ctx.run.startedAt).toEqualTypeOf<Date>();
        const body = await request.json();
        await io.logger.info("Body", body);
      },
    });
    expectTypeOf<JobPayload<typeof job>>().toEqualTypeOf<Request>();
    clerk.onRequest({
      filter: { body: { type: ["user.created"] }, headers: { "x-a": [{ $startsWith: "b" }] }, method: ["POST"] },
    });
    expect(job.id).toBe("http-clerk");
  });

  it("events with and without a schema", () => {
    const schema = z.object({ userId: z.string(), tier: z.enum(["free", "pro"]).default("free") });
    const job = new Job({
      id: "typed",
      name: "Typed",
      version: "1.0.0",
      trigger: eventTrigger({ name: "user.created", schema, filter: { tier: ["pro"], age: [{ $gte: 18 }] } }),
      run: async (payload, io) => {
        expectTypeOf(payload).toEqualTypeOf<{ userId: string; tier: "free" | "pro" }>();
        const length = await io.runTask("len", async () => payload.userId.length, { name: "Length", icon: "ruler" });
        expectTypeOf(length).toEqualTypeOf<number>();
        return { length };
      },
    });
    expectTypeOf<JobPayload<typeof job>>().toEqualTypeOf<{ userId: string; tier: "free" | "pro" }>();
    expectTypeOf<JobIO<typeof job>>().toExtend<IO>();
    client.defineJob({
      id: "untyped",
      name: "Untyped",
      version: "1.0.0",
      trigger: eventTrigger({ name: ["a", "b"] }),
      run: async (payload) => payload.anything.goes,
    });
    client.defineJob({
      id: "invoked",
      name: "I",
      version: "1.0.0",
      trigger: invokeTrigger({ schema }),
      run: async (p) => p.userId,
    });
    expect(job.version).toBe("1.0.0");
  });

  it("everything io offers", () => {
    const run = async (payload: unknown, io: IO, ctx: TriggerContext) => {
      interface User {
        id: string;
        emails: { address: string }[];
      }
      const user = await io.runTask(
        ["user", 1, { deep: true }],
        async (task, inner): Promise<User> => {
          expectTypeOf(task).toEqualTypeOf<IOTask>();
          await inner.logger.debug(task.idempotencyKey, { attempts: task.attempts });
          task.outputProperties = [{ label: "a", text: "b", url: "https://x" }];
          return { id: "1", emails: [] };
        },
        { retry: retry.standardBackoff, params: payload, properties: [{ label: "a", text: "b" }] },
        (error, task) => {
          if (error instanceof TypeError) return { skipRetrying: true };
          if (task.attempts > 3) return new Error("too often");
          return { retryAt: new Date(0), error: new Error("later"), jitter: 1 };
        },
      );
      expectTypeOf(user).toEqualTypeOf<User>();
      await io.runTask("nothing", async () => {
        await Promise.resolve();
      });
      await io.wait("a", 5);
      const sent = await io.sendEvent(
        "e",
        { name: "x", payload: { a: 1 }, id: "1", timestamp: new Date(0) },
        { deliverAfter: 5 },
      );
      expectTypeOf(sent.timestamp).toEqualTypeOf<Date>();
      await io.sendEvents("es", [{ name: "x" }], { accountId: "acc", deliverAt: new Date(0) });
      const doubled = await io.parallel("p", [1, 2], async (item, index) => item * index, { name: "Double" });
      expectTypeOf(doubled).toEqualTypeOf<number[]>();
      const tried = await io.try(
        async () => 1,
        async (error) => (isTriggerError(error) ? "signal" : "error"),
      );
      expectTypeOf(tried).toEqualTypeOf<number | string>();
      io.yield("y");
      io.brb("z");
      expectTypeOf(await io.random("r", { min: 1, max: 5, round: true })).toEqualTypeOf<number>();
      const logger: TaskLogger = io.logger;
      await logger.warn(ctx.environment.type);
    };
    expectTypeOf(run).parameter(1).toEqualTypeOf<IO>();
    expect(run).toBeTypeOf("function");
  });

  it("integrations appear on io", () => {
    class Mail implements TriggerIntegration {
      id = "mail";
      metadata = { id: "mail", name: "Mail" };
      authSource = "LOCAL" as const;
      cloneForRun(): Mail {
        return this;
      }
      async send(key: string): Promise<string> {
        return key;
      }
    }
    client.defineJob({
      id: "mailing",
      name: "Mailing",
      version: "1.0.0",
      integrations: { mail: new Mail() },
      trigger: invokeTrigger(),
      run: async (_payload, io) => {
        expectTypeOf(await io.mail.send("k")).toEqualTypeOf<string>();
        return io.runTask("x", async () => 1);
      },
    });
    expect(client.served).toBe(false);
  });

  it("kept values, events looked at and canceled, schedules registered at run time", () => {
    const schedule = client.defineDynamicSchedule({ id: "times" });
    const job = client.defineJob({
      id: "times",
      name: "Times",
      version: "1.0.0",
      trigger: schedule,
      run: async ({ ts, lastTimestamp }, io, ctx) => {
        expectTypeOf(ts).toEqualTypeOf<Date>();
        expectTypeOf(lastTimestamp).toEqualTypeOf<Date | undefined>();
        const key: string | undefined = ctx.source?.id;
        expectTypeOf(await io.store.job.get<{ n: number }>("get", "k")).toEqualTypeOf<{ n: number } | undefined>();
        expectTypeOf(await io.store.run.set(["set", 1], "k", { n: 1 })).toEqualTypeOf<{ n: number }>();
        expectTypeOf(await io.store.env.has("has", "k")).toEqualTypeOf<boolean>();
        expectTypeOf(await client.store.env.get<string>("k")).toEqualTypeOf<string | undefined>();
        const event = await io.getEvent("event", "id");
        expectTypeOf(event.createdAt).toEqualTypeOf<Date>();
        const { cancelledAt } = await io.cancelEvent("cancel", event.id);
        const { cancelledRunIds } = await client.cancelRunsForEvent("id");
        await schedule.register(key ?? "k", {
          type: "interval",
          options: { seconds: 60 },
          metadata: { cancelledAt, cancelledRunIds },
        });
        const { active } = await io.registerCron("cron", schedule, "k", { cron: "* * * * *" });
        return { active };
      },
    });
    expectTypeOf<JobPayload<typeof job>>().toEqualTypeOf<{ ts: Date; lastTimestamp?: Date | undefined }>();
    // @ts-expect-error an interval takes seconds
    const wrong = () => schedule.register("k", { type: "interval", options: { cron: "* * * * *" } });
    expect([job.trigger.id, typeof wrong]).toEqual(["times", "function"]);
  });

  it("the small things", async () => {
    expect(omit({ a: 1, b: 2 }, "a")).toEqual({ result: { b: 2 }, ommited: 1 });
    expect(redactString`Bearer ${"abc"} q`).toEqual({
      __redactedString: true,
      strings: ["Bearer ", " q"],
      interpolations: ["abc"],
    });
    const request = new Request("http://x/", { method: "POST", body: "{}" });
    const result = await verifyRequestSignature({ request, headerName: "x", secret: "s", algorithm: "sha256" });
    expectTypeOf(result).toEqualTypeOf<{ success: true } | { success: false; reason?: string | undefined }>();
    expect(result).toEqual({ success: false, reason: "Missing header" });
  });

  it("wrong ones do not", () => {
    // @ts-expect-error a job needs a trigger
    const untriggered = () => client.defineJob({ id: "x", name: "x", version: "1.0.0", run: async () => {} });
    // @ts-expect-error verify must answer success
    client.defineHttpEndpoint({ id: "x", source: "x", verify: async () => ({ ok: true }) });
    expect(untriggered).toThrow();
  });
});
