// Room: execute. Whose jobs count while processes of one app that do not have the same are connected to several servers on one store: those of the process that
// came last, whichever server it dials and whoever dials again after it.
import type { IndexDocument } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { Registry } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { ENVIRONMENT, world } from "../store/samples.conformance.ts";
import type { EnvironmentRow } from "../store/store.ts";
import { ConnectHub } from "./connect.ts";
import { jobOf, PretendedSocket, WIRE } from "./fixture.test.mts";
import { COUNTS_MS } from "./newest.ts";

const DEV = { id: ENVIRONMENT, slug: "dev", type: "DEVELOPMENT", secretKeySealed: "x" } as EnvironmentRow;
const nothing = () => {};
const heard = { report: nothing, ended: nothing, lost: nothing, broken: nothing, moved: nothing, ready: nothing };
const listener = { ...heard, resume: async () => [], returning: () => [] };

let stored: ReturnType<typeof createMemoryStore>;
const hubs: ConnectHub[] = [];
let now = 0;
beforeEach(async () => {
  stored = createMemoryStore();
  await stored.store.catalog.saveEnvironment(DEV);
  now = world.now();
});
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

/** A server; its clock is wrong by so much. */
async function start(skew = 0) {
  const own: World = { ...world, now: () => now + skew, after: () => nothing };
  const registry = new Registry(stored.store.catalog, own, stored.bus);
  await registry.refresh();
  const hub = new ConnectHub(own, registry, listener);
  hubs.push(hub);
  return hub;
}

function indexOf(jobs: string[]): IndexDocument {
  return { jobs: jobs.map(jobOf), sources: [], dynamicTriggers: [], dynamicSchedules: [] } as unknown as IndexDocument;
}

/** A process of the app that dials a server; `again` gives what its first welcome said. */
async function dials(hub: ConnectHub, jobs: string[], again?: number) {
  const socket = new PretendedSocket();
  hub.accept(socket as unknown as WebSocket, DEV, WIRE);
  const since = again === undefined ? {} : { since: again };
  socket.says({ t: "hello", protocol: 1, app: "shop", sdk: "0", concurrency: 5, holds: [], index: indexOf(jobs), ...since });
  await expect.poll(() => socket.of("welcome").length).toBe(1);
  return { socket, since: socket.of("welcome")[0]?.at ?? Number.NaN };
}

const jobs = async () => (await stored.store.catalog.apps())[0]?.index?.jobs.map(({ id }) => id);
const OLD = ["order"];
const NEW = ["order", "refund"];

it.each([0, -2_000, 2_000])(
  "an old process that dials another server changes nothing (the new one's server is %i ms off)",
  async (skew) => {
    const [a, b] = [await start(), await start(skew)];
    const old = await dials(a, OLD);
    now += 500;
    const fresh = await dials(b, NEW);
    expect(fresh.since).toBeGreaterThan(old.since);
    expect(await jobs()).toEqual(NEW);
    old.socket.gone(1006);
    await dials(a, OLD, old.since);
    expect(await jobs()).toEqual(NEW);
    fresh.socket.gone(1006);
    await dials(a, NEW, fresh.since);
    expect(await jobs()).toEqual(NEW);
  },
);

it.each(["old", "new"] as const)(
  "after a restart of all servers the new jobs count, if the %s process dials first",
  async (first) => {
    const [a, b] = [await start(), await start()];
    const old = await dials(a, OLD);
    const fresh = await dials(b, NEW);
    for (const { socket } of [old, fresh]) socket.gone(1006);
    const [c, d] = [await start(), await start()];
    if (first === "old") await dials(c, OLD, old.since);
    await dials(d, NEW, fresh.since);
    if (first === "new") await dials(c, OLD, old.since);
    expect(await jobs()).toEqual(NEW);
  },
);

it("jobs that an old process gets later do not take the place of a new one's", async () => {
  const [a, b] = [await start(), await start()];
  const old = await dials(a, OLD);
  const fresh = await dials(b, NEW);
  old.socket.says({ t: "index", index: indexOf(["order", "lazy"]) });
  fresh.socket.says({ t: "index", index: indexOf(["order", "refund", "gift"]) });
  await expect.poll(jobs).toEqual(["order", "refund", "gift"]);
  old.socket.says({ t: "index", index: indexOf(["order", "lazier"]) });
  await dials(a, OLD, old.since);
  expect(await jobs()).toEqual(["order", "refund", "gift"]);
});

it("a new process that vanished counts for a while, and then the newest that is left, of whatever server", async () => {
  const [a, b] = [await start(), await start()];
  const old = await dials(a, OLD);
  await dials(b, ["order", "between"]);
  const fresh = await dials(b, NEW);
  fresh.socket.gone(1006);
  await dials(a, OLD, old.since);
  for (const hub of [a, b]) await hub.keepNewest();
  expect(await jobs()).toEqual(NEW);
  now += COUNTS_MS - 1;
  for (const hub of [a, b]) await hub.keepNewest();
  expect(await jobs()).toEqual(NEW);
  now += 2;
  for (const hub of [a, b, a]) await hub.keepNewest();
  expect(await jobs()).toEqual(["order", "between"]);
});

it("an app that is called by URL by now stays so, though old processes are still connected", async () => {
  const a = await start();
  await dials(a, OLD);
  const index = indexOf(NEW);
  const pushed = {
    environmentId: ENVIRONMENT,
    slug: "shop",
    transport: "push" as const,
    url: "http://app.test/",
    sdk: null,
    index,
  };
  await new Registry(stored.store.catalog, world, stored.bus).saveIndex(pushed);
  await a.keepNewest();
  expect((await stored.store.catalog.apps())[0]).toMatchObject({ transport: "push", index });
});
