// How runs ended, as the app hears it: by both spellings of v2's event, by the job's own callbacks, again if one of them throws.
import { expect, it } from "vitest";
import { VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import { eventTrigger } from "../triggers/event-trigger.ts";
import { TriggerClient } from "./client.ts";

const moment = new Date(0).toISOString();
const told = {
  ...{ id: "run_1", status: "SUCCESS", startedAt: moment, updatedAt: moment, completedAt: moment, isTest: false },
  ...{ executionDurationInMs: 1, executionCount: 1, job: { id: "a", version: "1.0.0" }, statuses: [] },
  ...{ environment: {}, organization: {}, project: {} },
  invocation: { id: "evt", context: {}, timestamp: moment, payload: {} },
};

it("is heard under both spellings, once each, and by the job; whoever throws is told again", async () => {
  const client = new TriggerClient({ id: "a", apiKey: "tr_dev_x", runtime: new VirtualRuntime() });
  const heard: string[] = [];
  let throws = true;
  client.defineJob({
    id: "a",
    name: "A",
    version: "1.0.0",
    trigger: eventTrigger({ name: "a" }),
    run: async () => {},
    onSuccess: ({ completedAt }) => heard.push(`job ${completedAt instanceof Date}`),
    onFailure: () => {
      if (throws) throw new Error("not now");
      heard.push("job failed");
    },
  });
  client
    .on("runSucceeded", ({ ok }) => heard.push(`docs ${ok}`))
    .on("runSucceeeded", ({ ok }) => heard.push(`v2 ${ok}`))
    .on("runFailed", ({ status }) => heard.push(status));
  const tell = async (what: object) => {
    const headers = { "x-trigger-api-key": "tr_dev_x", "x-trigger-action": "RUN_NOTIFICATION" };
    return client.handleRequest(new Request("http://app/", { method: "POST", headers, body: JSON.stringify(what) }));
  };
  expect(await tell({ ...told, ok: true, output: 1 })).toMatchObject({ status: 200, body: { ok: true } });
  expect(heard.sort()).toEqual(["docs true", "job true", "v2 true"]);
  heard.length = 0;
  const failed = { ...told, ok: false, status: "CANCELED", error: { message: "The run was canceled." } };
  expect((await tell(failed)).status).toBe(500);
  throws = false;
  expect((await tell(failed)).status).toBe(200);
  expect(heard.filter((what) => what === "job failed")).toHaveLength(1);
  expect(() => client.on("runStarted" as "runFailed", () => {})).toThrow('There is no event "runStarted"');
});
