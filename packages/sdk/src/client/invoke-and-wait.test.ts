// Room: client. A server that does not wait is asked once a second, not as fast as it answers.
import { expect, it } from "vitest";
import type { Runtime } from "../runtime/runtime.ts";
import type { ApiClient } from "./api.ts";
import { invokeAndWait } from "./invoke-and-wait.ts";

/** Time passes only while somebody sleeps. */
function asleepOnly(): Runtime {
  let now = 0;
  const after = (ms: number, callback: () => void) => {
    now += ms;
    queueMicrotask(callback);
    return () => {};
  };
  return { elapsed: () => now, uniqueId: () => "key", after } as Partial<Runtime> as Runtime;
}

function answering(answers: (call: number) => object) {
  const keys: (string | undefined)[] = [];
  const invokeJob = async (_job: string, _payload: unknown, { idempotencyKey }: { idempotencyKey?: string } = {}) => {
    keys.push(idempotencyKey);
    return answers(keys.length);
  };
  return { api: { invokeJob } as unknown as ApiClient, keys };
}

it("pauses between answers that did not wait, and gives up in time", async () => {
  const { api, keys } = answering(() => ({ id: "run_1" }));
  const late = invokeAndWait({ api, runtime: asleepOnly() }, "report", {}, { timeoutInSeconds: 5 });
  await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
  expect(keys).toEqual(Array.from({ length: 6 }, () => "key"));
});

it("takes the end when it comes", async () => {
  const end = { id: "run_1", ok: true, status: "SUCCESS", output: 1 };
  const { api, keys } = answering((call) => (call < 3 ? { id: "run_1" } : end));
  expect(await invokeAndWait({ api, runtime: asleepOnly() }, "report", {}, {})).toEqual(end);
  expect(keys).toHaveLength(3);
});
