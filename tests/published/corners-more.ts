// More jobs of the corners of v2's surface: what is invoked, in parallel, listed, kept, waited for. Of the same app as corners.ts.
import { eventTrigger, intervalTrigger, invokeTrigger, Job, verifyHmacSha256, verifyRequestSignature } from "@trigger.dev/sdk";
import { z } from "zod";
import { client, messageOf, note, on } from "./corners.ts";

// A child whose payload does not fit: the parent's end.
const picky = client.defineJob({
  id: "picky",
  name: "Picky",
  version: "1.0.0",
  trigger: invokeTrigger({
    schema: z.object({ n: z.number().min(1), when: z.coerce.date().optional() }),
    examples: [{ id: "one", name: "One", payload: { n: 1 } }],
  }),
  run: async ({ n, when }) => ({ n, date: when instanceof Date }),
});
client.defineJob({
  ...on("invoke"),
  id: "invokes-picky",
  run: async (_payload, io) => {
    const date = await picky.invokeAndWaitForCompletion("date", { n: 1, when: new Date(0) });
    const none = await picky.batchInvokeAndWaitForCompletion("none", []);
    const many = await picky
      .batchInvokeAndWaitForCompletion(
        "too many",
        Array.from({ length: 26 }, () => ({ payload: { n: 1 } })),
      )
      .catch((error: Error) => error.message);
    const wrong = await picky.invoke({ n: 1 }).catch((error: Error) => error.message.length > 0);
    const byId = await io.runTask("by id", async (task) =>
      client.invokeJob("picky", { n: 2 }, { idempotencyKey: task.idempotencyKey }),
    );
    return { date: date.ok && date.output, status: date.status, none, many, wrong, byId: typeof byId.id };
  },
});
client.defineJob({
  ...on("invoke-badly"),
  id: "invokes-badly",
  run: async () => {
    const ended = await picky.invokeAndWaitForCompletion("bad", { n: 0 });
    return ended.status;
  },
});

// parallel: empty, nested, of one, an index, mixed ends, and one that throws before it does anything.
client.defineJob({
  ...on("parallel"),
  id: "parallel",
  run: async (_payload, io) => {
    const none = await io.parallel("none", [] as number[], async (n) => n);
    const nested = await io.parallel("outer", ["a", "b"], (name, at) =>
      io.parallel(["inner", name], [1, 2], async (n, inner) => {
        if (n === 2) await io.wait(["pause", name, n], 0.1);
        return io.runTask([name, n], async () => `${name}${n} ${at}.${inner}`);
      }),
    );
    const mixed = await io.try(
      () =>
        io.parallel("mixed", [0, 1, 2], async (n) => {
          if (n === 0) throw new Error("at once");
          return io.runTask(["mixed", n], async () => n);
        }),
      async (error) => [messageOf(error)],
    );
    const retried = await io.parallel("retried", [1, 2], async (n) =>
      io.runTask(
        ["retried", n],
        async (task) => {
          if (task.attempts <= n) throw new Error("again");
          return task.attempts;
        },
        { retry: { limit: 4, factor: 1, minTimeoutInMs: 10, maxTimeoutInMs: 20, randomize: false } },
      ),
    );
    return { none, nested, mixed, retried };
  },
});

// Statuses: keys of lists, partial updates, data of every kind.
client.defineJob({
  ...on("status"),
  id: "status",
  run: async (_payload, io, ctx) => {
    const list = await io.createStatus(["made", "of", "parts"], {
      label: "Parts",
      data: { list: [1], nested: { a: null }, text: "t" },
    });
    const first = await list.update("first", { data: { n: 1 } });
    const second = await list.update(["second", 2], { state: "failure" });
    const bare = await io.createStatus("bare", { label: "Bare" });
    const third = await bare.update("third", { label: "Bare no more", state: "success", data: {} });
    const seen = await io.runTask("look", async () => client.getRunStatuses(ctx.run.id));
    return { first, second, third, seen: seen.statuses, run: seen.run.status };
  },
});

// Lists of runs and of tasks, page by page.
client.defineJob({
  ...on("paged"),
  id: "paged",
  run: async (payload: { n: number }, io) => {
    for (let n = 0; n < payload.n; n++) await io.runTask(["t", n], async () => n, { name: `T${n}`, params: { n } });
    return io.runTask("holds", async (_t, inner) => inner.runTask("held", async () => "in", { name: "Held" }), { name: "Holds" });
  },
});
client.defineJob({
  ...on("pages"),
  id: "pages",
  run: async (payload: { run: string }, io) =>
    io.runTask("look", async () => {
      const runs: string[] = [];
      let cursor: string | undefined;
      const sizes: number[] = [];
      do {
        const page = await client.getRuns("paged", { take: 2, ...(cursor ? { cursor } : {}) });
        sizes.push(page.runs.length);
        runs.push(...page.runs.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor && sizes.length < 9);
      const names: string[] = [];
      const pages: number[] = [];
      let from: string | undefined;
      do {
        const page = await client.getRun(payload.run, { take: 3, ...(from ? { cursor: from } : {}) });
        pages.push(page.tasks.length);
        names.push(...page.tasks.map(({ name }) => name));
        from = page.nextCursor;
      } while (from && pages.length < 9);
      const whole = await client.getRun(payload.run, { subtasks: true, taskdetails: true, take: 50 });
      const bare = await client.getRun(payload.run, { subtasks: false, taskdetails: false, take: 50 });
      const holds = whole.tasks.find(({ name }) => name === "Holds");
      return {
        sizes,
        distinct: new Set(runs).size,
        pages,
        names: names.sort(),
        held: holds?.subtasks?.map(({ name }) => name),
        output: whole.output,
        status: whole.status,
        bare:
          bare.tasks.some((task) => "params" in task && task.params !== undefined) ||
          bare.tasks.some(({ subtasks }) => (subtasks?.length ?? 0) > 0),
        dates: whole.startedAt instanceof Date && whole.completedAt instanceof Date && whole.updatedAt instanceof Date,
      };
    }),
});

// Values by key: every scope, deleting, undefined, overwriting, long keys, too large ones.
client.defineJob({
  ...on("store"),
  id: "store",
  run: async (_payload, io, ctx) => {
    const key = `k ${ctx.run.id}/ä?#%`;
    const gone = await io.store.run.get("gone", key);
    await io.store.run.set("set", key, { a: [1, { b: null }] });
    const got = await io.store.run.get("get", key);
    const set = await io.store.run.set("overwrite", key, "text");
    const other = await io.store.job.has("other scope", key);
    const falsy = [
      await io.store.run.set("zero", `${key}0`, 0),
      await io.store.run.get("get zero", `${key}0`),
      await io.store.run.set("null", `${key}n`, null),
      await io.store.run.get("get null", `${key}n`),
    ];
    const first = await io.store.run.delete("delete", key);
    const second = await io.store.run.delete("delete again", key);
    return { gone: gone === undefined, got, set, other, falsy, first, second };
  },
});

// Random numbers: whole, between, always the same when bounds are the same, and refused ones.
client.defineJob({
  ...on("random"),
  id: "random",
  run: async (_payload, io) => {
    const same = await io.random("same", { min: 3, max: 3 });
    const odd = await io.random("odd", { min: 0.5, max: 1.5, round: true });
    const whole = await io.random("whole", { min: -2, max: 2, round: true });
    const refused = await io.try(
      () => io.random("refused", { min: 2, max: 1 }),
      async (error) => messageOf(error),
    );
    return { same, odd: odd === 1 || odd === 2, whole: Number.isInteger(whole) && Math.abs(whole) <= 2, refused };
  },
});

// Logs of all levels, with data of every kind.
client.defineJob({
  ...on("logs"),
  id: "logs",
  run: async (_payload, io) => {
    await io.logger.log("log", { a: 1 });
    await io.logger.debug("debug", { list: [1] });
    await io.logger.info("info");
    await io.logger.warn("warn", { error: new Error("inside") } as never);
    await io.logger.error("error", new RangeError("itself") as never);
    await io.runTask("in a task", async (_t, inner) => {
      await inner.logger.info("info");
      await io.logger.info("outer io");
    });
    return "logged";
  },
});

// Yields: in a task's middle, keys seen before, both names, between parallel branches.
client.defineJob({
  ...on("yields"),
  id: "yields",
  run: async (_payload, io) => {
    const before = await io.runTask("before", async () => "before");
    io.yield("a");
    io.yield("a");
    io.brb("b");
    const after = await io.runTask("after", async (_t, inner) => inner.runTask("inside", async () => "inside"));
    return { before, after };
  },
});

// Branches that yield, one of which waits, too.
client.defineJob({
  ...on("yields-in-parallel"),
  id: "yields-in-parallel",
  run: async (_payload, io) => {
    let executions = 0;
    executions++;
    const names = await io.parallel("branches", ["a", "b", "c"], async (name) => {
      if (name !== "b") io.yield(`in ${name}`);
      if (name !== "a") await io.wait(["pause", name], 0.1);
      return io.runTask(["task", name], async () => name);
    });
    return { names, executions };
  },
});

// An event waited for that is one of several, by context, with a schema; and one that never comes.
client.defineJob({
  ...on("await"),
  id: "awaits",
  run: async (_payload, io, ctx) => {
    await io.runTask("tell", async () => note("awaits", ctx.run.id));
    const came = await io.waitForEvent(
      "wait",
      {
        name: ["corners.left", "corners.right"] as unknown as string,
        source: "elsewhere",
        schema: z.object({ run: z.string(), n: z.coerce.number() }),
        filter: { run: [ctx.run.id], n: [{ $exists: true }] },
        contextFilter: { by: [{ $startsWith: "some" }] },
      },
      { timeoutInSeconds: 120 },
    );
    const never = await io.try(
      () => io.waitForEvent("never", { name: "corners.never" }, { timeoutInSeconds: 1 }).then(() => "came"),
      async (error) => messageOf(error),
    );
    return {
      name: came.name,
      n: came.payload.n,
      source: came.source,
      context: came.context,
      date: came.timestamp instanceof Date,
      never,
    };
  },
});

// Jobs made apart, two clients' worth of helpers, signatures.
const apart = new Job({
  id: "apart",
  name: "Apart",
  version: "10.2.30",
  logLevel: "debug",
  trigger: eventTrigger({
    name: ["corners.apart", "corners.apart.too"],
    source: "apart",
    filter: { n: [{ $gt: 1 }, { $lt: 5 }] },
  }),
  run: async (payload: { n: number }, io, ctx) => {
    const body = JSON.stringify(payload);
    const request = (signature: string) =>
      new Request("https://x.example", { method: "POST", body, headers: { "x-sig": signature } });
    const { createHmac } = await import("node:crypto");
    const hex = createHmac("sha256", "hush").update(body).digest("hex");
    const verify = (signature: string, secret = "hush") =>
      verifyRequestSignature({ request: request(signature), headerName: "x-sig", secret, algorithm: "sha256" });
    const base64 = createHmac("sha256", "hush").update(body).digest("base64");
    return {
      n: payload.n,
      name: ctx.event.name,
      version: ctx.job.version,
      signed: [
        await verify(hex),
        await verify(`sha256=${hex}`),
        await verify(`hmac-sha256=${hex}`),
        await verify("0"),
        await verify(hex, ""),
      ],
      base64: await verifyRequestSignature({
        request: request(base64),
        headerName: "x-sig",
        headerEncoding: "base64",
        secret: "hush",
        algorithm: "sha256",
      }),
      hmac: verifyHmacSha256(hex, "hex", "hush", body),
      io: typeof io.try,
    };
  },
});
apart.attachToClient(client);

// A job on an interval, tested by hand; a payload without a last time.
client.defineJob({
  id: "every-day",
  name: "Every day",
  version: "1.0.0",
  trigger: intervalTrigger({ seconds: 86_400 }),
  run: async ({ ts, lastTimestamp }, _io, ctx) => ({
    ts: ts.toISOString(),
    last: lastTimestamp?.toISOString() ?? null,
    event: ctx.event.name,
    test: ctx.run.isTest,
  }),
});

// Errors of a task inside a task, with an icon, caught outside and thrown on; the run's error.
client.defineJob({
  ...on("rethrow"),
  id: "rethrow",
  run: async (_payload, io) => {
    try {
      await io.runTask(
        "outer",
        async (_t, inner) => {
          await inner.runTask(
            "inner",
            async () => {
              throw new TypeError("deep");
            },
            { name: "Inner", icon: "x" },
          );
        },
        { name: "Outer" },
      );
    } catch (error) {
      await io.logger.error("caught", { message: messageOf(error) });
      throw error;
    }
  },
});
// What is thrown at the top of run: an object, and undefined.
client.defineJob({
  ...on("throw-object"),
  id: "throw-object",
  run: async () => {
    throw { code: 7, detail: ["x"] };
  },
});
client.defineJob({
  ...on("throw-coded"),
  id: "throw-coded",
  run: async () => {
    throw Object.assign(new Error("coded"), { code: "E7" });
  },
});

// Promise.all and Promise.race over tasks and waits, without io.parallel.
client.defineJob({
  ...on("race"),
  id: "race",
  run: async (_payload, io) => {
    const all = await Promise.all([1, 2, 3].map((n) => io.runTask(["all", n], async () => n * n)));
    const settled = await Promise.allSettled([
      io.runTask("ok", async () => "ok"),
      io.runTask("bad", async () => {
        throw new Error("bad");
      }),
    ]);
    return { all, settled: settled.map(({ status }) => status) };
  },
});

// One job for each level, which says something on all of them.
for (const logLevel of ["log", "error", "warn", "info", "debug"] as const)
  client.defineJob({
    ...on("levels"),
    id: `level-${logLevel}`,
    logLevel,
    run: async (_payload, io) => {
      for (const level of ["log", "debug", "info", "warn", "error"] as const) await io.logger[level](level);
    },
  });

// Hears of all runs of the app, as v2 spelled it.
client.on("runSucceeeded", (run) => {
  if (run.job.id === "level-info") void note("heard", [run.ok, run.job.id, run.invocation.id.length > 0]);
});
