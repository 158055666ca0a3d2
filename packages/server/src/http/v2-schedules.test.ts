// The routes of dynamic schedules on the wire: what the published SDK sends and reads, and what is refused.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Fixture, startFixture } from "./fixture.test.mts";

let server: Fixture;
beforeAll(async () => {
  server = await startFixture();
  await server.index("my app", server.environments.dev, { dynamicSchedules: [{ id: "of users", jobs: [] }], jobs: [] });
});
afterAll(() => server.stop());

const PATH = "/api/v1/my%20app/schedules/of%20users/registrations";
const register = (body: object, key?: string) =>
  server.api(PATH, { method: "POST", body, ...(key === undefined ? {} : { key }) });

it("registers, answers in v2's shape, and stores the next tick with all that is known of it", async () => {
  const body = { id: "user 1", type: "cron", options: { cron: "0 * * * *" }, accountId: "acc", metadata: { m: 1 } };
  const answer = await register(body);
  const told = { id: "user 1", schedule: { type: "cron", options: { cron: "0 * * * *" } }, metadata: { m: 1 }, active: true };
  expect([answer.status, answer.json()]).toEqual([200, told]);
  expect((await register(body)).json()).toEqual(told);
  const [app] = server.registry.apps(server.environments.dev.id);
  const owner = { environmentId: server.environments.dev.id, appId: app?.id ?? "", scheduleId: "of users" };
  const row = await server.store.schedules.get(owner, "user 1");
  expect(row).toMatchObject({ revision: 1, accountId: "acc", lastAt: null });
  const id = `registered:${row?.id}:1:${app?.id}:of users:${row?.nextAt}`;
  expect(await server.store.event(owner.environmentId, { id })).toMatchObject({
    name: "dev.trigger.scheduled",
    deliverAt: row?.nextAt,
    deliveredAt: null,
    accountId: "acc",
    sourceText: '{"id":"user 1","metadata":{"m":1}}',
  });
  for (let i = 0; i < 2; i++) {
    const ended = await server.api(`${PATH}/user%201`, { method: "DELETE" });
    expect([ended.status, ended.json()]).toEqual([200, { ok: true }]);
  }
  expect(await server.store.schedules.get(owner, "user 1")).toBeNull();
});

it("takes an interval without account and metadata, and a key with a slash in it", async () => {
  const told = { id: "a/b", schedule: { type: "interval", options: { seconds: 20 } }, active: true };
  expect((await register({ id: "a/b", type: "interval", options: { seconds: 20 } })).json()).toEqual(told);
  expect((await server.api(`${PATH}/a%2Fb`, { method: "DELETE" })).json()).toEqual({ ok: true });
});

it("refuses what cannot be a schedule, and says why", async () => {
  const refused: [object, RegExp][] = [
    [{ id: "k", type: "interval", options: { seconds: 19 } }, /seconds must be a whole number from 20/],
    [{ id: "k", type: "interval", options: { cron: "* * * * *" } }, /seconds must be/],
    [{ id: "k", type: "cron", options: { cron: "* * *" } }, /no cron expression/],
    [{ id: "k", type: "cron", options: { cron: "0 0 30 2 *" } }, /never comes/],
    [{ id: "", type: "cron", options: { cron: "* * * * *" } }, /id/],
    [{ id: "k", type: "daily", options: {} }, /type/],
  ];
  for (const [body, why] of refused) {
    const answer = await register(body);
    expect([answer.status, answer.json().error]).toEqual([422, expect.stringMatching(why)]);
  }
});

it("answers 404 for an app or a dynamic schedule that is not there, and 401 for keys that may not", async () => {
  const body = { id: "k", type: "cron", options: { cron: "* * * * *" } };
  const unknown = await server.api(PATH.replace("users", "nobody"), { method: "POST", body });
  expect([unknown.status, unknown.json()]).toEqual([
    404,
    expect.objectContaining({ hint: expect.stringContaining("defineDynamicSchedule") }),
  ]);
  expect((await server.api(PATH.replace("my%20app", "other"), { method: "POST", body })).status).toBe(404);
  expect((await register(body, server.keys.prod.secretKey)).status).toBe(404);
  for (const key of [server.keys.dev.publicKey, "tr_dev_wrong"]) expect((await register(body, key)).status).toBe(401);
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
