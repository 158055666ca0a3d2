// Room: dispatch, tested on the memory store: registrations that race, and reads that are under way when something is saved.
import { expect, it } from "vitest";
import { realWorld } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { Registry } from "./registry.ts";

const world = realWorld();
const event = (id: string) => ({ name: id, title: id, source: id, icon: "webhook" });
const endpoint = (id: string) => ({ id, version: "1", enabled: true, event: event(id), source: id });
const registration = {
  environmentId: "env_00000000000000000000000000",
  slug: "shop",
  transport: "connect" as const,
  url: null,
  sdk: "0",
  index: {
    jobs: [],
    sources: [],
    dynamicTriggers: [],
    dynamicSchedules: [],
    httpEndpoints: [endpoint("a.com"), endpoint("b.com")],
  },
};

it("gives an app one id, and its endpoints one address each, when its processes register with several servers in one moment", async () => {
  const { store, bus } = createMemoryStore();
  const servers = [1, 2, 3].map(() => new Registry(store.catalog, world, bus));
  const twoEach = servers.flatMap((registry) => [registry.saveIndex(registration), registry.saveIndex(registration)]);
  const ids = new Set((await Promise.all(twoEach)).map(({ id }) => id));
  expect(ids.size).toBe(1);
  expect(await store.catalog.apps()).toMatchObject([{ id: [...ids][0], slug: "shop" }]);
  const endpoints = await store.catalog.endpoints();
  expect(endpoints.map(({ slug }) => slug).sort()).toEqual(["a.com", "b.com"]);
  for (const registry of servers) {
    await registry.refresh();
    expect(registry.endpoints(registration.environmentId).map(({ row }) => row)).toEqual(endpoints);
  }
});

it("knows what was saved before it was asked to read, though an older read is under way", async () => {
  const { store, bus } = createMemoryStore();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let reads = 0;
  const apps = async () => {
    const rows = await store.catalog.apps();
    if (++reads === 1) await held;
    return rows;
  };
  const catalog = Object.assign(Object.create(store.catalog), { apps }) as typeof store.catalog;
  Object.assign(catalog, {
    environments: () => store.catalog.environments(),
    endpoints: () => store.catalog.endpoints(),
    revision: () => store.catalog.revision(),
  });
  const registry = new Registry(catalog, world, bus);
  const older = registry.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  await new Registry(store.catalog, world, bus).saveIndex(registration);
  const newer = registry.refresh();
  release();
  await Promise.all([older, newer]);
  expect(registry.apps().map(({ slug }) => slug)).toEqual(["shop"]);
});

it("notes something of an app without bringing back what another server has replaced", async () => {
  const { store, bus } = createMemoryStore();
  const [here, there] = [new Registry(store.catalog, world, bus), new Registry(store.catalog, world, bus)];
  const app = await here.saveIndex(registration);
  const newer = { ...registration, sdk: "1", index: { ...registration.index, httpEndpoints: [endpoint("c.com")] } };
  await there.saveIndex(newer);
  await here.noteCallLimit(app.id, 3_000);
  await here.noteAppError(app, "down");
  expect(await store.catalog.apps()).toMatchObject([{ sdk: "1", index: newer.index, callLimitMs: 3_000, lastError: "down" }]);
});
