// Dynamic schedules on the SDK's side: what the index says, and that registering is a task in a run and a plain call outside.
import { expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import { TriggerClient } from "../client/client.ts";
import type { IO } from "../io/io.ts";
import { DynamicSchedule } from "./dynamic-schedule.ts";

/** A client whose calls are answered with what was sent. */
function scene() {
  const runtime = new VirtualRuntime();
  const calls: unknown[] = [];
  runtime.fetch = async (url, init) => {
    const { pathname } = new URL(String(url));
    calls.push([`${init?.method} ${pathname}`, init?.body ? JSON.parse(String(init.body)) : undefined]);
    return Response.json({ ok: true });
  };
  const client = new TriggerClient({ id: "my/app", apiKey: "tr_dev_x", apiUrl: "http://test", runtime });
  return { client, calls };
}
const PATH = "/api/v1/my%2Fapp/schedules/of%20users/registrations";

it("is in the index with the jobs it starts, also when none does", async () => {
  const { client } = scene();
  const users = client.defineDynamicSchedule({ id: "of users" });
  new DynamicSchedule(client, { id: "unused" });
  client.defineJob({ id: "Greet", name: "Greet", version: "1.2.3", trigger: users, run: async ({ ts }) => ts.getTime() });
  const headers = { "x-trigger-api-key": "tr_dev_x", "x-trigger-action": "INDEX_ENDPOINT", "x-trigger-version": "2023-11-01" };
  const { body } = await client.handleRequest(new Request("http://app/", { method: "POST", headers }));
  expect(body).toMatchObject({
    dynamicSchedules: [
      { id: "of users", jobs: [{ id: "greet", version: "1.2.3" }] },
      { id: "unused", jobs: [] },
    ],
    jobs: [
      {
        id: "greet",
        trigger: { type: "dynamic", id: "of users" },
        event: { name: "trigger.scheduled", icon: "schedule-dynamic" },
      },
    ],
  });
  expect(() => client.defineDynamicSchedule({ id: "" })).toThrow("A dynamic schedule needs an id.");
});

it("calls the server at once outside of runs", async () => {
  const { client, calls } = scene();
  const users = client.defineDynamicSchedule({ id: "of users" });
  const metadata = { type: "cron", options: { cron: "* * * * *" }, accountId: "acc", metadata: 1 } as const;
  await users.register("a b", metadata);
  await users.unregister("a/b");
  expect(calls).toEqual([
    [`POST ${PATH}`, { id: "a b", ...metadata }],
    [`DELETE ${PATH}/a%2Fb`, undefined],
  ]);
});

it("is a task in a run, done once", async () => {
  const { client, calls } = scene();
  const users = client.defineDynamicSchedule({ id: "of users" });
  const model = new RunModel();
  const program = async (io: IO) => {
    await users.register("a", { type: "interval", options: { seconds: 60 } });
    await users.unregister("a");
    await io.registerCron("cron", users, "b", { cron: "* * * * *" });
    return "done";
  };
  const first = await model.execute(program);
  expect(await model.execute(program)).toEqual(first);
  expect(first).toEqual({ status: "SUCCESS", output: '"done"' });
  expect(calls).toHaveLength(3);
  expect(JSON.parse(model.named("Register Schedule")[0]?.details ?? "")).toEqual({
    icon: "schedule-interval",
    properties: [
      { label: "Dynamic Schedule", text: "of users" },
      { label: "Schedule ID", text: "a" },
    ],
    params: { type: "interval", options: { seconds: 60 } },
  });
  expect(model.named("Register Schedule")[1]?.parentId).toBe(model.named("register-cron")[0]?.id);
});
