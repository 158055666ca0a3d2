// Tests: jobs that between them ask for everything v2's SDK can ask a server for, and end in every way an execution can. Written against the published SDK's types; copied
// unchanged to where `@trigger.dev/sdk` is the published package, and to ours. NOTE_URL: somebody outside, told things by POST, who answers `{"got": <what>}`.
// The jobs of sources.ts are of the same app.
import {
  type ConnectionAuth,
  DynamicTrigger,
  ExternalSource,
  eventTrigger,
  type IO,
  invokeTrigger,
  type TriggerIntegration,
} from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "./sources.ts";

export { client };

const NOTE = process.env.NOTE_URL ?? "";

async function note(what: string, value: unknown): Promise<void> {
  await fetch(`${NOTE}/${what}`, { method: "POST", body: JSON.stringify(value) });
}

const quick = { limit: 3, factor: 1, minTimeoutInMs: 30, maxTimeoutInMs: 30, randomize: false };
const on = (name: string) => ({ version: "1.0.0", trigger: eventTrigger({ name: `interop.${name}` }) });

const child = client.defineJob({
  id: "child",
  name: "Child",
  version: "1.0.0",
  trigger: invokeTrigger({ schema: z.object({ n: z.number() }) }),
  run: async ({ n }, io) => io.runTask("twice", async () => ({ twice: n * 2 })),
});

client.defineJob({
  ...on("tour"),
  id: "tour",
  name: "Tour",
  onSuccess: (run) => note("succeeded", { job: run.job.id, output: run.output }),
  run: async (payload: { order: string }, io, ctx) => {
    await io.logger.info("Begin", payload);
    const retried = await io.runTask(
      "retried",
      async (task) => {
        if (task.attempts < 2) throw new Error("not yet");
        task.outputProperties = [{ label: "Attempts", text: String(task.attempts) }];
        return task.attempts;
      },
      { name: "Retried", icon: "bolt", params: payload, properties: [{ label: "Order", text: payload.order }], retry: quick },
    );
    const caught = await io.try(
      () => io.runTask(["fails", 1], async (): Promise<string> => Promise.reject(new Error("no")), { name: "Fails" }),
      async () => "caught",
    );
    await io.wait("a moment", 0.05);
    io.yield("again");
    const branches = await io.parallel("branches", ["a", "b"], async (name) => {
      await io.wait(["pause", name], 1);
      return io.runTask(["branch", name], async () => name);
    });
    const status = await io.createStatus("progress", { label: "Begun", state: "loading", data: { done: 1 } });
    const told = await status.update("told", { label: "Done", state: "success" });
    const random = await io.random("random", { min: 1, max: 2 });
    const fetched = await io.backgroundFetch<{ got: string }>("fetch", `${NOTE}/fetched`, { method: "POST", body: '"me"' });
    return {
      ...{ retried, caught, branches, fetched, history: told.history.length, random: random >= 1 && random <= 2 },
      ...{ outside: await outside(io, payload.order), events: await events(io, ctx.run.id), kept: await kept(io) },
    };
  },
});

/** What the run waits for. */
async function outside(io: IO, order: string) {
  const answer = await io.waitForRequest<{ yes: boolean }>("ask", async (url) => note("url", url), { timeoutInSeconds: 300 });
  const paid = await io.waitForEvent("paid", { name: "interop.paid", filter: { order: [order] } }, { timeoutInSeconds: 300 });
  const invoked = await child.invokeAndWaitForCompletion("invoke and wait", { n: 21 });
  const alone = await child.invoke("invoke", { n: 1 });
  return { answer, paid: paid.payload, invoked: invoked.ok && invoked.output, alone: typeof alone.id };
}

async function events(io: IO, run: string) {
  const sent = await io.sendEvent("one", { id: `${run} one`, name: "interop.nobody", payload: { n: 1 } }, { deliverAfter: 3600 });
  const many = await io.sendEvents("many", [{ name: "interop.nobody" }, { name: "interop.nobody", payload: [1], source: "me" }]);
  const found = await io.getEvent("look", sent.id);
  const canceled = await io.cancelEvent("cancel", sent.id);
  return { sent: sent.payload, many: many.map(({ payload }) => payload), found: found.name, at: Boolean(canceled.cancelledAt) };
}

async function kept(io: IO) {
  const set = await io.store.env.set("set", "a key/é", { list: [1, null] });
  const got = await io.store.env.get("get", "a key/é");
  const has = [await io.store.job.has("has not", "a key/é"), await io.store.env.has("has", "a key/é")];
  return { set, got, has, deleted: await io.store.env.delete("delete", "a key/é") };
}

client.defineJob({
  id: "strict",
  name: "Strict",
  version: "1.0.0",
  trigger: eventTrigger({ name: "interop.strict", schema: z.object({ n: z.number() }), filter: { kind: ["strict"] } }),
  run: async ({ n }) => n,
});

class Credentials implements TriggerIntegration {
  readonly metadata = { id: "vendor", name: "Vendor" };
  constructor(
    readonly id: string,
    readonly authSource: "HOSTED" | "LOCAL",
    readonly auth?: ConnectionAuth,
  ) {}
  cloneForRun(_io: IO, _key: string, auth?: ConnectionAuth): Credentials {
    return new Credentials(this.id, this.authSource, auth);
  }
}
// The server keeps it; until it has it the run waits.
const hosted = new Credentials("hosted", "HOSTED");
client.defineJob({
  ...on("hosted"),
  id: "hosted",
  name: "Hosted",
  integrations: { hosted },
  run: async (_payload, io, ctx) => ({ auth: io.hosted.auth, account: ctx.account?.id }),
});
// What is registered for an account is registered, and heard of, with the account's credentials.
const topic = new ExternalSource("HTTP", {
  id: "hosted.topic",
  version: "1.0.0",
  schema: z.object({}),
  integration: hosted,
  key: () => "all",
  handler: async ({ source }) => ({ events: [{ name: "interop.heard", source: "hosted", payload: { auth: source.auth } }] }),
  register: async ({ source, options }, io) => {
    const { auth } = (io as unknown as { integration: Credentials }).integration;
    const body = JSON.stringify({ url: source.url, secret: source.secret, topics: [`hosted by ${auth?.accessToken}`] });
    await io.runTask("create hook", async () => void (await fetch(`${NOTE}/hooks`, { method: "POST", body })));
    return { secret: source.secret, data: {}, options: { event: options.event.desired } };
  },
});
const heard = {
  name: "interop.heard",
  title: "Heard",
  source: "hosted",
  icon: "webhook",
  parsePayload: (payload: unknown) => payload as { auth: ConnectionAuth },
};
const topics = new DynamicTrigger(client, { id: "hosted-topic", event: heard, source: topic });
client.defineJob({
  id: "on-hosted-topic",
  name: "On hosted topic",
  version: "1.0.0",
  trigger: topics,
  run: async ({ auth }, _io, ctx) => ({ auth, account: ctx.account?.id }),
});
client.defineJob({
  ...on("listen"),
  id: "listens",
  name: "Listens",
  run: async () => ({ active: (await topics.register("acme", {}, { accountId: "acme" })).source.active }),
});
const unresolved = new Credentials("unresolved", "LOCAL");
client.defineAuthResolver(unresolved, async () => {});
client.defineJob({ ...on("unresolved"), id: "unresolved", name: "Unresolved", integrations: { unresolved }, run: async () => 1 });

client.on("runFailed", (run) => note("failed", { job: run.job.id, status: run.status }));
client.defineJob({
  ...on("fails"),
  id: "fails",
  name: "Fails",
  run: async () => {
    throw new RangeError("as asked");
  },
});

client.defineJob({
  ...on("cancels-itself"),
  id: "cancels-itself",
  name: "Cancels itself",
  run: async (_payload, io, ctx) => {
    await io.runTask("cancel", async () => void (await client.cancelRun(ctx.run.id)));
    await io.runTask("never", async () => note("never", {}));
  },
});

// The test has the network lose what this job asks for in its first execution.
client.defineJob({
  ...on("cut-off"),
  id: "cut-off",
  name: "Cut off",
  run: async ({ task }: { task: string }, io) => io.runTask(task, async () => `${task} done`, { name: "Cut off" }),
});

/** Fifty that ask the server without a pause, past the test's record. */
function askTooOften(server: string, stopped: AbortSignal): void {
  const headers = { authorization: `Bearer ${process.env.TRIGGER_API_KEY}` };
  const ask = async () => {
    while (!stopped.aborted) await fetch(`${server}/api/v1/whoami`, { headers }).catch(() => {});
  };
  for (let n = 0; n < 50; n++) void ask();
}
let executions = 0;
// Its first execution writes lines until it may not ask any more.
client.defineJob({
  ...on("too-often"),
  id: "too-often",
  name: "Too often",
  onSuccess: (run) => note("lines", run.output),
  run: async ({ server, rounds }: { server: string; rounds: number }, io) => {
    const first = executions++ === 0;
    const asking = new AbortController();
    if (first) askTooOften(server, asking.signal);
    try {
      for (let round = 0; round === 0 || (first && round < rounds); round++)
        await Promise.all(Array.from({ length: 30 }, (_, n) => io.logger.info(`Line ${round}.${n}`)));
    } finally {
      asking.abort();
    }
    return "all lines";
  },
});

const plan = client.defineDynamicSchedule({ id: "plan" });
client.defineJob({ id: "planned", name: "Planned", version: "1.0.0", trigger: plan, run: async ({ ts }) => ts });
client.defineJob({
  ...on("plan"),
  id: "plans",
  name: "Plans",
  run: async () => {
    const hourly = { type: "cron", options: { cron: "0 * * * *" }, accountId: "acc", metadata: { m: 1 } } as const;
    const made = [await plan.register("user 1/a", hourly)];
    made.push(await plan.register("user 2", { type: "interval", options: { seconds: 3600 } }));
    return { made, ended: await plan.unregister("user 1/a") };
  },
});

client.defineJob({ ...on("long"), id: "long", name: "Long", run: async (_payload, io) => io.wait("an hour", 3600) });

const door = client.defineHttpEndpoint({
  id: "door",
  source: "example.com",
  title: "Door",
  verify: async (request) => ({ success: request.headers.get("x-key") === "right", reason: "wrong key" }),
  respondWith: {
    filter: { method: ["GET"], query: { hello: [{ $startsWith: "wor" }] } },
    skipTriggeringRuns: true,
    handler: async (request) => new Response(new URL(request.url).searchParams.get("hello"), { headers: { "x-door": "open" } }),
  },
});
client.defineJob({
  id: "through-the-door",
  name: "Through the door",
  version: "1.0.0",
  trigger: door.onRequest({ filter: { method: ["POST"], body: { n: [{ $gt: 0 }] } } }),
  run: async (request) => ({ body: await request.json(), method: request.method, type: request.headers.get("content-type") }),
});

// Asks without tasks, as a backend does.
client.defineJob({
  ...on("ask-around"),
  id: "asks-around",
  name: "Asks around",
  run: async ({ event }: { event: string }, _io, ctx) => {
    const [set] = [await client.updateStatus(ctx.run.id, "own", { label: "Own", data: { n: 1 } })];
    const statuses = await client.getRunStatuses(ctx.run.id);
    const [run] = (await client.getEvent(event)).runs;
    const own = await client.getRun(run?.id ?? "", { subtasks: true, taskdetails: true, take: 50 });
    const listed = await client.getRuns("long", { take: 1 });
    const invoked = await client.invokeJob("child", { n: 4 }, { idempotencyKey: `${event} child`, context: { by: "me" } });
    const again = await client.invokeJob("child", { n: 5 }, { idempotencyKey: `${event} child` });
    const ofEvent = await client.cancelRunsForEvent(event);
    const ofJob = await client.cancelRunsForJob("long");
    const sent = await client.sendEvent({ id: `${event} sent`, name: "interop.nobody", payload: 7 }, { deliverAfter: 3600 });
    const canceled = await client.cancelEvent(sent.id);
    const many = await client.sendEvents([{ name: "interop.nobody", payload: "text" }]);
    return {
      set: { label: set?.label, history: set?.history, data: set?.data },
      statuses: [statuses.run.status, statuses.statuses.map(({ key }) => key)],
      own: [own.status, own.tasks.map(({ name, status }) => [name, status])],
      listed: [listed.runs.length, listed.nextCursor !== undefined],
      invoked: [typeof invoked.id, again.id === invoked.id],
      ended: [ofEvent.cancelledRunIds.length, ofJob.cancelledRunIds.length],
      auth: (await client.getAuth("nothing")) === undefined,
      sent: [sent.payload, Boolean(canceled.cancelledAt), many.map(({ payload }) => payload)],
    };
  },
});
