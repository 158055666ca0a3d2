// Simulation: one server: the real rooms over a seeded World. A crash throws all of it away; a restart builds it anew over the same store.
import { createHmac } from "node:crypto";
import type { Duplex } from "node:stream";
import { makeId, STREAM_PATH, type TaskReport } from "@holdfast/protocol";
import type { WebSocket } from "ws";
import { Registry } from "../../packages/server/src/dispatch/registry.ts";
import { ADOPT_MS } from "../../packages/server/src/execute/lease.ts";
import { Registration } from "../../packages/server/src/execute/register.ts";
import { AppStreams, type StreamNeeds } from "../../packages/server/src/http/app-stream.ts";
import type { AnswerCall, StreamedAnswer } from "../../packages/server/src/http/streamed-call.ts";
import { DEFAULT_BODY_BYTES } from "../../packages/server/src/ingest/ports.ts";
import { buildCore, type Core } from "../../packages/server/src/main/core.ts";
import { Upkeep } from "../../packages/server/src/main/upkeep.ts";
import type { HttpOutcome, HttpRequest } from "../../packages/server/src/platform/http-client.ts";
import type { Logger } from "../../packages/server/src/platform/log.ts";
import type { Vault } from "../../packages/server/src/platform/secrets.ts";
import type { World } from "../../packages/server/src/platform/world.ts";
import type { Bus, BusMessage, EnvironmentRow, Store } from "../../packages/server/src/store/store.ts";
import { RunOwners } from "../../packages/server/src/tasks/owners.ts";
import { type ServerSocket, WIRE } from "./network.ts";
import { EPOCH, type Scene } from "./scene.ts";
import { storeEdge } from "./store-edge.ts";
import { Actor } from "./timeline.ts";

/** Endpoints are verified by their apps here, so nothing is ever sealed. */
const VAULT: Vault = { keyId: "none", seal: (plain) => plain, open: (sealed) => sealed };

/** The memory store needs none; and the safety net for parked work is left out, so that the simulation shows whether it is needed. */
/** Apps here are never deployed. */
const NO_REINDEXING = { ensure: async () => {}, stop: () => {} };
const NO_UPKEEP = {
  ensurePartitions: async () => {},
  dropExpired: async () => [],
  inviteForgotten: async () => [],
  forgetIdleGates: async () => {},
};

export interface ServerSetting {
  /** Milliseconds its wall clock is ahead; it may be set while the server runs. */
  skew: number;
  store: Store;
  environment: EnvironmentRow;
  /** Calls an app that is reached by its URL. */
  callApp(from: Actor, request: HttpRequest): Promise<HttpOutcome>;
  /** Spoils what streams are built on. */
  stream: ((needs: StreamNeeds) => StreamNeeds) | undefined;
}

/** News between the servers of one simulation. */
export class NewsWire {
  readonly buses = new Set<SimulatedBus>();

  constructor(readonly scene: Scene) {}
}

class SimulatedBus implements Bus {
  readonly #listeners = new Set<(message: BusMessage) => void>();

  constructor(
    private readonly wire: NewsWire,
    private readonly actor: Actor,
  ) {
    wire.buses.add(this);
  }

  /** Listeners of this server hear it at once, other servers later or never. */
  publish(message: BusMessage): void {
    if (!this.actor.alive) return;
    this.hear(message);
    const { scene } = this.wire;
    const chance = scene.chance(`news ${this.actor.name}`);
    for (const other of this.wire.buses) {
      if (other === this || !other.actor.alive || scene.strikes("newsLost", chance)) continue;
      scene.timeline.after(chance.within(5, 15), other.actor, () => other.hear(message));
    }
  }

  hear(message: BusMessage): void {
    for (const listener of this.#listeners) listener(message);
  }

  subscribe(listener: (message: BusMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.wire.buses.delete(this);
  }
}

export class SimulatedServer {
  actor: Actor;
  core: Core | null = null;
  #streams: AppStreams | null = null;
  #bus: SimulatedBus | null = null;
  #owner = "";
  #boots = 0;

  constructor(
    private readonly scene: Scene,
    readonly name: string,
    private readonly wire: NewsWire,
    readonly setting: ServerSetting,
  ) {
    this.actor = new Actor(name);
    this.actor.alive = false;
  }

  /** A new process, as `start.ts` builds it. It dies again if the store cannot be read. */
  start(onPoint: (name: string) => void, failed: () => void): void {
    this.actor = new Actor(this.name);
    this.actor.onPoint = onPoint;
    const { actor, scene } = this;
    const world = simulatedWorld(scene, actor, this.setting, ++this.#boots);
    const store = storeEdge(scene, actor, this.setting.store);
    this.#bus = new SimulatedBus(this.wire, actor);
    const bus = this.#bus;
    const predecessor = this.#owner;
    this.#owner = world.newId("server");
    const owner = this.#owner;
    const boot = async (): Promise<void> => {
      if (predecessor) await store.releaseOwners([predecessor], world.now(), world.now() + ADOPT_MS);
      const registry = new Registry(store.catalog, world, bus);
      await registry.refresh();
      const core = buildCore({
        world,
        store,
        bus,
        registry,
        vault: VAULT,
        owner,
        mode: "start",
        bodyBytes: DEFAULT_BODY_BYTES,
        publicUrl: () => "http://server",
      });
      const { schedules, sources, connections } = core;
      const upkeep = { world, registry, schedules, postgres: NO_UPKEEP, outside: store.outside, sources, connections, bus };
      new Upkeep({ ...upkeep, reindexing: NO_REINDEXING }).start();
      core.worker.start();
      this.core = core;
      const answerCall: AnswerCall = ({ path }, { body }) =>
        answerTo(this, path, body).catch(() => ({ status: 503, body: "{}" }));
      const needs = { world, reports: core.executor, owners: new RunOwners(store), answerCall };
      this.#streams = new AppStreams(this.setting.stream?.(needs) ?? needs);
    };
    scene.timeline.after(0, actor, () => void boot().catch(failed));
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    await this.core?.worker.stop();
    this.#streams?.close();
  }

  crash(): void {
    this.actor.alive = false;
    this.core = null;
    this.#streams = null;
    this.#bus?.close();
  }

  /** Registers an app by its URL, as a person does. */
  async register(url: string): Promise<void> {
    if (!this.core) return;
    const { registry, executor, wake } = this.core;
    await new Registration(registry, executor.push, wake).register(this.setting.environment.id, { id: "app", url });
  }

  /** Takes a connection of an app, or its stream of reports and calls; false when it is not ready for any. */
  accept(socket: ServerSocket, url: string): boolean {
    if (!this.core) return false;
    const { environment } = this.setting;
    const [taken, wire] = [socket as unknown as WebSocket, WIRE as Duplex];
    if (url.endsWith(STREAM_PATH)) {
      this.#streams?.accept(taken, { environment, origin: "http://server", wire, isAdmitted: () => true });
    } else this.core.executor.hub.accept(taken, environment, wire);
    return true;
  }
}

/** What the server's API answers to the two calls that the SDK makes of it here. */
export async function answerTo({ core, setting }: SimulatedServer, path: string, text: string): Promise<StreamedAnswer> {
  if (!core) return { status: 503, body: "{}" };
  const token = /executions\/([^/]+)\/reports$/.exec(path)?.[1];
  if (token !== undefined) {
    const { items } = JSON.parse(text) as { items: TaskReport[] };
    const verdict = await core.executor.record(token, items);
    return { status: verdict === "recorded" ? 200 : 409, body: "{}" };
  }
  const { event } = JSON.parse(text) as { event: { id: string; name: string; payload: unknown } };
  const { id, name, timestamp } = (await core.events.send(setting.environment.id, event)).event;
  return { status: 200, body: JSON.stringify({ id, name, payload: {}, timestamp }) };
}

function simulatedWorld(scene: Scene, actor: Actor, setting: ServerSetting, boot: number): World {
  const chance = scene.chance(`world ${actor.name} ${boot}`);
  const now = (): number => Math.floor(EPOCH + scene.now + setting.skew);
  return {
    now,
    monotonic: () => scene.now,
    random: (bytes) => chance.bytes(bytes),
    newId: (kind) => makeId(kind, now(), chance.bytes(16)),
    after: (ms, fn) => scene.timeline.after(ms, actor, fn),
    turn: (fn) => void scene.timeline.after(0, actor, fn),
    fetch: (request) => setting.callApp(actor, request),
    sign: (key, data) => createHmac("sha256", key).update(data).digest(),
    log: simulatedLog(scene, actor),
    close: async () => {},
  };
}

function simulatedLog(scene: Scene, actor: Actor): Logger {
  const tell = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    const { error } = fields ?? {};
    scene.note(actor, {
      what: "fault",
      message: error instanceof Error ? `log: ${message}: ${error.message}` : `log: ${message}`,
    });
  };
  const logger: Logger = { debug: () => {}, info: () => {}, warn: tell, error: tell, child: () => logger };
  return logger;
}
