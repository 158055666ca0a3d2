// The code Trigger.dev v2 left behind runs here: the published SDK 2.3.19 with its Express adapter, as installed from the registry, knows our server only by
// TRIGGER_API_URL. And the same files give the same results when `@trigger.dev/sdk` is an alias of our SDK, by connect and by push.
import type { AppInfo, RunDetail, TaskView } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clerkEnvironment } from "./harness/apps.ts";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";
import { OTHER_SECRET, sendSigned, userCreated } from "./harness/webhooks.ts";

const CLERK = ["examples/clerk/src/clerk.ts", "examples/clerk/src/welcome.ts"];
const FEATURES = ["tests/published/features.ts"];
const PATIENT = { withinMs: 30_000 };

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

describe.each<Mounting>(["published", "ours", "ours-by-push"])("user code, SDK %s", (mounting) => {
  let server: TestServer;
  let clerk: Awaited<ReturnType<typeof clerkEnvironment>>;
  let url: string;

  beforeAll(async () => {
    server = await TestServer.start();
    clerk = await clerkEnvironment({ waitSeconds: 1 });
    await startCopiedApp({ mounting, files: CLERK, env: { ...server.appEnv, ...clerk.env } });
    await startCopiedApp({ mounting, files: FEATURES, env: server.appEnv });
    url = await server.api.endpointUrl("clerk.com");
    await server.api.knowsJob("features");
  });
  afterAll(async () => {
    await server.stop();
    await clerk.standIn.stop();
  });

  test("a signed webhook completes both jobs, and the log shows the body", async () => {
    expect((await sendSigned(url, userCreated("user_copied"))).status).toBe(200);
    const [welcomed] = await server.api.settled("welcome-clerk-user", 1, PATIENT);
    const [logged] = await server.api.settled("http-clerk", 1, PATIENT);
    const welcome = await server.api.run(welcomed?.id ?? "");
    expect(welcome).toMatchObject({ status: "SUCCESS", output: { welcomed: "ada@example.com", messageId: "msg_1" } });
    expect(clerk.standIn.welcomes()).toMatchObject([{ to: "ada@example.com", text: "Welcome, Ada!" }]);
    expect(named(await server.api.tasks(welcome.id), "Fetch the user")).toMatchObject({ status: "COMPLETED" });
    const log = JSON.stringify(await server.api.tasks(logged?.id ?? ""));
    expect(logged?.status).toBe("SUCCESS");
    expect(log).toContain("Body");
    expect(log).toContain("user_copied");
  });

  test("the server sees the SDK it is meant to see", async () => {
    const apps: AppInfo[] = await server.api.get(server.api.at("/apps"));
    expect(apps.map(({ slug }) => slug).sort()).toEqual(["clerk-example", "features"]);
    for (const app of apps) {
      expect(app.transport).toBe(mounting === "ours" ? "connect" : "push");
      if (mounting === "published") expect(app.sdk).toBe("2.3.19");
      else expect(app.sdk).not.toBe("2.3.19");
    }
  });

  test("a forged one runs nothing of the user's code", async () => {
    const before = clerk.standIn.welcomes().length;
    expect((await sendSigned(url, userCreated("user_forged"), { secret: OTHER_SECRET })).status).toBe(200);
    if (mounting === "published") {
      // v2 verifies inside the run: the run fails, as it did on Trigger.dev.
      const failed = await until(async () => (await server.api.runsOf("http-clerk")).find((run) => run.status === "FAILURE"), {
        ...PATIENT,
        what: () => "the forged request's failed run",
      });
      expect(failed.error).toContain("Payload verification failed. No matching signature found");
    } else {
      const refused = await until(
        async () => (await server.api.deliveries()).find((delivery) => delivery.verdict === "refused"),
        { what: () => "the refused delivery" },
      );
      expect(refused).toMatchObject({ reason: "No matching signature found", runs: [] });
    }
    expect(clerk.standIn.welcomes()).toHaveLength(before);
  });

  test("retry, nested, try, wait, yield, parallel and events give v2's results", async () => {
    const run = await server.api.runOnce("features", { name: "features.asked", payload: { n: 7 } }, PATIENT);
    expect(run.status, reasonOf(run)).toBe("SUCCESS");
    expect(run.output).toEqual({
      retried: { attempts: 3 },
      nested: { a: 8, b: 16 },
      caught: expect.stringContaining("caught"),
      parallel: [7, 14, 21],
      told: "features.told",
      nothing: true,
      odd: { zero: 0, text: "\u2028\ud83d\ude00", list: [null, 1.5], nil: null },
      job: "features",
    });
    const tasks = await server.api.tasks(run.id);
    expect(named(tasks, "Retried")).toMatchObject({ status: "COMPLETED", attempts: 3 });
    expect(named(tasks, "Retried")?.failures.map(({ error }) => error.message)).toEqual(["attempt 1 fails", "attempt 2 fails"]);
    expect(named(tasks, "Fails")).toMatchObject({ status: "ERRORED", error: { message: "no" } });
    expect(named(tasks, "Inner b")?.parentId).toBe(named(tasks, "Outer")?.id);
    expect(named(tasks, "Item 3")?.parentId).toBe(named(tasks, "Each")?.id);
    expect(tasks.filter((task) => task.status === "RUNNING" || task.status === "WAITING")).toEqual([]);
    const [told] = await server.api.settled("told", 1, PATIENT);
    expect((await server.api.run(told?.id ?? "")).output).toEqual({ heard: 7 });
  });

  test("a limit, of one job and of two that share it, is never exceeded", async () => {
    await Promise.all(Array.from({ length: 4 }, () => server.api.send({ name: "features.crowded" })));
    const spans = async (job: string) => {
      const runs = await server.api.settled(job, 4, PATIENT);
      return Promise.all(runs.map(async ({ id }) => (await server.api.run(id)).output as Span));
    };
    const shared = [...(await spans("shared-a")), ...(await spans("shared-b"))];
    expect(mostAtOnce(shared)).toBeLessThanOrEqual(2);
    expect(mostAtOnce(await spans("one-at-once"))).toBe(1);
  });

  test("a task that never succeeds fails its run after its last attempt", async () => {
    const run = await server.api.runOnce("gives-up", { name: "features.hopeless" }, PATIENT);
    expect(run.status).toBe("FAILURE");
    expect(run.errorDetail?.message).toBe("attempt 3 failed");
    expect(named(await server.api.tasks(run.id), "Never")).toMatchObject({ status: "ERRORED", attempts: 3 });
  });
});

function named(tasks: TaskView[], name: string): TaskView | undefined {
  return tasks.find((task) => task.name === name);
}
function reasonOf(run: RunDetail): string {
  return JSON.stringify(run.errorDetail);
}

interface Span {
  from: number;
  to: number;
}
/** How many of these overlapped at most; one that begins in the millisecond another ends does not. */
function mostAtOnce(spans: Span[]): number {
  return Math.max(...spans.map(({ from }) => spans.filter((other) => other.from <= from && from < other.to).length));
}
