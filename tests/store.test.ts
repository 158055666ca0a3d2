// The key-value store as users have it: the published SDK and ours give the same results and the same tasks, values survive a kill, and environments are apart.

import type { TaskView } from "@holdfast/protocol";
import { TriggerClient } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, PROD_KEY, TestServer } from "./harness/server.ts";

const PATIENT = { withinMs: 30_000 };
const LONG = { timeout: 90_000 };
const KEY = "k/é ?";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

const backend = (apiKey: string) => new TriggerClient({ id: "backend", apiKey, apiUrl: server.url }).store.env;

/** What the dashboard shows of a task, but for ids and times. */
function shown({ name, icon, properties, params, style, output, status }: TaskView): object {
  return { name, icon, properties, params, style, output, status };
}

const tasksBy = new Map<Mounting, object[]>();

describe.each<Mounting>(["published", "ours", "ours-by-push"])("kept values, SDK %s", (mounting) => {
  test("every scope gives v2's results", LONG, async () => {
    const app = await startCopiedApp({ mounting, files: ["tests/published/kept.ts"], env: server.appEnv });
    await server.api.knowsJob("too-much");
    const run = await server.api.runOnce("keep", { name: "kept.keep", payload: { tag: mounting } }, PATIENT);
    const set = { tag: mounting, at: "1970-01-01T00:00:00.000Z", list: [1, null] };
    expect(run.output, JSON.stringify(run.errorDetail)).toEqual({
      missing: true,
      set,
      own: ["of the job", 7],
      got: [set, "of the job", 7],
      has: [true, false, true],
      nothing: [null, true],
      replayed: true,
      deleted: [true, false, false],
      inside: "of the job",
      withoutCacheKey: "Please provide a non-empty key when accessing the store from inside a run.",
    });
    const looked = await server.api.runOnce("look", { name: "kept.look" }, PATIENT);
    expect(looked.output).toEqual({ env: set, job: true, run: true, client: [mounting, "keep"] });
    expect(await backend(DEV_KEY).get(KEY)).toEqual(set);
    tasksBy.set(mounting, (await server.api.tasks(run.id)).map(shown));
    const big = await server.api.runOnce("too-much", { name: "kept.too-much" }, PATIENT);
    expect(big.output, JSON.stringify(big.errorDetail)).toEqual({ fits: 262_142, refused: "refused" });
    await app.stop();
  });
});

test("the tasks are shown as v2's are", () => {
  const published = JSON.stringify(tasksBy.get("published")).replaceAll('"published"', '"SDK"');
  expect(JSON.parse(published)).toHaveLength(21);
  for (const mounting of ["ours", "ours-by-push"] as const) {
    const tasks = JSON.stringify(tasksBy.get(mounting)).replaceAll(`"${mounting}"`, '"SDK"');
    expect(JSON.parse(tasks)).toEqual(JSON.parse(published));
  }
});

test("a value that was set survives a kill -9 of the server, and no other environment sees it", LONG, async () => {
  const [dev, prod] = [backend(DEV_KEY), backend(PROD_KEY)];
  const values = Array.from({ length: 20 }, (_, n) => `value ${n}`);
  const set = values.map((value) => dev.set(value, { value }));
  await Promise.all(set);
  server.killPostgres();
  await server.kill();
  await server.start();
  for (const value of values) expect(await dev.get(value)).toEqual({ value });
  expect(await prod.get("value 1")).toBeUndefined();
  expect([await prod.has("value 1"), await prod.delete("value 1"), await dev.has("value 1")]).toEqual([false, false, true]);
  await prod.set("value 1", "of prod");
  expect(await dev.get("value 1")).toEqual({ value: "value 1" });
});
