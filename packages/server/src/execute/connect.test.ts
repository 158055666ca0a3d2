// Room: execute, the connect hub alone: what an app hears when it cannot be registered. A refusal makes an SDK give up, so it must be the app's own fault.
import { UserFacingError } from "@holdfast/protocol";
import { afterAll, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { Registry } from "../dispatch/registry.ts";
import { realWorld } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { EnvironmentRow } from "../store/store.ts";
import { ConnectHub } from "./connect.ts";
import { PretendedSocket, WIRE } from "./fixture.test.mts";

const world = realWorld({ log: { write: () => undefined } });
const hubs: ConnectHub[] = [];
afterAll(() => {
  for (const hub of hubs) hub.close();
});

async function introduced(failure: Error): Promise<{ sent: string[]; code: number }> {
  const { store, bus } = createMemoryStore();
  const saveApp = async () => {
    throw failure;
  };
  Object.assign(store.catalog, { saveApp });
  const nothing = () => {};
  const listener = {
    report: nothing,
    ended: nothing,
    lost: nothing,
    broken: nothing,
    moved: nothing,
    ready: nothing,
    resume: async () => [],
    returning: () => [],
  };
  const hub = new ConnectHub(world, new Registry(store.catalog, world, bus), listener);
  hubs.push(hub);
  const socket = new PretendedSocket();
  const environment = { id: "env_00000000000000000000000000", slug: "dev" } as EnvironmentRow;
  hub.accept(socket as unknown as WebSocket, environment, WIRE);
  const index = { jobs: [], sources: [], dynamicTriggers: [], dynamicSchedules: [] };
  socket.emit("message", JSON.stringify({ t: "hello", protocol: 1, app: "shop", sdk: "0", concurrency: 1, index }));
  return { code: await socket.closed, sent: socket.sent.map(({ t }) => t) };
}

it("an app that cannot be registered because of our database is told to come again, not refused", async () => {
  const outage = new UserFacingError("DATABASE_UNREACHABLE", "The database did not answer in time.");
  expect(await introduced(outage)).toEqual({ sent: [], code: 1013 });
  expect(await introduced(new Error("a bug of ours"))).toEqual({ sent: [], code: 1013 });
});

it("an app whose index cannot be used is refused", async () => {
  expect(await introduced(new UserFacingError("UNPROCESSABLE", "A filter is wrong."))).toEqual({ sent: ["refused"], code: 1008 });
});
