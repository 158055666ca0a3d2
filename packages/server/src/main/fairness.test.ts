// Room: main. Whether a flood of one environment, or of one app, keeps another's work from being claimed: a whole server over the memory store, whose apps and
// other services are answered by the test. "greedy" never answers anything, and has more of everything than a server takes at once.
import { NOTIFY_ACTION, PUSH } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Registry } from "../dispatch/registry.ts";
import { DEFAULT_BODY_BYTES } from "../ingest/ports.ts";
import type { HttpOutcome, HttpRequest } from "../platform/http-client.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { verifyQueue } from "../store/queues.ts";
import {
  NOW,
  sampleDelivery,
  sampleEnvironment,
  sampleEvent,
  sampleIntake,
  sampleRun,
  world,
} from "../store/samples.conformance.ts";
import type { AppRow, EnvironmentRow, Store } from "../store/store.ts";
import { buildCore, type Core } from "./core.ts";

/** More than a server takes of anything in one claim. */
const FLOOD = 450;
/** A claim may be under way when work is stored: the one after it takes it. */
const NEXT = 2;
const VAULT = { keyId: "none", seal: (plain: string) => plain, open: (sealed: string) => sealed };

let core: Core;
let store: Store;
let environments: { greedy: EnvironmentRow; modest: EnvironmentRow };
/** Claims made so far. */
let claims: number;
/** What was asked of whom, in order: "EXECUTE modest". */
let asked: string[];
let look: () => void;
let refuseAll: () => void;

beforeEach(async () => {
  const memory = createMemoryStore();
  claims = 0;
  asked = [];
  look = () => {};
  store = memory.store;
  const claim = store.claim.bind(store);
  store.claim = (...args) => {
    claims += 1;
    return claim(...args);
  };
  environments = { greedy: sampleEnvironment(), modest: sampleEnvironment() };
  for (const environment of Object.values(environments)) await store.catalog.saveEnvironment(environment);
  const refusing = new Promise<HttpOutcome>((resolve) => {
    refuseAll = () => resolve({ ok: false, why: "refused", message: "over" });
  });
  const fetch = (request: HttpRequest): Promise<HttpOutcome> => {
    asked.push(`${request.headers?.["x-trigger-action"] ?? "FETCH"} ${new URL(request.url).hostname}`);
    look();
    return refusing;
  };
  const served = { ...world, fetch };
  const registry = new Registry(store.catalog, served, memory.bus);
  const parts = { world: served, store, bus: memory.bus, registry, vault: VAULT, owner: "srv_1", bodyBytes: DEFAULT_BODY_BYTES };
  core = buildCore({ ...parts, mode: "start", publicUrl: () => "http://server" });
});
afterEach(async () => {
  refuseAll();
  await core.worker.stop();
});

/** An app called at its URL, with an endpoint it verifies. */
async function app(slug: "greedy" | "modest", { id: environmentId }: EnvironmentRow): Promise<AppRow & { endpointId: string }> {
  const index = { jobs: [], sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
  const row = {
    id: world.newId("app"),
    environmentId,
    slug,
    transport: "push",
    url: `http://${slug}/`,
    sdk: null,
    lastError: null,
  };
  const saved = {
    ...row,
    index: { ...index, httpEndpoints: [{ id: slug, version: "1", enabled: true, event: {} }] },
    indexedAt: 0,
  };
  await store.catalog.saveApp(saved as unknown as AppRow);
  const endpointId = world.newId("endpoint");
  const endpoint = { id: endpointId, environmentId, appId: row.id, slug, shortcode: endpointId };
  await store.catalog.saveEndpoint({ ...endpoint, preset: null, secretSealed: null, sourceText: null, createdAt: NOW });
  return { ...(saved as unknown as AppRow), endpointId };
}

/** Runs that are due, `ago` milliseconds for the first. */
async function runs({ id, environmentId }: AppRow, count: number, ago: number): Promise<void> {
  const event = sampleEvent({ environmentId });
  const due = Array.from({ length: count }, () => sampleRun(event, { appId: id, environmentId, createdAt: NOW - ago }));
  await store.intake(sampleIntake(event, due));
}

async function deliveries(
  { id: appId, environmentId, endpointId }: Awaited<ReturnType<typeof app>>,
  count: number,
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const delivery = sampleDelivery({ environmentId, endpointId });
    const work = [{ id: delivery.id, kind: "delivery" as const, queue: verifyQueue(appId), dueAt: NOW - count + n }];
    await store.intake({ delivery, event: null, runs: [], work, done: null });
  }
}

/** Runs that end, each of which another service is told of. */
async function told(environmentId: string, count: number, host: string): Promise<void> {
  for (let n = 0; n < count; n++) {
    const event = sampleEvent({ environmentId });
    const run = sampleRun(event, { appId: "app_elsewhere", environmentId });
    await store.intake(sampleIntake(event, [run]));
    await core.outbound.callWhenEnded(run, `http://${host}/`);
    await core.runs.cancel(environmentId, run.id);
  }
}

/** Claims made from now on until somebody is asked this. */
function claimsUntil(what: string): Promise<number> {
  const before = claims;
  return new Promise((resolve) => {
    look = () => asked.includes(what) && resolve(claims - before);
    look();
  });
}
const askedOfGreedy = (action: string): number => asked.filter((one) => one === `${action} greedy`).length;

it.each(["another environment", "the same environment"])(
  "a flood of runs of one app does not keep those of an app in %s",
  async (where) => {
    const { greedy, modest } = environments;
    const [flooded, other] = [
      await app("greedy", greedy),
      await app("modest", where === "another environment" ? modest : greedy),
    ];
    await core.registry.refresh();
    await runs(flooded, FLOOD, 60_000);
    await runs(other, 1, 0);
    const first = claimsUntil("EXECUTE modest");
    core.worker.start();
    expect(await first).toBe(1);
    await expect.poll(() => askedOfGreedy("EXECUTE")).toBeGreaterThanOrEqual(99);
    await runs(other, 1, 0);
    asked = [];
    const next = claimsUntil("EXECUTE modest");
    core.wake([other.id]);
    expect(await next).toBeLessThanOrEqual(NEXT);
  },
);

it("an app that does not answer whether requests are genuine keeps nobody else's from being verified, nor runs from starting", async () => {
  const [flooded, other] = [await app("greedy", environments.greedy), await app("modest", environments.modest)];
  await core.registry.refresh();
  await deliveries(flooded, FLOOD);
  core.worker.start();
  // As many as a server asks of one app at once; it goes on claiming meanwhile.
  await expect.poll(() => askedOfGreedy(PUSH.verifyAction)).toBeGreaterThanOrEqual(50);
  await deliveries(other, 1);
  await runs(other, 1, 0);
  const verified = claimsUntil(`${PUSH.verifyAction} modest`);
  core.wake([other.id]);
  expect(await verified).toBeLessThanOrEqual(NEXT);
  await expect.poll(() => asked).toContain("EXECUTE modest");
  expect(askedOfGreedy(PUSH.verifyAction)).toBeLessThan(FLOOD);
});

it("a flood of runs of an app does not keep its own requests from being verified", async () => {
  const flooded = await app("greedy", environments.greedy);
  await core.registry.refresh();
  await runs(flooded, FLOOD, 60_000);
  core.worker.start();
  await expect.poll(() => askedOfGreedy(PUSH.executeAction)).toBe(100);
  await deliveries(flooded, FLOOD);
  const verified = claimsUntil(`${PUSH.verifyAction} greedy`);
  core.wake([verifyQueue(flooded.id)]);
  expect(await verified).toBeLessThanOrEqual(NEXT);
  await expect.poll(() => askedOfGreedy(PUSH.verifyAction)).toBe(50);
});

it("an app that does not take how its runs ended keeps nobody else's requests from being verified", async () => {
  const [flooded, other] = [await app("greedy", environments.greedy), await app("modest", environments.modest)];
  await core.registry.refresh();
  for (let n = 0; n < FLOOD; n++) {
    const event = sampleEvent({ environmentId: flooded.environmentId });
    const run = sampleRun(event, { appId: flooded.id, environmentId: flooded.environmentId });
    await store.intake(sampleIntake(event, [run]));
    await core.outbound.whenEnded(run, { failure: true });
    await core.runs.cancel(flooded.environmentId, run.id);
  }
  await deliveries(other, 1);
  const verified = claimsUntil(`${PUSH.verifyAction} modest`);
  core.worker.start();
  expect(await verified).toBe(1);
  await expect.poll(() => askedOfGreedy(NOTIFY_ACTION)).toBe(50);
  // Its own runs go on, and no more of how they ended is in hand, however often the server looks; once it answers, it gets the rest.
  await runs(flooded, 1, 0);
  const started = claimsUntil("EXECUTE greedy");
  core.wake([flooded.id]);
  expect(await started).toBeLessThanOrEqual(NEXT);
  expect(askedOfGreedy(NOTIFY_ACTION)).toBe(50);
  refuseAll();
  await expect.poll(() => askedOfGreedy(NOTIFY_ACTION)).toBe(FLOOD);
});

it("a flood of requests the server makes for one environment does not keep another's", async () => {
  await core.registry.refresh();
  await told(environments.greedy.id, FLOOD, "greedy");
  await told(environments.modest.id, 1, "modest");
  const first = claimsUntil("FETCH modest");
  core.worker.start();
  expect(await first).toBe(1);
  await expect.poll(() => askedOfGreedy("FETCH")).toBe(300);
  await told(environments.modest.id, 1, "modest");
  asked = asked.filter((one) => one !== "FETCH modest");
  const next = claimsUntil("FETCH modest");
  core.wake(["@outside"]);
  expect(await next).toBeLessThanOrEqual(NEXT);
  expect(askedOfGreedy("FETCH")).toBe(300);
  refuseAll();
  await expect.poll(() => askedOfGreedy("FETCH")).toBe(FLOOD);
});
