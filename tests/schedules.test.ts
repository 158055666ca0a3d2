// Schedules as users have them: the published SDK and ours, cron and interval; never early, one run a tick, on through a kill, and none once switched off.
import type { RunDetail } from "@holdfast/protocol";
import { afterAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp, type Program } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const JOB = "every-two-seconds";
const LONG = { timeout: 120_000 };

interface Tick {
  ts: string;
  last: string | null;
  source: string;
}

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

const startJobs = (mounting: Mounting, server: TestServer, env: Record<string, string> = {}): Promise<Program> =>
  startCopiedApp({ mounting, files: ["tests/published/scheduled.ts"], env: { ...server.appEnv, ...env } });

/** So many finished runs at least, first tick first. */
async function ticks(api: Api, count: number): Promise<(RunDetail & { output: Tick })[]> {
  const done = await until(
    async () => {
      const ended = (await api.runsOf(JOB)).filter(({ status }) => status === "SUCCESS");
      return ended.length >= count ? ended : null;
    },
    { withinMs: 40_000, what: () => `${count} ticks` },
  );
  const runs = (await Promise.all(done.map(({ id }) => api.run(id)))) as (RunDetail & { output: Tick })[];
  return runs.sort((a, b) => a.output.ts.localeCompare(b.output.ts));
}

describe.concurrent.each<Mounting>(["published", "ours", "ours-by-push"])("schedules, SDK %s", (mounting) => {
  test("every tick is one run, never early, with the tick before it named, on through a kill of the server", LONG, async () => {
    const server = await TestServer.start();
    await startJobs(mounting, server);
    const before = await ticks(server.api, 3);
    await server.kill();
    await server.start();
    const runs = await ticks(server.api, before.length + 3);
    const moments = runs.map(({ output }) => Date.parse(output.ts));
    expect(new Set(moments).size, "one run a tick").toBe(moments.length);
    for (const [i, { output, startedAt, status }] of runs.entries()) {
      expect(status).toBe("SUCCESS");
      expect(output.source).toBe("string");
      expect(Date.parse(output.ts) % 2_000).toBe(0);
      expect(Date.parse(startedAt ?? ""), "never early").toBeGreaterThanOrEqual(moments[i] ?? 0);
      if (i > 0 && i < before.length) expect(output.last).toBe(runs[i - 1]?.output.ts);
    }
    const [interval] = await server.api.settled("at-times", 1, { withinMs: 45_000 });
    const { output } = (await server.api.run(interval?.id ?? "")) as { output: Tick };
    expect(Date.parse(output.ts) % 20_000).toBe(0);
    await server.stop();
  });
});

test.concurrent("a job that is switched off has no more ticks, though one was stored ahead", LONG, async () => {
  const server = await TestServer.start();
  const app = await startJobs("ours", server);
  await ticks(server.api, 1);
  await app.stop();
  await startJobs("ours", server, { SCHEDULED: "off" });
  const offAt = Date.now();
  // The other job's tick comes after several of those that must not come any more.
  await until(async () => (await server.api.runsOf("at-times")).some((run) => Date.parse(run.createdAt) > offAt + 5_000), {
    withinMs: 60_000,
    what: () => "a later tick of the other job",
  });
  const late = (await server.api.runsOf(JOB)).filter((run) => Date.parse(run.createdAt) > offAt);
  expect(late).toEqual([]);
  await server.stop();
});
