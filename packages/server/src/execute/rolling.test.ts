// Room: execute, the connect hub. Several processes of one app that do not have the same jobs, as while a new deployment replaces an old one: each
// execution and each question goes to one that knows what is asked for.
import type { ExecutionStart, IndexDocument } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { Registry } from "../dispatch/registry.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { ENVIRONMENT, world } from "../store/samples.conformance.ts";
import type { EnvironmentRow } from "../store/store.ts";
import { ConnectHub } from "./connect.ts";
import { jobOf, PretendedSocket, WIRE } from "./fixture.test.mts";

const DEV = { id: ENVIRONMENT, slug: "dev", type: "DEVELOPMENT", secretKeySealed: "x" } as EnvironmentRow;
const nothing = () => {};
let registry: Registry;
let hub: ConnectHub;
beforeEach(async () => {
  const { store, bus } = createMemoryStore();
  await store.catalog.saveEnvironment(DEV);
  registry = new Registry(store.catalog, world, bus);
  const heard = { report: nothing, ended: nothing, lost: nothing, broken: nothing, moved: nothing, ready: nothing };
  hub = new ConnectHub(world, registry, { ...heard, resume: async () => [], returning: () => [] });
});
afterEach(() => hub.close());

const appId = () => registry.apps()[0]?.id ?? "";
function indexOf(jobs: string[], endpoints: string[] = []): IndexDocument {
  const event = { name: "x", title: "X", source: "x", icon: "webhook" };
  const httpEndpoints = endpoints.map((id) => ({ id, version: "1", enabled: true, source: "x", event }));
  return {
    jobs: jobs.map(jobOf),
    sources: [],
    dynamicTriggers: [],
    dynamicSchedules: [],
    httpEndpoints,
  } as unknown as IndexDocument;
}
async function process(index: IndexDocument, concurrency = 5): Promise<PretendedSocket> {
  const socket = new PretendedSocket();
  hub.accept(socket as unknown as WebSocket, DEV, WIRE);
  socket.says({
    t: "hello",
    protocol: 1,
    app: "shop",
    sdk: "0",
    concurrency,
    holds: [],
    index,
  });
  await expect.poll(() => socket.of("welcome").length).toBe(1);
  return socket;
}
let tokens = 0;
const execute = (job: string, isDefined = true) =>
  hub.execute(appId(), { token: `t${tokens++}`, job: { id: job } } as ExecutionStart, null, isDefined);
const started = (socket: PretendedSocket) => socket.of("execute").map(({ start }) => start.job.id);

it("a run goes to a process that has its job, however much room another has", async () => {
  const old = await process(indexOf(["order"]), 50);
  const fresh = await process(indexOf(["order", "refund"]));
  for (const job of ["refund", "order", "refund"]) expect(await execute(job)).not.toBeTypeOf("string");
  expect([started(fresh), started(old)]).toEqual([["refund", "refund"], ["order"]]);
});

it("a run waits while the process that has its job is full or away, and is not claimed again at once; one of a job that is gone fails at any", async () => {
  const old = await process(indexOf(["order"]), 50);
  const fresh = await process(indexOf(["order", "refund"]), 1);
  expect(await execute("refund")).not.toBeTypeOf("string");
  expect(await execute("refund")).toBe("elsewhere");
  fresh.gone(1006);
  expect(await execute("refund")).toBe("elsewhere");
  expect(await execute("gone", false)).not.toBeTypeOf("string");
  expect(started(old)).toEqual(["gone"]);
  old.gone(1006);
  expect(await execute("order")).toBe("gone");
});

it("a process that tells other jobs than before is asked by what it told last", async () => {
  const one = await process(indexOf(["order"]), 50);
  const two = await process(indexOf(["refund"]));
  two.says({ t: "index", index: indexOf(["refund", "gift"]) });
  await expect.poll(() => registry.apps()[0]?.index?.jobs.map(({ id }) => id)).toEqual(["refund", "gift"]);
  await execute("gift");
  await execute("order");
  expect([started(one), started(two)]).toEqual([["order"], ["gift"]]);
});

it("a request is verified by a process that has its endpoint", async () => {
  const old = await process(indexOf([]), 50);
  const fresh = await process(indexOf([], ["stripe"]));
  const request = { url: "http://x/", method: "POST", headers: {}, rawBody: "" };
  const answer = hub.ask(appId(), { t: "verify", endpoint: "stripe", request });
  await expect.poll(() => fresh.of("verify").length).toBe(1);
  expect(old.of("verify")).toEqual([]);
  fresh.says({ t: "reply", n: fresh.of("verify")[0]?.n ?? 0, ok: true, value: { success: true } });
  expect(await answer).toEqual({ value: { success: true } });
});
