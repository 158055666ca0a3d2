// Schedules registered at run time, as users have them: the published SDK and ours give the same results; one run a tick, never early, on through a kill, with three
// servers too; none once unregistered, and none where schedules are switched off.

import type { RunDetail, TaskView } from "@holdfast/protocol";
import { TriggerClient } from "@trigger.dev/sdk";
import { afterAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { startDatabase } from "./harness/database.ts";
import { cleanUp, type Program } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const LONG = { timeout: 150_000 };
const PATIENT = { withinMs: 60_000 };
const SCHEDULE = "users of it";
const cron = (text: string) => ({ type: "cron" as const, options: { cron: text } });

interface Tick {
  ts: string;
  last: string | null;
  source: { id: string; metadata?: unknown };
  account?: { id: string };
  event: string;
}
type TickRun = RunDetail & { output: Tick };

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

const startApp = (mounting: Mounting, server: TestServer): Promise<Program> =>
  startCopiedApp({ mounting, files: ["tests/published/dynamic.ts"], env: server.appEnv });
const clientOf = (server: TestServer) => new TriggerClient({ id: "dynamic", apiKey: DEV_KEY, apiUrl: server.url });

/** The finished runs of a key, first tick first. */
async function ticksOf(api: Api, key: string): Promise<TickRun[]> {
  const ended = (await api.runsOf("tick")).filter(({ status }) => status === "SUCCESS");
  const runs = (await Promise.all(ended.map(({ id }) => api.run(id)))) as TickRun[];
  return runs.filter(({ output }) => output.source.id === key).sort((a, b) => a.output.ts.localeCompare(b.output.ts));
}
function ticks(api: Api, key: string, count: number): Promise<TickRun[]> {
  const look = async () => {
    const found = await ticksOf(api, key);
    return found.length >= count ? found : null;
  };
  return until(look, { ...PATIENT, everyMs: 200, what: () => `${count} ticks of ${key}` });
}
/** Waits for a tick of the key that was due at or after the moment. */
async function tickFrom(api: Api, key: string, moment: number): Promise<void> {
  const look = async () => (await ticksOf(api, key)).some(({ output }) => Date.parse(output.ts) >= moment);
  await until(look, { ...PATIENT, everyMs: 200, what: () => `a later tick of ${key}` });
}
function expectOneRunATick(runs: TickRun[], periodMs: number): void {
  const moments = runs.map(({ output }) => Date.parse(output.ts));
  expect(new Set(moments).size, "one run a tick").toBe(moments.length);
  for (const [i, { startedAt, output }] of runs.entries()) {
    expect((moments[i] ?? 0) % periodMs).toBe(0);
    expect(Date.parse(startedAt ?? ""), "never early").toBeGreaterThanOrEqual(moments[i] ?? 0);
    if (i > 0) expect(Date.parse(output.last ?? "")).toBe(moments[i - 1]);
  }
}
/** The first tick of the interval came one period after the run registered it. */
async function expectFirstPeriod(api: Api, { startedAt, completedAt }: RunDetail): Promise<void> {
  const [slow] = await ticks(api, "slow", 1);
  const registeredAt = Date.parse(slow?.output.ts ?? "") - 20_000;
  expect(registeredAt).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ""));
  expect(registeredAt).toBeLessThanOrEqual(Date.parse(completedAt ?? ""));
  expect(slow?.output).toMatchObject({ source: { id: "slow" }, last: null });
}
const shown = ({ name, icon, properties, params, style, output, status }: TaskView): object => ({
  ...{ name, icon, properties, params, style, status },
  // A refusal's text is the SDK's own.
  output: status === "ERRORED" ? null : output,
});

const tasksBy = new Map<Mounting, object[]>();

describe.concurrent.each<Mounting>(["published", "ours", "ours-by-push"])("dynamic schedules, SDK %s", (mounting) => {
  test("what a run registers ticks, on through a kill of the server, until it is unregistered", LONG, async () => {
    const server = await TestServer.start();
    await startApp(mounting, server);
    await server.api.knowsJob("end");
    const managed = await server.api.runOnce("manage", { name: "dynamic.manage" }, PATIENT);
    const registered = { id: "user/1", schedule: cron("*/2 * * * * *"), metadata: { m: [1] }, active: true };
    expect(managed.output, JSON.stringify(managed.errorDetail)).toEqual({
      registered,
      slow: { id: "slow", schedule: { type: "interval", options: { seconds: 20 } }, active: true },
      old: [
        { id: "brief", schedule: cron("* * * * * *"), active: true },
        { ok: true },
        { id: "long", schedule: { type: "interval", options: { seconds: 3600 } }, active: true },
        { ok: true },
      ],
      refused: "refused",
      nothing: { ok: true },
    });
    tasksBy.set(mounting, (await server.api.tasks(managed.id)).map(shown));
    const before = await ticks(server.api, "user/1", 2);
    await server.kill();
    await server.start();
    const after = await ticks(server.api, "user/1", before.length + 3);
    for (const { output } of after) {
      expect(output).toMatchObject({ source: { id: "user/1", metadata: { m: [1] } }, account: { id: "acc" } });
    }
    expectOneRunATick(after, 2_000);
    // The server's own doing, and slow: once is enough.
    if (mounting === "published") await expectFirstPeriod(server.api, managed);

    await clientOf(server).registerSchedule(SCHEDULE, "witness", cron("* * * * * *"));
    expect((await server.api.runOnce("end", { name: "dynamic.end" }, PATIENT)).output).toEqual({ ok: true });
    const ended = Date.now();
    await tickFrom(server.api, "witness", ended + 4_000);
    const late = (await ticksOf(server.api, "user/1")).filter(({ output }) => Date.parse(output.ts) > ended);
    expect(late).toEqual([]);
    const brief = (await ticksOf(server.api, "brief")).filter(({ output }) => output.ts > (managed.completedAt ?? ""));
    expect(brief, "it was unregistered in the run that registered it").toEqual([]);
    await server.stop();
  });
});

test("the tasks are shown as v2's are", () => {
  expect(tasksBy.get("published")).toHaveLength(12);
  for (const mounting of ["ours", "ours-by-push"] as const) expect(tasksBy.get(mounting)).toEqual(tasksBy.get("published"));
});

test.concurrent("three servers start one run a tick, and the two that are left when one is killed", LONG, async () => {
  const database = await startDatabase();
  // A server at a time: the first makes the tables and keys.
  const env = { HOLDFAST_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64") };
  const servers: TestServer[] = [];
  for (let n = 0; n < 3; n++) servers.push(await TestServer.start({ databaseUrl: database.url, env }));
  const [first, second, third] = servers as [TestServer, TestServer, TestServer];
  await startApp("ours-by-push", first);
  await Promise.all(servers.map((server) => clientOf(server).registerSchedule(SCHEDULE, "shared", cron("* * * * * *"))));
  const before = await ticks(second.api, "shared", 4);
  await third.kill();
  const runs = await ticks(second.api, "shared", before.length + 4);
  expectOneRunATick(runs, 1_000);
  await Promise.all([first.stop(), second.stop()]);
});

test.concurrent(
  "HOLDFAST_DEV_SCHEDULES=off starts nothing in development, and on again what is registered goes on",
  LONG,
  async () => {
    const on = await TestServer.start();
    const app = await startApp("ours", on);
    await clientOf(on).registerSchedule(SCHEDULE, "switched", cron("* * * * * *"));
    await ticks(on.api, "switched", 2);
    await app.stop();
    await on.stop();

    const off = await TestServer.start({ dataDir: on.dataDir, env: { ...on.environment, HOLDFAST_DEV_SCHEDULES: "off" } });
    const offAt = Date.now();
    const again = await startApp("ours", off);
    const registered = await clientOf(off).registerSchedule(SCHEDULE, "not now", cron("* * * * * *"));
    expect(registered.active).toBe(false);
    // An event sent for later, due after several ticks would have been.
    await clientOf(off).sendEvent({ id: "later", name: "dynamic.end" }, { deliverAfter: 5 });
    await off.api.settled("end", 1, PATIENT);
    expect((await off.api.runsOf("tick")).filter(({ createdAt }) => Date.parse(createdAt) > offAt)).toEqual([]);
    await again.stop();
    await off.stop();

    const back = await TestServer.start({ dataDir: on.dataDir, env: on.environment });
    await startApp("ours", back);
    await ticks(back.api, "not now", 2);
    await back.stop();
  },
);
