// Events and runs looked up, replaced and canceled, from inside and outside of runs: the published SDK and ours give the same results, and what was canceled never
// starts a run, whoever is killed.

import type { RunDetail } from "@holdfast/protocol";
import { TriggerClient } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, PROD_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 30_000 };
const LONG = { timeout: 90_000 };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

const clientOf = (apiKey: string) => new TriggerClient({ id: "backend", apiKey, apiUrl: server.url });
/** The payloads runs of the job ended with, that begin with the tag. */
async function outputs(job: string, tag: string): Promise<unknown[]> {
  const runs = await Promise.all((await server.api.runsOf(job)).map(({ id }) => server.api.run(id)));
  const mine = runs.filter(({ event }) => event.id.startsWith(tag)).map(({ output }) => output as { id: string });
  return mine.sort((a, b) => a.id.localeCompare(b.id));
}
async function waitingRuns(count: number): Promise<RunDetail[]> {
  const runs = await until(
    async () => {
      const waiting = (await server.api.runsOf("long")).filter(({ status }) => status === "WAITING_TO_CONTINUE");
      return waiting.length === count ? waiting : null;
    },
    { what: () => `${count} waiting runs` },
  );
  return Promise.all(runs.map(({ id }) => server.api.run(id)));
}

describe.each<Mounting>(["published", "ours", "ours-by-push"])("canceling, SDK %s", (mounting) => {
  test("events for later, and runs, do what v2 did", LONG, async () => {
    const app = await startCopiedApp({ mounting, files: ["tests/published/canceling.ts"], env: server.appEnv });
    await server.api.knowsJob("stop");
    const planned = await server.api.runOnce("plan", { name: "plan.asked", payload: { tag: mounting } }, PATIENT);
    expect(planned.output, JSON.stringify(planned.errorDetail)).toEqual({
      before: [`${mounting}-canceled`, "plan.due", []],
      canceled: [`${mounting}-canceled`, { id: `${mounting}-canceled`, n: 1 }, true, true],
      again: [{ id: `${mounting}-canceled`, n: 1 }, true],
      replaced: { id: `${mounting}-replaced`, n: 2 },
      delivered: [{ id: `${mounting}-now`, n: 1 }, true, true],
      after: ["SUCCESS"],
    });
    const due = await until(
      async () => {
        const ended = await outputs("due", mounting);
        return ended.length === 2 && ended.every(Boolean) ? ended : null;
      },
      { what: () => "the two events that were not canceled" },
    );
    expect(due).toEqual([
      { id: `${mounting}-now`, n: 1 },
      { id: `${mounting}-replaced`, n: 3 },
    ]);

    for (let n = 0; n < 5; n++) await server.api.send({ id: `${mounting}-long-${n}`, name: "plan.long" });
    const waiting = await waitingRuns(5);
    const event = `${mounting}-long-0`;
    const one = waiting.find((run) => run.event.id === `${mounting}-long-1`)?.id;
    const stopped = await server.api.runOnce("stop", { name: "plan.stop", payload: { event, one } }, PATIENT);
    expect(stopped.output, JSON.stringify(stopped.errorDetail)).toEqual({
      found: [event, 1, true],
      ofEvent: [1, true, []],
      ofEventAgain: { cancelledRunIds: [], failedToCancelRunIds: [] },
      run: [true, "CANCELED", "CANCELED", [["wait", "CANCELED"]]],
      listed: [2, expect.any(Number), "STARTED"],
      ofJob: [3, []],
      unknown: { cancelledRunIds: [], failedToCancelRunIds: [] },
    });
    await waitingRuns(0);
    await app.stop();
  });
});

test("canceling reaches no other environment, and outlives a kill of server and database", LONG, async () => {
  const app = await startCopiedApp({ mounting: "ours", files: ["tests/published/canceling.ts"], env: server.appEnv });
  const [dev, prod] = [clientOf(DEV_KEY), clientOf(PROD_KEY)];
  const soon = { deliverAt: new Date(Date.now() + 8_000) };
  for (const id of ["kill-canceled", "kill-kept"]) await dev.sendEvent({ id, name: "plan.due", payload: { id, n: 0 } }, soon);
  await dev.sendEvent({ id: "kill-long", name: "plan.long" });
  await waitingRuns(1);
  const calls = [
    () => prod.cancelEvent("kill-kept"),
    () => prod.cancelRunsForEvent("kill-long"),
    () => prod.getEvent("kill-kept"),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "NOT_FOUND", message: "Event not found" });
  expect(await prod.cancelRunsForJob("long")).toEqual({ cancelledRunIds: [], failedToCancelRunIds: [] });
  expect((await dev.cancelEvent("kill-canceled")).cancelledAt).toBeInstanceOf(Date);
  server.killPostgres();
  await server.kill();
  await server.start();
  // The one due at the same moment shows that the moment has passed.
  const kept = await until(async () => (await outputs("due", "kill-kept")).find(Boolean), {
    ...PATIENT,
    what: () => "the event that was kept",
  });
  expect(kept).toEqual({ id: "kill-kept", n: 0 });
  expect((await dev.getEvent("kill-canceled")).runs).toEqual([]);
  expect(await waitingRuns(1)).toHaveLength(1);
  await app.stop();
});
