// A job's result for who calls it from outside of a run: `Prefer: wait` of the invoke route, and the SDK's `invokeJobAndWait` on top of it.
import { type JobEnd, TriggerClient } from "@holdfast/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const LONG = { timeout: 60_000 };
let server: TestServer;
let caller: TriggerClient;

beforeAll(async () => {
  server = await TestServer.start();
  const env = { ...server.appEnv, NOTE_URL: "http://127.0.0.1:9" };
  await startCopiedApp({ mounting: "ours", files: ["tests/published/outside.ts"], env });
  caller = new TriggerClient({ id: "caller", apiKey: DEV_KEY, apiUrl: server.url });
}, 60_000);
afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

/** Calls the route itself. */
function invoke(
  job: string,
  { prefer, key, payload = {} }: { prefer: string; key: string; payload?: object },
): Promise<Response> {
  const headers = { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json", "idempotency-key": key, prefer };
  const url = `${server.url}/api/v1/jobs/${job}/invoke`;
  return fetch(url, { method: "POST", headers, body: JSON.stringify({ payload }) });
}

const sleeping = (id: string) =>
  until(async () => (await server.api.run(id)).status === "WAITING_TO_CONTINUE", { what: () => "a run that waits" });

/** Resolves once so many calls wait, as the server's metrics tell. */
const callsWaiting = (count: number) =>
  until(async () => (await (await fetch(`${server.url}/metrics`)).text()).includes(`\nholdfast_calls_waiting ${count}\n`), {
    what: () => `${count} waiting calls`,
  });

describe("a job's result in one call", () => {
  test("is its output, or what it failed with", LONG, async () => {
    const good = await caller.invokeJobAndWait("child", { n: 21 });
    expect(good).toMatchObject({ ok: true, status: "SUCCESS", output: { twice: 42 } });
    expect(await server.api.run(good.id)).toMatchObject({ status: "SUCCESS" });
    const bad = await caller.invokeJobAndWait("child", { n: -1 });
    expect(bad).toMatchObject({ ok: false, status: "FAILURE", error: { message: "no negative numbers" } });
  });

  test("asked for again by the same key it is the same run's, though that ended long ago", LONG, async () => {
    const first = await caller.invokeJobAndWait("child", { n: 1 }, { idempotencyKey: "once" });
    const again = await caller.invokeJobAndWait("child", { n: 2 }, { idempotencyKey: "once" });
    expect(again).toEqual(first);
    expect(first).toMatchObject({ output: { twice: 2 } });
  });

  test(
    "takes too long: the caller is told, and the run goes on; many wait for one run, and hear that it was canceled",
    LONG,
    async () => {
      const waiting = { idempotencyKey: "slow", timeoutInSeconds: 1 };
      const late = await caller.invokeJobAndWait("tells", { seconds: 600 }, waiting).catch((error: unknown) => error);
      expect(late).toMatchObject({ code: "TIMEOUT", message: expect.stringContaining('of the job "tells"') });
      const answer = await invoke("tells", { prefer: "wait=0", key: "slow" });
      expect([answer.status, answer.headers.get("preference-applied")]).toEqual([202, "wait"]);
      const { id } = (await answer.json()) as { id: string };
      await sleeping(id);
      const calls = [1, 2, 3].map(() => caller.invokeJobAndWait("tells", {}, { idempotencyKey: "slow" }));
      await callsWaiting(3);
      await server.api.post(`/api/v1/runs/${id}/cancel`);
      for (const end of await Promise.all(calls))
        expect(end).toMatchObject({ id, ok: false, status: "CANCELED" } satisfies Partial<JobEnd>);
    },
  );

  test("a server that stops answers those who wait; one that was killed is asked again", LONG, async () => {
    const slow = { idempotencyKey: "slower", timeoutInSeconds: 50 };
    const { id } = (await (
      await invoke("tells", { prefer: "wait=0", key: "slower", payload: { seconds: 600 } })
    ).json()) as JobEnd;
    await sleeping(id);
    const open = invoke("tells", { prefer: "wait=40", key: "slower" });
    await callsWaiting(1);
    await server.stop();
    expect((await open).status).toBe(202);
    await server.start();
    const end = caller.invokeJobAndWait("tells", {}, slow);
    await callsWaiting(1);
    await server.kill();
    await server.start();
    await server.api.post(`/api/v1/runs/${id}/cancel`);
    expect(await end).toMatchObject({ id, status: "CANCELED" });
  });

  test("a caller that goes is not waited for", LONG, async () => {
    const leaving = new AbortController();
    const url = `${server.url}/api/v1/jobs/tells/invoke`;
    const headers = { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json", prefer: "wait=50" };
    const body = JSON.stringify({ payload: { seconds: 600 } });
    const call = fetch(url, { method: "POST", headers, body, signal: leaving.signal }).catch((error: Error) => error.name);
    await callsWaiting(1);
    leaving.abort();
    expect(await call).toBe("AbortError");
    await callsWaiting(0);
  });

  test("a wait that is no number of seconds is refused before anything runs", LONG, async () => {
    const before = (await server.api.runsOf("child")).length;
    const answer = await invoke("child", { prefer: "wait=soon", key: "bad", payload: { n: 1 } });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "BAD_REQUEST" }]);
    expect(await server.api.runsOf("child")).toHaveLength(before);
  });
});
