// Webhooks that could not be registered are asked for again: not while a register run is under way, and after longer and longer pauses.
import { indexDocumentSchema } from "@holdfast/protocol";
import { beforeEach, expect, it } from "vitest";
import { Registry } from "../dispatch/registry.ts";
import { sourceOf } from "../dispatch/source.ts";
import { createVault, generateEncryptionKey } from "../platform/secrets.ts";
import { createMemoryStore, type MemoryStore } from "../store/memory/memory-store.ts";
import { ENVIRONMENT, sampleEnvironment, world as sampleWorld } from "../store/samples.conformance.ts";
import type { Bus, EndpointRow, EventRow } from "../store/store.ts";
import { SourceRegistration } from "./source-registration.ts";

const MINUTE = 60_000;
const index = indexDocumentSchema.parse({
  jobs: [],
  sources: [{ version: "2", channel: "HTTP", key: "repo", params: { repo: "r" }, options: { event: ["opened"] } }],
});

let now: number;
let store: MemoryStore;
let bus: Bus;
let sources: SourceRegistration;
let registry: Registry;
/** Ids of the events register jobs were asked by. */
let asked: string[];
/** Whether the register run of the last one is under way. */
let running: boolean;
let events: Map<string, number>;
const vault = createVault(generateEncryptionKey());
const registration = { environmentId: ENVIRONMENT, slug: "app", transport: "connect" as const, url: null, sdk: "x" };

/** A server on the one database; it hears no news of the others. */
function server(): { registry: Registry; sources: SourceRegistration } {
  const world = { ...sampleWorld, now: () => now };
  const own = new Registry(store.catalog, world, bus);
  const remembering = Object.assign(Object.create(store) as MemoryStore, {
    event: async (_environment: string, { id }: { id: string }) => {
      const createdAt = events.get(id);
      return createdAt === undefined ? null : ({ rowId: id, createdAt } as EventRow);
    },
    runsOfEvent: async () => [{ state: { kind: running ? "queued" : "finished" } }],
  });
  const send = async (_environment: string, { id = "" }: { id?: string | undefined }) => {
    if (!events.has(id)) asked.push(id);
    events.set(id, now);
    return { event: {} as EventRow, runs: [], duplicate: false };
  };
  const publicUrl = () => "https://jobs.example.com";
  const made = new SourceRegistration({ world, registry: own, store: remembering, events: { send }, vault, publicUrl });
  own.whenIndexed((app) => made.indexed(app));
  return { registry: own, sources: made };
}

const stateOf = async () => {
  const [row] = await store.catalog.endpoints();
  return row && sourceOf(row);
};

beforeEach(async () => {
  now = sampleWorld.now();
  ({ store, bus } = createMemoryStore());
  [asked, running, events] = [[], false, new Map()];
  await store.catalog.saveEnvironment({ ...sampleEnvironment(), id: ENVIRONMENT });
  ({ registry, sources } = server());
  await registry.saveIndex({ ...registration, index });
});

it("asks once at first, and again a minute later, then two, then four", async () => {
  expect(asked).toHaveLength(1);
  const times: number[] = [];
  for (let minute = 0; minute < 16; minute++) {
    const before = asked.length;
    await sources.ensure();
    if (asked.length > before) times.push(minute);
    now += MINUTE;
  }
  expect(times).toEqual([1, 3, 7, 15]);
  expect(new Set(asked).size).toBe(asked.length);
});

it("waits for a register run that is under way, and at most six hours", async () => {
  running = true;
  now += 100 * MINUTE;
  await sources.ensure();
  expect(asked).toHaveLength(1);
  running = false;
  for (let day = 0; day < 2; day++) {
    for (let step = 0; step < 24 * 12; step++) {
      now += 5 * MINUTE;
      await sources.ensure();
    }
  }
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.length).toBeLessThan(25);
});

it("asks no more once it is registered, and soon again for what is wanted newly", async () => {
  for (let minute = 0; minute < 4; minute++) {
    now += 10 * MINUTE;
    await sources.ensure();
  }
  const before = asked.length;
  await sources.registered(ENVIRONMENT, "app", { key: "repo", options: { event: ["opened"] } });
  now += 1_000 * MINUTE;
  await sources.ensure();
  expect(asked).toHaveLength(before);
  const wider = { ...index, sources: index.sources.map((source) => ({ ...source, options: { event: ["opened", "closed"] } })) };
  await registry.saveIndex({ ...registration, index: wider });
  expect(asked).toHaveLength(before + 1);
  now += MINUTE;
  await sources.ensure();
  expect(asked).toHaveLength(before + 2);
});

it("forgets what its app no longer wants", async () => {
  await registry.saveIndex({ ...registration, index: { ...index, sources: [] } });
  now += 1_000 * MINUTE;
  await sources.ensure();
  expect(asked).toHaveLength(1);
});

it("takes a source that an app tells two servers, or one server twice, at the same time", async () => {
  const [a, b] = [server(), server()];
  const wider = {
    ...index,
    sources: [...index.sources, { version: "2", channel: "HTTP", key: "other", params: {}, options: {} }],
  };
  const both = [a, b, a].map(({ registry: own }) => own.saveIndex({ ...registration, index: wider }));
  await Promise.all(both);
  expect((await store.catalog.endpoints()).map(({ slug }) => slug).sort()).toEqual(["source/other", "source/repo"]);
});

it("keeps what another server was told meanwhile", async () => {
  const other = server();
  await other.registry.refresh();
  await sources.registered(ENVIRONMENT, "app", { key: "repo", options: { event: ["opened"] }, data: { hook: 1 } });
  now += 1_000 * MINUTE;
  // It has not heard of it, and would ask again.
  await other.sources.ensure();
  expect(asked).toHaveLength(1);
  expect(await stateOf()).toMatchObject({ active: true, registered: { event: ["opened"] }, data: { hook: 1 } });
});

it("asks when the server died before it did", async () => {
  const [row] = await store.catalog.endpoints();
  const state = await stateOf();
  events.clear();
  await store.catalog.changeSource(row?.id ?? "", row?.sourceText ?? null, {
    ...(row as EndpointRow),
    sourceText: JSON.stringify({ ...state, asked: 0 }),
  });
  await registry.refresh();
  await sources.ensure();
  expect(asked).toHaveLength(2);
});

it("refuses keys nobody can keep, and filters that cannot be used", async () => {
  const dynamic = { ...index, dynamicTriggers: [{ id: "any", jobs: [] }] };
  await registry.saveIndex({ ...registration, index: dynamic });
  const source = { version: "2", channel: "HTTP", key: "k", params: {}, options: { event: ["opened"] } };
  const named = { clientId: "app", triggerId: "any", key: "k" };
  const rule = { event: "opened", source: "vendor" };
  const long = { ...named, key: "k".repeat(3_000) };
  await expect(sources.register(ENVIRONMENT, long, { rule, source })).rejects.toMatchObject({ code: "BAD_REQUEST" });
  const bad = { rule: { ...rule, payload: { a: [{ $nonsense: 1 }] } }, source };
  await expect(sources.register(ENVIRONMENT, named, bad)).rejects.toMatchObject({ code: "UNPROCESSABLE" });
  expect(await sources.register(ENVIRONMENT, named, { rule, source })).toMatchObject({ dynamicTriggerId: "any" });
});

it("an endpoint that is a webhook's no longer is one like any other, and a webhook again as it was", async () => {
  const httpEndpoint = {
    id: "hook",
    version: "1",
    enabled: true,
    event: { name: "hook", title: "Hook", source: "s", icon: "i" },
    source: "s",
  };
  const plain = { ...index, sources: [], httpEndpoints: [httpEndpoint] };
  const webhook = { ...plain, webhooks: [{ key: "hook", params: {}, config: { on: ["a"] }, httpEndpoint: { id: "hook" } }] };
  await registry.saveIndex({ ...registration, index: webhook });
  await sources.webhookRegistered(ENVIRONMENT, { key: "hook", active: true, config: { on: ["a"] } });
  const before = asked.length;
  const known = () => registry.endpoints(ENVIRONMENT).find(({ row }) => row.slug === "hook")?.source ?? null;
  expect(known()).toMatchObject({ kind: "webhook", active: true });
  await registry.saveIndex({ ...registration, index: plain });
  expect(known()).toBeNull();
  await registry.saveIndex({ ...registration, index: webhook });
  expect(known()).toMatchObject({ kind: "webhook", active: true });
  expect(asked).toHaveLength(before);
});
