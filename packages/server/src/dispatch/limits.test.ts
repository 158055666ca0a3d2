// Room: dispatch, on the memory store: which gates a run has to pass, and what becomes of limits when apps register.
import type { IndexDocument, JobMetadata } from "@holdfast/protocol";
import { beforeEach, expect, it } from "vitest";
import { createMemoryStore, type MemoryStore } from "../store/memory/memory-store.ts";
import { ENVIRONMENT, sampleEnvironment, sampleEvent, world } from "../store/samples.conformance.ts";
import type { BusMessage } from "../store/store.ts";
import { planRuns } from "./plan.ts";
import { Registry } from "./registry.ts";

let registry: Registry;
let store: MemoryStore;
let heard: BusMessage[];
beforeEach(() => {
  const made = createMemoryStore();
  store = made.store;
  heard = [];
  made.bus.subscribe((message) => heard.push(message));
  registry = new Registry(store.catalog, world, made.bus);
});

const own = (job: string, ...key: string[]) => JSON.stringify([ENVIRONMENT, "job", job, ...key]);
const group = (id: string) => JSON.stringify([ENVIRONMENT, "group", id]);

function job(id: string, fields: Partial<JobMetadata>, event = "hello", source = "trigger.dev"): JobMetadata {
  return {
    id,
    name: id,
    version: "1.0.0",
    event: { name: event, title: event, source, icon: "bolt" },
    trigger: { type: "static", title: event, rule: { event, source } },
    integrations: {},
    internal: false,
    enabled: true,
    startPosition: "latest",
    preprocessRuns: false,
    ...fields,
  };
}

function save(slug: string, ...jobs: JobMetadata[]) {
  const index: IndexDocument = { jobs, sources: [], dynamicTriggers: [], dynamicSchedules: [] };
  return registry.saveIndex({ environmentId: ENVIRONMENT, slug, transport: "connect", url: null, sdk: null, index });
}
function limits(): Record<string, number> {
  return Object.fromEntries(store.tables.gates.limits);
}

it("a run passes the gates its job and its payload name", async () => {
  const keyed = { concurrencyLimit: [2, { id: "api", limit: 5 }], concurrencyKey: "user.id", priority: "urgency" };
  await save("shop", job("free", {}), job("keyed", keyed));
  const event = sampleEvent({ name: "hello", source: "trigger.dev", payloadText: '{"user":{"id":"ada"},"urgency":3}' });
  const { runs, work } = planRuns(registry, world, event);
  expect(runs.map(({ flow }) => flow)).toEqual([
    undefined,
    {
      gates: [
        { id: group("api"), rule: group("api"), limit: 5 },
        { id: own("keyed", "ada"), rule: own("keyed"), limit: 2 },
      ],
      priority: 3,
    },
  ]);
  expect(work.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
});

it("the key of a request is found in its body", async () => {
  const keyed = { concurrencyLimit: 1, concurrencyKey: "body.user.id" };
  await save("shop", job("hook", keyed, "httpendpoint.clerk", "clerk.com"));
  const gateOf = (rawBody: string) => {
    const payloadText = JSON.stringify({ url: "http://x/", method: "POST", headers: {}, rawBody });
    const event = sampleEvent({ name: "httpendpoint.clerk", source: "clerk.com", payloadType: "REQUEST", payloadText });
    return planRuns(registry, world, event).runs[0]?.flow?.gates[0]?.id;
  };
  expect(gateOf('{"user":{"id":7}}')).toBe(own("hook", "7"));
  expect(gateOf("no JSON")).toBe(JSON.stringify([ENVIRONMENT, "job", "hook", null]));
});

it("an app's limits are set when it registers, and lifted once no app names them", async () => {
  const api = { id: "api", limit: 5 };
  await save("one", job("a", { concurrencyLimit: [2, api] }), job("b", { concurrencyLimit: 3 }));
  await save("two", job("c", { concurrencyLimit: { ...api, limit: 4 } }));
  expect(limits()).toEqual({ [own("a")]: 2, [own("b")]: 3, [group("api")]: 4 });
  await save("one", job("a", { concurrencyLimit: 1 }));
  const unlimited = limits()[own("b")] ?? 0;
  expect(unlimited).toBeGreaterThan(1_000_000);
  expect(limits()).toEqual({ [own("a")]: 1, [own("b")]: unlimited, [group("api")]: 4 });
});

it("runs that wait at a limit become due when it is raised, and servers are told", async () => {
  const app = await save("shop", job("a", { concurrencyLimit: 1 }));
  const send = () => {
    const event = sampleEvent({ name: "hello", source: "trigger.dev" });
    return store.intake({ delivery: null, event, ...planRuns(registry, world, event), done: null });
  };
  for (let i = 0; i < 3; i++) await send();
  expect(store.tables.work.size).toBe(1);
  heard.length = 0;
  await save("shop", job("a", { concurrencyLimit: 2 }));
  expect(store.tables.work.size).toBe(2);
  expect(heard).toContainEqual({ type: "work", queues: [app.id] });
});

it("refuses a key or a priority that means nothing", async () => {
  const refused = { code: "UNPROCESSABLE" };
  await expect(save("shop", job("a", { concurrencyKey: "x" }))).rejects.toMatchObject(refused);
  await expect(save("shop", job("a", { priority: -3 }))).rejects.toMatchObject(refused);
});

it("the operator's limit is one more gate of every run, and is lifted for stored ones when it is gone", async () => {
  const { store: stored, bus } = createMemoryStore();
  await stored.catalog.saveEnvironment({ ...sampleEnvironment(), id: ENVIRONMENT });
  const all = JSON.stringify([ENVIRONMENT, "environment"]);
  const limitOf = async (runsAtOnce?: number) => {
    const started = new Registry(stored.catalog, world, bus, runsAtOnce);
    await started.refresh();
    await started.limitEnvironments();
    return started;
  };
  registry = await limitOf(7);
  await save("shop", job("free", {}));
  const { runs } = planRuns(registry, world, sampleEvent({ name: "hello", source: "trigger.dev" }));
  expect(runs[0]?.flow?.gates).toEqual([{ id: all, rule: all, limit: 7 }]);
  expect(stored.tables.gates.limits.get(all)).toBe(7);
  const later = await limitOf();
  expect(planRuns(later, world, sampleEvent({ name: "hello", source: "trigger.dev" })).runs[0]?.flow).toBeUndefined();
  expect(stored.tables.gates.limits.get(all)).toBe(1_000_000_000);
});
