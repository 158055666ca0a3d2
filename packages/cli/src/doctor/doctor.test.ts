// `holdfast doctor`: what each check says when all is well and when it is not.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { run } from "../program.ts";
import { writeServerFile } from "../settings/server-file.ts";
import { fakeApi, Refusal } from "../testing/fake-api.ts";
import { type FakeServer, fakeServer } from "../testing/fake-server.ts";
import { type TestWorld, type TestWorldOptions, testWorld } from "../testing/test-world.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
function world(options: TestWorldOptions = {}): TestWorld {
  const made = testWorld(options);
  undo.push(made.remove);
  return made;
}
async function examine(here: TestWorld, server: FakeServer = fakeServer()) {
  const exit = await run(["doctor", "--json", "--port", "0"], here, server.load);
  const { ok, checks } = JSON.parse(here.printed.out);
  expect(exit, "the exit code says the same").toBe(ok ? 0 : 1);
  return Object.fromEntries(checks.map((check: { name: string; state: string; detail: string }) => [check.name, check]));
}

test("all is well on a fresh machine", async () => {
  const here = world();
  const checks = await examine(here);
  expect(Object.entries(checks).map(([name, check]) => [name, (check as { state: string }).state])).toEqual([
    ["node", "ok"],
    ["data directory", "ok"],
    ["server", "skipped"],
    ["port", "ok"],
    ["database", "ok"],
    ["apps", "skipped"],
  ]);
  expect(checks.database.detail).toBe("PostgreSQL 18.0, embedded, fsync on, synchronous_commit on");
});

test("for a person: one line a check", async () => {
  const here = world({ nodeVersion: "20.18.1" });
  expect(await run(["doctor", "--port", "0"], here, fakeServer().load)).toBe(1);
  expect(here.printed.out).toMatch(/^failed +node +20\.18\.1 is too old\.\n +Install Node 20\.19 or newer\.\nok +data directory/);
});

test.each([
  [{ version: "16.1", embedded: false, fsync: "off", synchronousCommit: "on" }, "fsync off"],
  [{ version: "16.1", embedded: false, fsync: "on", synchronousCommit: "off" }, "synchronous_commit off"],
])("database %j fails", async (database, words) => {
  const server = fakeServer();
  server.database = database;
  expect((await examine(world(), server)).database).toMatchObject({ state: "failed", detail: expect.stringContaining(words) });
});

test("a database that cannot be reached is a finding, and the other checks are still made", async () => {
  const server = fakeServer();
  const load = async () => ({ ...(await server.load()), inspectDatabase: () => Promise.reject(new Error("refused")) });
  const checks = await examine(world(), { ...server, load });
  expect(checks.database).toMatchObject({ state: "failed", detail: expect.stringContaining("refused") });
  expect(checks.apps.state).toBe("skipped");
});

test("a running server, and an app it cannot reach", async () => {
  const here = world();
  const apps = [
    { slug: "good", reachable: true },
    { slug: "lost", reachable: false, lastError: "connection refused" },
  ];
  const api = await fakeApi({ "GET /readyz": {}, "GET /api/v1/environments/dev/apps": apps });
  undo.push(api.close);
  writeServerFile(join(here.cwd, ".holdfast"), { url: api.url, pid: 1, key: "tr_dev_k" });
  const checks = await examine(here);
  expect(checks.server).toMatchObject({ state: "ok" });
  expect(checks.database, "the server holds it").toMatchObject({ state: "skipped" });
  expect(checks.apps).toMatchObject({ state: "failed", detail: "Not reachable: lost (connection refused)." });
});

test("a server that is not ready, or was killed", async () => {
  const here = world();
  const api = await fakeApi({ "GET /readyz": new Refusal(503, {}), "GET /api/v1/environments/dev/apps": [] });
  writeServerFile(join(here.cwd, ".holdfast"), { url: api.url, pid: 1, key: "tr_dev_k" });
  expect((await examine(here)).server).toMatchObject({ state: "failed", detail: expect.stringContaining("not ready (503)") });
  await api.close();
  here.printed.out = "";
  expect((await examine(here)).server).toMatchObject({
    state: "failed",
    detail: expect.stringContaining("nothing answers there"),
  });
});

test("a data directory that cannot be written", async () => {
  const { openDataDir } = await import("@holdfast/server");
  const server = fakeServer();
  const load = async () => ({ ...(await server.load()), openDataDir });
  const here = world();
  writeFileSync(join(here.cwd, ".holdfast"), "a file in its place");
  expect((await examine(here, { ...server, load }))["data directory"]).toMatchObject({
    state: "failed",
    detail: expect.stringContaining(`The data directory ${join(here.cwd, ".holdfast")} cannot be used`),
    hint: expect.stringContaining("Choose another with --data-dir"),
  });
});
