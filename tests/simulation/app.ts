// Simulation: one app process: the real SDK over a seeded Runtime, connected through the virtual network. It keeps its own log of what it did and was told.

import { PUSH } from "@holdfast/protocol";
import {
  type ConnectedClient,
  type EventSpecification,
  eventTrigger,
  type IOTask,
  type Runtime,
  type SocketEvents,
  type Trigger,
  TriggerClient,
} from "@holdfast/sdk";
import type { HttpOutcome, HttpRequest } from "../../packages/server/src/platform/http-client.ts";
import type { Network } from "./network.ts";
import { type Program, perform, type Stage } from "./programs.ts";
import { EPOCH, type Scene } from "./scene.ts";
import { answerTo, type SimulatedServer } from "./server.ts";
import { Actor } from "./timeline.ts";

export const API_KEY = "tr_dev_simulation";

/** Jobs by the events that start them. */
export const JOBS_OF = {
  work: ["one", "two"],
  limited: ["narrow", "narrower"],
  picky: ["rated", "latest"],
  child: ["grandchild"],
  later: ["delayed"],
  hook: ["hooked"],
  checked: ["checked"],
} as const;
export type EventName = keyof typeof JOBS_OF;

/** Jobs of which few may execute at once: each by itself for each key, and all of them together. */
export const LIMITS = { narrow: 2, narrower: 1, together: 2 } as const;
/** Of `rated` so many start in so many seconds. */
export const RATE = { limit: 2, period: 3 } as const;
/** What `narrow` is counted by. */
export const keyOf = ({ steps }: Program): number => steps.length % 2;

export interface AppSetting {
  servers: readonly SimulatedServer[];
  network: Network;
  /** Milliseconds its wall clock is off; nothing may depend on it. */
  skew: number;
  /** Whether it dials out, or is called at its URL. */
  transport: "connect" | "push";
}

export class SimulatedApp {
  actor: Actor;
  #connected: ConnectedClient | null = null;
  #client: TriggerClient | null = null;
  #boots = 0;

  constructor(
    private readonly scene: Scene,
    readonly name: string,
    private readonly setting: AppSetting,
  ) {
    this.actor = new Actor(name);
    this.actor.alive = false;
  }

  start(onPoint: (name: string) => void): void {
    this.actor = new Actor(this.name);
    this.actor.onPoint = onPoint;
    this.#boots += 1;
    const { actor } = this;
    const runtime = simulatedRuntime(this.scene, actor, { ...this.setting, boot: this.#boots });
    this.scene.timeline.after(0, actor, () => {
      const client = new TriggerClient({ id: "app", apiKey: API_KEY, apiUrl: "http://simulation", runtime });
      forget(client);
      defineJobs(client, this.scene, { actor, runtime });
      this.#client = client;
      if (this.setting.transport === "push") return;
      this.#connected = client.connect({ concurrency: this.scene.chance(`app ${this.name}`).pick([2, 5, 50]) });
    });
  }

  /** A server's call, answered by the handler that adapters mount. */
  async called({ url, headers = {}, body = "" }: HttpRequest): Promise<HttpOutcome> {
    if (!this.#client) return { ok: false, why: "refused", message: "The app is starting." };
    const isExecution = headers["x-trigger-action"] === PUSH.executeAction;
    const text = Buffer.from(body).toString("utf8");
    const sent = isExecution ? JSON.stringify(withToken(JSON.parse(text) as Start)) : text;
    const response = await this.#client.handler(new Request(url, { method: "POST", headers, body: sent }));
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (isExecution) this.actor.point("app answers");
    return { ok: true, status: response.status, headers: Object.fromEntries(response.headers), body: bytes };
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    await this.#connected?.close();
  }
}

/** The SDK remembers every client of a process, for `holdfast dev`; a simulation makes many. */
function forget(client: TriggerClient): void {
  const shared = globalThis as unknown as Record<symbol, Set<TriggerClient> | undefined>;
  shared[Symbol.for("holdfast.clients")]?.delete(client);
}

function defineJobs(client: TriggerClient, scene: Scene, at: { actor: Actor; runtime: Runtime }): void {
  const together = client.defineConcurrencyLimit({ id: "together", limit: LIMITS.together });
  const limitsOf: Record<string, object> = {
    narrow: { concurrencyLimit: [LIMITS.narrow, together], concurrencyKey: "key", priority: "key" },
    narrower: { concurrencyLimit: [LIMITS.narrower, together], throttle: { limit: 20, period: 1, burst: 4 } },
    rated: { rateLimit: RATE },
    latest: { debounce: { period: 1.5, timeout: 4 }, concurrencyLimit: together },
  };
  const define = <T>(id: string, trigger: Trigger<EventSpecification<T>>, programOf: (payload: T) => Promise<Program>) => {
    client.defineJob({
      ...limitsOf[id],
      id,
      name: id,
      version: "1.0.0",
      trigger,
      run: async (payload, io, ctx) => {
        const on = { run: ctx.run.id, token: String(ctx.account?.metadata.token) };
        scene.note(at.actor, { what: "entered", ...on, job: id, event: ctx.event.id });
        const output = await perform(await programOf(payload as T), io, stageOf(scene, at, on));
        scene.note(at.actor, { what: "returned", ...on, output: JSON.stringify(output) });
        return output;
      },
    });
  };
  for (const event of ["work", "limited", "picky", "child", "later"] as const) {
    for (const job of JOBS_OF[event]) define<Program>(job, eventTrigger({ name: event }), async (program) => program);
  }
  const verify = async (request: Request) => {
    return { success: (await request.text()).length > 0 && request.headers.get("x-genuine") === "yes" };
  };
  for (const [id, answer] of [
    ["hook", "stored"],
    ["checked", "verified"],
  ] as const) {
    const endpoint = client.defineHttpEndpoint({ id, source: "simulation", answer, verify });
    define<Request>(JOBS_OF[id][0], endpoint.onRequest(), (request) => request.json() as Promise<Program>);
  }
}

function stageOf(
  scene: Scene,
  { actor, runtime }: { actor: Actor; runtime: Runtime },
  on: { run: string; token: string },
): Stage {
  return {
    started(task: IOTask, name: string) {
      scene.note(actor, { what: "started", ...on, task: name, attempt: task.attempts, key: task.idempotencyKey });
      actor.point("task started");
    },
    acknowledged: (task, output) => scene.note(actor, { what: "acknowledged", ...on, task, output: JSON.stringify(output) }),
    waits: (task, ms) => scene.note(actor, { what: "waits", ...on, task, ms }),
    resumed: (task) => scene.note(actor, { what: "resumed", ...on, task }),
    sleep: (ms) => new Promise((resolve) => runtime.after(ms, resolve)),
    nonce: () => `${actor.name}-${scene.chance(`nonce ${actor.name}`).between(0, 1e9)}`,
  };
}

function simulatedRuntime(scene: Scene, actor: Actor, setting: AppSetting & { boot: number }): Runtime {
  const chance = scene.chance(`runtime ${actor.name} ${setting.boot}`);
  const { servers, network } = setting;
  return {
    now: () => Math.floor(EPOCH + scene.now + setting.skew),
    elapsed: () => scene.now,
    random: () => chance.next(),
    uniqueId: () => `unique-${actor.name}-${setting.boot}-${chance.between(0, 1e9)}`,
    after: (ms, callback) => scene.timeline.after(ms, actor, callback),
    turn: (callback) => void scene.timeline.after(0, actor, callback),
    fetch: (url, init) => {
      const server = chance.pick(servers);
      if (url.endsWith("/reports")) actor.point("app posts report");
      const ask = async () => {
        const { status, body } = await answerTo(server, url, String(init.body));
        return new Response(body, { status });
      };
      return network.request(actor, server.actor, ask);
    },
    dial: (url, _headers, events: SocketEvents) => {
      const server = chance.pick(servers);
      return network.dial({ app: actor, server: server.actor, events }, (socket) => server.accept(socket, url), tagged);
    },
    env: () => undefined,
    log: () => {},
  };
}

interface Start {
  token: string;
  account?: object;
}

/** Gives the job the token of its execution, which the SDK keeps to itself: the app's log needs it. */
function withToken<T extends Start>(start: T): T {
  return { ...start, account: { id: "simulation", metadata: { token: start.token } } };
}

function tagged(text: string): string {
  if (!text.startsWith('{"t":"execute"')) return text;
  const frame = JSON.parse(text) as { start: Start };
  return JSON.stringify({ ...frame, start: withToken(frame.start) });
}
