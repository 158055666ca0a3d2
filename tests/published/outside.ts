// Jobs that wait for something outside of them, as users of v2 wrote them: requests, events, other jobs, requests the server makes. Copied and run unchanged on
// the published SDK and on ours by tests/outside.test.ts.
import { eventTrigger, invokeTrigger, redactString, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "outside-app" });
const NOTE = process.env.NOTE_URL ?? "";

/** Tells the test something, such as the URL it is to call. */
async function note(what: string, value: unknown): Promise<void> {
  await fetch(`${NOTE}/${what}`, { method: "POST", body: JSON.stringify(value) });
}

client.defineJob({
  id: "asks",
  name: "Asks somebody",
  version: "1.0.0",
  trigger: eventTrigger({ name: "ask" }),
  run: async (payload: { timeout?: number }, io) => {
    const answer = await io.try(
      async () => {
        const given = await io.waitForRequest<unknown>("answer", async (url) => note("url", url), {
          timeoutInSeconds: payload.timeout ?? 600,
        });
        return { given };
      },
      async (error) => ({ caught: (error as Error).message.replaceAll('"', "") }),
    );
    return { answer };
  },
});

client.defineJob({
  id: "asks-three",
  name: "Asks three at once",
  version: "1.0.0",
  trigger: eventTrigger({ name: "ask.three" }),
  run: async (_payload, io) => {
    const answers = await io.parallel("three", ["a", "b", "c"], async (name) => {
      return io.waitForRequest<{ n: number }>(["answer", name], async (url) => note(`url-${name}`, url));
    });
    return answers.map(({ n }) => n);
  },
});

client.defineJob({
  id: "waits-for-event",
  name: "Waits for an event",
  version: "1.0.0",
  trigger: eventTrigger({ name: "order" }),
  run: async (payload: { id: string }, io) => {
    const paid = await io.waitForEvent(
      "paid",
      { name: "paid", filter: { order: [payload.id] }, accountId: "acc" },
      { timeoutInSeconds: 600 },
    );
    return { payload: paid.payload, name: paid.name, accountId: paid.accountId };
  },
});

const child = client.defineJob({
  id: "child",
  name: "Child",
  version: "1.0.0",
  trigger: invokeTrigger(),
  run: async (payload: { n: number }, io) => {
    if (payload.n < 0) throw new Error("no negative numbers");
    await io.wait("a bit", 1);
    return { twice: payload.n * 2 };
  },
});

client.defineJob({
  id: "invokes",
  name: "Invokes",
  version: "1.0.0",
  trigger: eventTrigger({ name: "invoke.children" }),
  run: async (_payload, io) => {
    const one = await child.invokeAndWaitForCompletion("one", { n: 21 });
    const bad = await child.invokeAndWaitForCompletion("bad", { n: -1 });
    const many = await child.batchInvokeAndWaitForCompletion("many", [
      { payload: { n: 1 } },
      { payload: { n: 2 } },
      { payload: { n: 3 } },
    ]);
    const fired = await child.invoke("fired", { n: 5 });
    return {
      one: one.ok && one.output,
      bad: !bad.ok && { status: bad.status, error: bad.error },
      many: many.map((run) => run.ok && run.output),
      fired: fired.id.startsWith("run_"),
      io: typeof io.runTask,
    };
  },
});

client.on("runFailed", (run) => note(`failed-${run.job.id}`, { status: run.status, error: run.error }));

client.defineJob({
  id: "tells",
  name: "Tells how it ended",
  version: "1.0.0",
  trigger: eventTrigger({ name: "tell" }),
  onSuccess: (run) =>
    note("success", {
      output: run.output,
      payload: run.invocation.payload,
      date: !Number.isNaN(new Date(String(run.completedAt)).getTime()),
    }),
  onFailure: (run) => note("failure", run.status),
  run: async (payload: { seconds: number; fail?: boolean }, io) => {
    await io.wait("a bit", payload.seconds);
    if (payload.fail) throw new Error("as asked");
    return { done: true };
  },
});

client.defineJob({
  id: "fetches",
  name: "Lets the server fetch",
  version: "1.0.0",
  trigger: eventTrigger({ name: "fetch" }),
  run: async (_payload, io) => {
    const body = await io.backgroundFetch<{ got: string }>("plain", `${NOTE}/echo`, {
      method: "POST",
      headers: { authorization: redactString`Bearer ${"hush-hush"}` },
      body: "hello",
    });
    const hidden = await io.runTask("hidden", async () => ({ token: "hush-hush", list: [{ key: "hush-hush", id: 1 }] }), {
      redact: { paths: ["token", "list.0.key"] },
    });
    const whole = await io.backgroundFetchResponse<{ got: string }>("whole", `${NOTE}/echo`, { method: "POST", body: "all" });
    const retried = await io.backgroundFetch<{ tries: number }>("retried", `${NOTE}/flaky`, undefined, {
      retry: { "5xx": { strategy: "backoff", limit: 5, minTimeoutInMs: 10, maxTimeoutInMs: 50, factor: 1, randomize: false } },
    });
    const failed = await io.try(
      () => io.backgroundFetch("failed", `${NOTE}/missing`),
      async (error) => (error as Error).message.includes("nothing here"),
    );
    const polled = await io.backgroundPoll<{ ready: boolean }>("polled", {
      url: `${NOTE}/ready`,
      interval: 10,
      timeout: 60,
      responseFilter: { status: [200], body: { ready: [true] } },
    });
    return {
      body,
      secret: hidden.list[0]?.key === hidden.token,
      whole: { status: whole.status, data: whole.data },
      retried,
      failed,
      polled,
    };
  },
});

// The answer is there before the job waits for it.
client.defineJob({
  id: "is-answered-at-once",
  name: "Is answered at once",
  version: "1.0.0",
  trigger: eventTrigger({ name: "ask.at-once" }),
  run: async (_payload, io) => {
    const answer = await io.waitForRequest<{ n: number }>("answer", async (url) => {
      await fetch(url, { method: "POST", body: '{"n":1}' });
    });
    return { answer };
  },
});
