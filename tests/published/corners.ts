// Jobs of the corners of v2's surface: options seldom given, values seldom returned, calls seldom made. Written against the published SDK's types; copied unchanged to where
// `@trigger.dev/sdk` is the published package, and to ours. NOTE_URL: somebody outside, told things by POST. More of the same app: corners-more.ts, corners-outside.ts.
import { eventTrigger, retry, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "corners" });
const NOTE = process.env.NOTE_URL ?? "";

export async function note(what: string, value: unknown): Promise<void> {
  await fetch(`${NOTE}/${what}`, { method: "POST", body: JSON.stringify(value) });
}

/** v2's SDK gives a failed task's error as JSON in the message; ours gives the message. */
export function messageOf(error: unknown): string {
  const { message } = error as Error;
  try {
    const read: unknown = JSON.parse(message);
    return typeof read === "string" ? read : (read as Error).message;
  } catch {
    return message;
  }
}
export const on = (name: string) => ({ name, version: "1.0.0", trigger: eventTrigger({ name: `corners.${name}` }) });

// Keys of every kind, deep nesting, keys that repeat under other parents.
client.defineJob({
  ...on("keys"),
  id: "Corner  Keys!",
  run: async (_payload, io) => {
    const one = await io.runTask(["a", 1, { b: 2, a: [1, { z: 0, y: 1 }] }, true, null as never], async () => 1);
    const nested = await io.runTask("x", async (_t, i1) =>
      i1.runTask("x", async (_t2, i2) =>
        i2.runTask("x", async (task) => ({ key: task.idempotencyKey.length, p: Boolean(task.parentId) })),
      ),
    );
    const empty = await io.runTask("", async () => "empty key");
    const same = await io
      .runTask("twice", async () => 1)
      .then(() => io.runTask("twice", async () => 2))
      .catch((error: Error) => error.message);
    return { one, nested, empty, same };
  },
});

// Values that JSON does not know.
client.defineJob({
  ...on("values"),
  id: "values",
  run: async (_payload, io) => {
    const give = async (key: string, value: unknown) => {
      const given = (await io.runTask(key, async () => value as never)) as unknown;
      return given === undefined ? "undefined" : given;
    };
    return [
      await give("date", new Date(0)),
      await give("map", new Map([["a", 1]])),
      await give("nan", Number.NaN),
      await give("infinity", Number.POSITIVE_INFINITY),
      await give("function", () => 1),
      await give(
        "class",
        new (class A {
          x = 1;
          #y = 2;
          get z() {
            return this.#y;
          }
        })(),
      ),
      await give("sparse", [undefined, () => 1, 3]),
      await give("toJSON", { toJSON: () => ({ made: true }) }),
      await give("false", false),
      await give("zero", 0),
      await give("empty", ""),
      await give("null", null),
      await give("proto", JSON.parse('{"__proto__":{"x":1},"constructor":1}')),
      await give("error", new TypeError("an error as a value")),
      await give("buffer", Buffer.from("hi")),
      await give("surrogate", "\ud800 \u0000 \u2028"),
    ];
  },
});

// What cannot be JSON at all.
client.defineJob({
  ...on("circle"),
  id: "circle",
  run: async (_payload, io) => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const caught = await io.try(
      () => io.runTask("circle", async () => circle as never, { name: "Circle" }),
      async (error) => /circular/i.test(messageOf(error)),
    );
    const big = await io.try(
      () => io.runTask("big", async () => 10n as never, { name: "Big" }),
      async (error) => /BigInt/i.test(messageOf(error)),
    );
    return { caught, big };
  },
});

// What errors of services say beside their message.
client.defineJob({
  ...on("fields"),
  id: "fields",
  run: async (_payload, io) => {
    const refused = Object.assign(new Error("Not Found"), { name: "HttpError", status: 404, code: "E7", type: "not_found" });
    try {
      await io.runTask("refused", () => Promise.reject(refused), { name: "Refused" });
    } catch (error) {
      const { name, status, code, type } = error as typeof refused;
      return { name, status, code, type };
    }
    return {};
  },
});

// Things thrown that are no errors, in tasks, each seen by onError.
client.defineJob({
  ...on("throws"),
  id: "throws",
  run: async (_payload, io) => {
    const seen: unknown[] = [];
    const things: [string, unknown][] = [
      ["text", "a text"],
      ["number", 7],
      ["object", { code: 3, message: "with a message" }],
      ["null", null],
    ];
    for (const [key, thing] of things) {
      await io.try(
        () =>
          io.runTask(
            key,
            async () => {
              throw thing;
            },
            { name: key },
            (error) => {
              seen.push(error ?? "nothing");
              return undefined;
            },
          ),
        async () => {
          seen.push("caught");
        },
      );
    }
    return seen;
  },
});

// retryAt by hand with growing attempts, then an error of onError itself.
client.defineJob({
  ...on("on-error"),
  id: "on-error",
  run: async (_payload, io) => {
    const attempts: number[] = [];
    const byHand = await io.runTask(
      "by hand",
      async (task) => {
        attempts.push(task.attempts);
        if (task.attempts < 4) throw new Error(`no ${task.attempts}`);
        return task.attempts;
      },
      { name: "By hand", retry: { limit: 2, minTimeoutInMs: 10, maxTimeoutInMs: 10 } },
      (error, task) => ({ retryAt: new Date(Date.now() + 10 * task.attempts), error: error as Error }),
    );
    const thrown = await io.try(
      () =>
        io.runTask(
          "throws in onError",
          async () => {
            throw new Error("first");
          },
          { name: "Thrown", retry: { ...retry.standardBackoff, limit: 2, minTimeoutInMs: 10, maxTimeoutInMs: 10 } },
          () => {
            throw new Error("from onError");
          },
        ),
      async (error) => messageOf(error),
    );
    return { byHand, thrown };
  },
});

// Delays in the past, no delay, waits of nothing, fractions and negative ones.
client.defineJob({
  ...on("waits"),
  id: "waits",
  run: async (_payload, io) => {
    await io.wait("nothing", 0);
    await io.wait("past", -5);
    await io.wait("fraction", 0.25);
    const past = await io.runTask("past task", async () => "ran", { delayUntil: new Date(0) });
    const noop = await io.runTask("noop with delay", async () => "never", { noop: true, delayUntil: new Date(Date.now() + 100) });
    return { past, noop: noop === undefined || Object.keys(noop as unknown as object).length === 0 };
  },
});

// A callback by hand: io.runTask with `callback`, its own result thrown away, parseOutput on what was posted.
client.defineJob({
  ...on("callback"),
  id: "callback",
  run: async (_payload, io) => {
    const given = await io.runTask(
      "answer",
      async (task) => {
        await note("callback", task.callbackUrl);
        return { thrown: "away" } as unknown as { n: number };
      },
      {
        name: "Callback",
        callback: { enabled: true, timeoutInSeconds: 120 },
        parseOutput: (output) => ({ n: (output as { n: number }).n + 1 }),
      },
    );
    const off = await io.runTask("off", async (task) => ({ url: task.callbackUrl ?? null }), {
      callback: { enabled: false, timeoutInSeconds: 1 },
    });
    return { given, off };
  },
});

// The events of one call, with what each may say.
client.defineJob({
  ...on("events"),
  id: "events",
  run: async (_payload, io, ctx) => {
    const at = new Date(1_700_000_000_000);
    const tag = ctx.run.id;
    const sent = await io.sendEvents(
      "many",
      [
        { id: `${tag}-1`, name: "corners.got", payload: [1, 2], context: { by: "one" }, timestamp: at },
        { id: `${tag}-2`, name: "corners.got", payload: "text" },
        { id: `${tag}-3`, name: "corners.got", payload: null },
        { id: `${tag}-4`, name: "corners.got" },
        { id: `${tag}-1`, name: "corners.got", payload: "the same id" },
      ],
      { accountId: "acme" },
    );
    const none = await io.sendEvents("none", []);
    const later = await io.sendEvent(
      "later",
      { id: `${tag}-later`, name: "corners.got", payload: 5 },
      { deliverAt: new Date(Date.now() + 3_600_000), deliverAfter: 1 },
    );
    const canceled = await io.cancelEvent("cancel", `${tag}-later`);
    const again = await io.cancelEvent("cancel again", `${tag}-later`);
    return {
      sent: sent.map(({ id, payload, context, timestamp }) => ({
        id: id.slice(tag.length),
        payload,
        context,
        at: new Date(timestamp).getTime() === at.getTime(),
      })),
      none,
      later: Boolean(later.deliverAt) && new Date(later.deliverAt as Date).getTime() > Date.now() + 1_000_000,
      canceled: Boolean(canceled.cancelledAt) && String(canceled.cancelledAt) === String(again.cancelledAt),
    };
  },
});
client.defineJob({
  id: "got",
  name: "Got",
  version: "1.0.0",
  trigger: eventTrigger({ name: "corners.got" }),
  run: async (payload: unknown, _io, ctx) => ({
    payload,
    context: ctx.event.context,
    account: ctx.account?.id,
    timestamp: ctx.event.timestamp instanceof Date,
  }),
});
