// `holdfast events` as a script sees it: stdout, stderr and exit codes, against a fake API.
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { run } from "../program.ts";
import { writeServerFile } from "../settings/server-file.ts";
import { fakeApi } from "../testing/fake-api.ts";
import { testWorld } from "../testing/test-world.ts";

const ENV = "/api/v1/environments/dev";

test("events get and events skipped say why an event started no run", async () => {
  const why = "The job's rateLimit was used up.";
  const skip = { job: "sync", reason: "rate-limited", why, eventId: "e/1", eventName: "made", at: "t" };
  const event = { id: "e/1", name: "made", createdAt: "t", updatedAt: "t", runs: [{ id: "run_1", status: "SUCCESS" }] };
  const server = await fakeApi({
    "GET /api/v2/events/e%2F1": { ...event, skipped: [skip] },
    "GET /api/v2/events/e2": { ...event, runs: [] },
    [`GET ${ENV}/jobs/sync/skips`]: { items: [skip] },
    [`GET ${ENV}/jobs/calm/skips`]: { items: [] },
  });
  const here = testWorld();
  onTestFinished(async () => {
    here.remove();
    await server.close();
  });
  writeServerFile(join(here.cwd, ".holdfast"), { url: server.url, pid: process.pid, key: "tr_dev_fromfile" });
  const said = async (...args: string[]) => {
    Object.assign(here.printed, { out: "", err: "" });
    expect(await run(["events", ...args], here)).toBe(0);
    return { ...here.printed };
  };
  expect((await said("get", "e/1")).out).toBe(`made  e/1  t\nrun_1  SUCCESS\nno run of sync: ${why}\n`);
  expect(await said("get", "e2")).toEqual({ out: "made  e/1  t\n", err: expect.stringContaining("It started no runs") });
  expect(JSON.parse((await said("get", "e2", "--json")).out)).toEqual({ ...event, runs: [], skipped: [] });
  expect((await said("skipped", "--job", "sync")).out).toMatch(/e\/1 +made +rate-limited +t +The job's rateLimit was used up\./);
  expect(JSON.parse((await said("skipped", "--job", "calm", "--json")).out)).toEqual([]);
  expect(await run(["events", "skipped"], here)).toBe(2);
});
