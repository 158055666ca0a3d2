// Webhooks that could not be registered are asked for again: not while a register run is under way, and after longer and longer pauses.
import { indexDocumentSchema } from "@holdfast/protocol";
import { beforeEach, expect, it } from "vitest";
import { Registry } from "../dispatch/registry.ts";
import { createVault, generateEncryptionKey } from "../platform/secrets.ts";
import { createMemoryStore, type MemoryStore } from "../store/memory/memory-store.ts";
import { ENVIRONMENT, sampleEnvironment, world as sampleWorld } from "../store/samples.conformance.ts";
import type { EventRow } from "../store/store.ts";
import { SourceRegistration } from "./source-registration.ts";

const MINUTE = 60_000;
const index = indexDocumentSchema.parse({
  jobs: [],
  sources: [{ version: "2", channel: "HTTP", key: "repo", params: { repo: "r" }, options: { event: ["opened"] } }],
});

let now: number;
let store: MemoryStore;
let sources: SourceRegistration;
let registry: Registry;
/** Ids of the events register jobs were asked by. */
let asked: string[];
/** Whether the register run of the last one is under way. */
let running: boolean;

beforeEach(async () => {
  now = sampleWorld.now();
  const { store: made, bus } = createMemoryStore();
  store = made;
  [asked, running] = [[], false];
  await store.catalog.saveEnvironment({ ...sampleEnvironment(), id: ENVIRONMENT });
  const world = { ...sampleWorld, now: () => now };
  registry = new Registry(store.catalog, world, bus);
  const events = new Map<string, number>();
  const remembering = Object.assign(Object.create(store) as MemoryStore, {
    event: async (_environment: string, { id }: { id: string }) => {
      const createdAt = events.get(id);
      return createdAt === undefined ? null : ({ rowId: id, createdAt } as EventRow);
    },
    runsOfEvent: async () => [{ state: { kind: running ? "queued" : "finished" } }],
  });
  const send = async (_environment: string, { id = "" }: { id?: string | undefined }) => {
    asked.push(id);
    events.set(id, now);
    return { event: {} as EventRow, runs: [], duplicate: false };
  };
  const vault = createVault(generateEncryptionKey());
  const publicUrl = () => "https://jobs.example.com";
  sources = new SourceRegistration({ world, registry, store: remembering, events: { send }, vault, publicUrl });
  registry.whenIndexed((app) => sources.indexed(app));
  const registration = { environmentId: ENVIRONMENT, slug: "app", transport: "connect" as const, url: null, sdk: "x", index };
  await registry.saveIndex(registration);
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
  const registration = { environmentId: ENVIRONMENT, slug: "app", transport: "connect" as const, url: null, sdk: "x" };
  await registry.saveIndex({ ...registration, index: wider });
  expect(asked).toHaveLength(before + 1);
  now += MINUTE;
  await sources.ensure();
  expect(asked).toHaveLength(before + 2);
});

it("forgets what its app no longer wants", async () => {
  await registry.saveIndex({
    environmentId: ENVIRONMENT,
    slug: "app",
    transport: "connect",
    url: null,
    sdk: "x",
    index: { ...index, sources: [] },
  });
  now += 1_000 * MINUTE;
  await sources.ensure();
  expect(asked).toHaveLength(1);
});
