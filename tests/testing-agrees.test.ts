// A job under test does what it does on a server: the same jobs, once with `@holdfast/sdk/testing`, once on a real server, with the same tasks, attempts, outputs,
// errors and executions.
import { eventTrigger, type IO, type Job, retry, TriggerClient } from "@holdfast/sdk";
import { createJobTester, type TestRun } from "@holdfast/sdk/testing";
import { startServer } from "@holdfast/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { cleanUp, freshDirectory } from "./harness/processes.ts";

type Server = Awaited<ReturnType<typeof startServer>>;
let server: Server;
let api: Api;
let client: TriggerClient;
let app: ReturnType<TriggerClient["connect"]>;

beforeAll(async () => {
  server = await startServer({ mode: "dev", host: "127.0.0.1", port: 0, dataDir: freshDirectory(), logLevel: "warn" });
  api = new Api(server.url, server.keys.dev);
  client = new TriggerClient({ id: "app", apiUrl: server.url, apiKey: server.keys.dev });
  app = client.connect();
  await app.ready;
});

afterAll(async () => {
  await app?.close();
  await server?.stop();
  await cleanUp();
});

const quick = { limit: 3, minTimeoutInMs: 50, factor: 1, randomize: false };
const define = <TPayload, T>(name: string, run: (payload: TPayload, io: IO) => Promise<T>) =>
  client.defineJob({ id: name, name, version: "1.0.0", trigger: eventTrigger<TPayload>({ name }), run });

interface Seen {
  path: string;
  name: string;
  status: string;
  attempts: number;
  output: unknown;
  error: string | undefined;
  failures: string[];
}
const byPath = (one: Seen, other: Seen) => (one.path < other.path ? -1 : 1);

function underTest(run: TestRun) {
  const tasks = run.tasks.map(({ path, name, status, attempts, output, error, failures }): Seen => {
    return { path, name, status, attempts, output, error: error?.message, failures: failures.map(({ message }) => message) };
  });
  const { status, output, error, executions, logs } = run;
  return {
    status,
    output,
    error: error?.message,
    executions,
    logs: logs.map(({ message }) => message),
    tasks: tasks.sort(byPath),
  };
}

async function onServer(job: Job<never, never>, payload: unknown) {
  await api.knowsJob(job.id);
  const run = await api.runOnce(job.id, { name: job.id, payload }, { withinMs: 60_000 });
  const views = await api.tasks(run.id);
  const pathOf = (id: string | null): string => {
    const view = views.find((one) => one.id === id);
    return view ? [pathOf(view.parentId), view.key].filter((part) => part).join("/") : "";
  };
  const tasks = views.filter(({ name }) => name !== "log");
  const seen = tasks.map(({ id, name, status, attempts, output, error, failures }): Seen => {
    const told = failures.map(({ error: { message } }) => message);
    return { path: pathOf(id), name, status, attempts, output: output ?? undefined, error: error?.message, failures: told };
  });
  const { status, output, errorDetail, executions } = run;
  const logs = views.filter(({ name }) => name === "log").map(({ description }) => description);
  return { status, output: output ?? undefined, error: errorDetail?.message, executions, logs, tasks: seen.sort(byPath) };
}

test("tasks in tasks, retries, waits, branches, races, yields, and errors that are caught", async () => {
  const job = define("busy", async (payload: { n: number }, io) => {
    const nested = await io.runTask("outer", async () => {
      await io.logger.info("inside", { n: payload.n });
      return (await io.runTask("inner", async () => payload.n)) + 1;
    });
    const flaky = await io.runTask(
      "flaky",
      async ({ attempts }) => {
        if (attempts < 3) throw new Error(`no ${attempts}`);
        return attempts;
      },
      { name: "Flaky", retry: quick },
    );
    const caught = await io.runTask("fails", async () => Promise.reject(new Error("for good")), { retry: quick }).catch(String);
    io.yield("once");
    const parts = await io.parallel("parts", [1, 2, 3], async (n) => {
      await io.wait(`pause ${n}`, n / 10);
      return io.runTask(`part ${n}`, async () => n * 10);
    });
    const race = await Promise.race([io.wait("long", 0.4).then(() => "long"), io.wait("short", 0.1).then(() => "short")]);
    await io.wait("last", 0.5);
    return { nested, flaky, caught, parts, race, random: (await io.random("random")) < 1 };
  });
  const run = await createJobTester().run(job, { n: 1 });
  const seen = underTest(await run.toEnd());
  expect(seen).toMatchObject({ status: "SUCCESS", output: { nested: 2, flaky: 3, race: "short" }, logs: ["inside"] });
  const server = await onServer(job as never, { n: 1 });
  const random = (tasks: Seen[]) => tasks.map((task) => (task.path === "random" ? { ...task, output: "some" } : task));
  expect({ ...seen, tasks: random(seen.tasks) }).toEqual({ ...server, tasks: random(server.tasks) });
});

test("a run that fails in a branch while others wait", async () => {
  const job = define("failing", async (_payload: object, io) => {
    const waiting = io.wait("for ever", 1e6);
    await io.runTask("parent", async () => io.runTask("child", async () => Promise.reject(new RangeError("broken"))), {
      retry: retry.standardBackoff,
    });
    await waiting;
  });
  const seen = underTest(await createJobTester().run(job, {}));
  expect(seen).toMatchObject({ status: "FAILURE", error: "broken" });
  expect(seen).toEqual(await onServer(job as never, {}));
});

test("what comes from outside, or does not", async () => {
  const invoked = define("child", async ({ n }: { n: number }) => ({ twice: n * 2 }));
  const job = define("waiting", async (_payload: object, io) => {
    const post = (url: string, body: unknown) => fetch(url, { method: "POST", body: JSON.stringify(body) });
    const asked = await io.waitForRequest<{ ok: boolean }>("asked", async (url) => {
      if (!url.includes("holdfast.test")) await post(url, { ok: true });
    });
    const late = await io.waitForRequest("late", async () => {}, { timeoutInSeconds: 1 }).catch((error: Error) => error.message);
    const child = await invoked.invokeAndWaitForCompletion("child", { n: 4 });
    await io.store.run.set("keep", "k", [1]);
    const sent = await io.sendEvent("send", { name: "nobody.listens", payload: { a: 1 } });
    return { asked, late, child: child.ok && child.output, kept: await io.store.run.get("kept", "k"), sent: sent.payload };
  });
  const tester = createJobTester();
  const run = await tester.run(job, {});
  await run.complete("asked", { ok: true });
  await run.advance(1);
  await run.complete("child", await tester.run(invoked, run.invocations[0]?.payload));
  const seen = underTest(run);
  expect(seen.output).toMatchObject({
    asked: { ok: true },
    late: "Remote callback timeout - no requests received",
    child: { twice: 8 },
  });
  // Ids and times of what was sent and invoked are each world's own, and how often it looked while answers came.
  const same = ({ tasks, executions: _, ...rest }: ReturnType<typeof underTest>) => ({
    ...rest,
    tasks: tasks.map(({ output, ...task }) => (["child", "send"].includes(task.path) ? task : { ...task, output })),
  });
  expect(same(seen)).toEqual(same((await onServer(job as never, {})) as ReturnType<typeof underTest>));
});
