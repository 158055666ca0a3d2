// Room: execute. For tests: an executor over the memory store, one app that is called by URL and answers what the test says, and sockets of apps that dial.
import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { AppFrame, ServerFrame } from "@holdfast/protocol";
import { expect } from "vitest";
import type { WebSocket } from "ws";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import { Runs } from "../runs/change.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { claim, ENVIRONMENT, sampleEvent, sampleIntake, sampleRun, world } from "../store/samples.conformance.ts";
import type { AppRow, EnvironmentRow, RunRow } from "../store/store.ts";
import { Reports } from "../tasks/report.ts";
import { createMeter } from "../views/meter.ts";
import { Executor } from "./executor.ts";

export interface ExecutorSetting {
  /** Jobs of the app that listen to the event "hello". */
  jobs?: string[];
  url?: string | null;
  /** Parts of the World that differ from the real one. */
  world?: Partial<World>;
  /** Shared by two servers. */
  stored?: ReturnType<typeof createMemoryStore>;
  owner?: string;
}

const DEV = { id: ENVIRONMENT, slug: "dev", type: "DEVELOPMENT", secretKeySealed: "x" } as EnvironmentRow;

export type ExecutorScene = Awaited<ReturnType<typeof executorScene>>;

export async function executorScene(setting: ExecutorSetting = {}) {
  const { jobs = [], url = "http://app.test/", world: different = {}, owner = "srv_1" } = setting;
  const { store, bus } = setting.stored ?? createMemoryStore();
  const index = { jobs: jobs.map(jobOf), sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
  const row = {
    id: world.newId("app"),
    environmentId: ENVIRONMENT,
    slug: "shop",
    transport: "push",
    url,
    sdk: null,
    lastError: null,
  };
  if (!setting.stored) {
    await store.catalog.saveEnvironment(DEV);
    await store.catalog.saveApp({ ...row, index, indexedAt: 0 } as unknown as AppRow);
  }
  const served: World = { ...world, ...different };
  const registry = new Registry(store.catalog, served, bus);
  await registry.refresh();
  const runs = new Runs(served, store);
  const woken: string[] = [];
  const executor = new Executor({
    world: served,
    registry,
    store,
    runs,
    reports: new Reports(store, createMeter()),
    vault: { keyId: "none", seal: (plain) => plain, open: (sealed) => sealed },
    recent: new RecentEvents(),
    // The job of these tests needs none.
    connections: () => ({
      of: async () => ({ type: "given", auth: {} }),
      lacking: async (_run, token) => ({ type: "released", token }),
    }),
    owner,
    wake: (queues) => woken.push(...queues),
    seen: () => {},
    whenEnded: async () => {},
  });
  const app = registry.apps()[0] as AppRow;
  /** Stores runs of the app and claims them. */
  const claimed = async (count: number): Promise<{ run: RunRow; token: string }[]> => {
    const event = sampleEvent();
    await store.intake(
      sampleIntake(
        event,
        Array.from({ length: count }, () => sampleRun(event, { appId: app.id })),
      ),
    );
    const { items } = await claim(store, [app.id], { limit: count });
    return items.flatMap((item) => (item.kind === "run" ? [item] : []));
  };
  return { store, bus, registry, runs, executor, app, woken, claimed };
}

export function jobOf(id: string): object {
  const event = { name: "hello", title: "Hello", source: "trigger.dev", icon: "bolt" };
  const trigger = { type: "static", title: "hello", rule: { event: "hello", source: "trigger.dev" } };
  const fixed = {
    version: "1.0.0",
    enabled: true,
    internal: false,
    integrations: {},
    startPosition: "latest",
    preprocessRuns: false,
  };
  return { id, name: id, event, trigger, ...fixed };
}

/** The stream below a pretended socket. */
export const WIRE = { cork: () => {}, uncork: () => {} } as unknown as Duplex;

/** As much of `ws` as the hub uses; its app reads when it is told to. */
export class PretendedSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly sent: ServerFrame[] = [];
  readonly closed = new Promise<number>((resolve) => this.once("closing", resolve));
  /** Frames stay in the socket. */
  stalled = false;
  #unread: (() => void)[] = [];

  send(text: string, left?: () => void): void {
    this.sent.push(JSON.parse(text) as ServerFrame);
    if (this.stalled && left) this.#unread.push(left);
    else left?.();
  }
  read(): void {
    for (const left of this.#unread.splice(0)) left();
  }
  close(code: number): void {
    this.emit("closing", code);
  }
  terminate(): void {
    this.gone(1006);
  }
  ping(): void {}

  says(frame: AppFrame): void {
    this.emit("message", JSON.stringify(frame));
  }
  gone(code: number): void {
    this.readyState = 3;
    this.emit("close", code);
  }
  of<T extends ServerFrame["t"]>(kind: T): Extract<ServerFrame, { t: T }>[] {
    return this.sent.filter((frame): frame is Extract<ServerFrame, { t: T }> => frame.t === kind);
  }
}

/** An app dials the server of the scene, and holds executions from before. */
export function dial({ executor }: ExecutorScene, holds: string[] = [], concurrency = 10): PretendedSocket {
  const socket = new PretendedSocket();
  executor.hub.accept(socket as unknown as WebSocket, DEV, WIRE);
  const index = { jobs: [], sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
  socket.says({ t: "hello", protocol: 1, app: "shop", sdk: "0", concurrency, holds, index });
  return socket;
}

/** As `dial`; resolves once it is welcomed and told what of it is still its. */
export async function dialled(on: ExecutorScene, holds: string[] = [], concurrency = 10): Promise<PretendedSocket> {
  const socket = dial(on, holds, concurrency);
  await expect.poll(() => socket.of(holds.length > 0 ? "resumed" : "welcome").length).toBe(1);
  return socket;
}
