// Simulation: one seed, from the first event to the verdict. Boots two servers and one or two apps without faults, lets senders and faults loose for a
// while, then heals and demands that everything comes to its end.

import type { StreamNeeds } from "../../packages/server/src/http/app-stream.ts";
import type { HttpOutcome, HttpRequest } from "../../packages/server/src/platform/http-client.ts";
import { MemoryStore } from "../../packages/server/src/store/memory/memory-store.ts";
import type { EnvironmentRow, Store } from "../../packages/server/src/store/store.ts";
import { API_KEY, SimulatedApp } from "./app.ts";
import { besidesNeighbour, isNeighbours, Neighbour } from "./neighbour.ts";
import { Nemesis } from "./nemesis.ts";
import { Network, type Tamper, Unanswered } from "./network.ts";
import { EPOCH, Scene } from "./scene.ts";
import { Senders } from "./senders.ts";
import { NewsWire, SimulatedServer } from "./server.ts";
import type { Actor } from "./timeline.ts";
import { judge } from "./verdict.ts";

/** Virtual milliseconds: how long booting may take, faults last, and healing may take. */
const BOOT_MS = 2_000;
const FAULTS_MS = 30_000;
const HEALED_MS = 120_000;
/** Watched on after everything came to rest: what wakes up late must change nothing. */
const AFTERWARDS_MS = 32_000;

const ENVIRONMENT: EnvironmentRow = {
  id: "env_simulation",
  slug: "dev",
  type: "DEVELOPMENT",
  secretKeyHash: "",
  secretKeySealed: API_KEY,
  secretKeyPreview: "",
  publicKey: "pk_dev_simulation",
  createdAt: EPOCH,
};

export interface Mutant {
  /** Put between the servers and the store. */
  store?: (store: MemoryStore) => Store;
  /** Put between the apps and their connections. */
  tamper?: () => Tamper;
  /** Put between the servers' rooms and the streams of apps. */
  stream?: (needs: StreamNeeds) => StreamNeeds;
}

export interface SimulationOptions {
  seed: number;
  /** A bug: the judge must find it. */
  mutant?: Mutant;
}

export interface SimulationResult {
  seed: number;
  hash: string;
  /** Events handled. */
  steps: number;
  /** Sentences; empty when every promise was kept. */
  violations: string[];
  scene: Scene;
  runs: number;
  /** Virtual milliseconds from healing until everything had come to its end. */
  recoveredAfter: number;
}

/**
 * Simulates one seed.
 *
 * @example const { violations, hash } = await simulate({ seed: 7 });
 */
export async function simulate({ seed, mutant = {} }: SimulationOptions): Promise<SimulationResult> {
  const scene = new Scene(seed);
  const memory = new MemoryStore();
  await memory.catalog.saveEnvironment(ENVIRONMENT);
  const neighbour = new Neighbour(scene);
  await neighbour.moveIn(memory);
  const cast = castOf(scene, {
    store: mutant.store?.(memory) ?? memory,
    tamper: mutant.tamper?.(),
    stream: mutant.stream,
    neighbour,
  });
  const nemesis = new Nemesis(scene, cast);
  await boot(scene, cast, nemesis);
  const { servers, network } = cast;
  const endpoints = (await memory.catalog.endpoints()).filter((row) => row.environmentId === ENVIRONMENT.id);
  const senders = new Senders(scene, { servers, network, store: memory, environment: ENVIRONMENT, endpoints });
  senders.plan(scene.chance("setting").between(3, 14), FAULTS_MS * 0.8);
  nemesis.plan(FAULTS_MS);
  await scene.timeline.run(BOOT_MS + FAULTS_MS);
  nemesis.heal();
  const atRest = () => senders.open === 0 && isAtRest(memory);
  const healedAt = scene.now;
  await scene.timeline.run(healedAt + HEALED_MS, atRest);
  const recoveredAfter = scene.now - healedAt;
  const rested = atRest();
  if (rested) await scene.timeline.run(scene.now + AFTERWARDS_MS);
  const tables = besidesNeighbour(memory.tables);
  const tolerance = cast.skew + nemesis.stepped + 1;
  const violations = judge({ scene, tables, programs: senders.programs, rested, tolerance });
  const { steps } = scene.timeline;
  return { seed, hash: scene.history.hash(), steps, violations, scene, runs: tables.runs.size, recoveredAfter };
}

interface Setting {
  store: Store;
  tamper: Tamper | undefined;
  stream: Mutant["stream"];
  neighbour: Neighbour;
}

interface Cast {
  servers: SimulatedServer[];
  apps: SimulatedApp[];
  network: Network;
  transport: "connect" | "push";
  /** The most that servers' clocks differ by, in milliseconds. */
  skew: number;
}

/** Two servers on one store; one or two processes of one app, which dial out or are called. */
function castOf(scene: Scene, { store, tamper, stream, neighbour }: Setting): Cast {
  const chance = scene.chance("setting");
  const network = new Network(scene, tamper);
  const wire = new NewsWire(scene);
  const skew = chance.happens(0.5) ? 200 : 0;
  const transport = chance.happens(0.3) ? ("push" as const) : ("connect" as const);
  const apps: SimulatedApp[] = [];
  const callApp = (from: Actor, request: HttpRequest): Promise<HttpOutcome> => {
    const silence = neighbour.silence(from, request);
    if (silence) return silence;
    const app = scene.chance(`calls of ${from.name}`).pick(apps);
    const answer = network.request(from, app.actor, () => app.called(request), { patience: request.timeoutMs, once: true });
    return answer.catch((error: Error) => ({
      ok: false,
      why: error instanceof Unanswered ? error.why : "broken",
      message: error.message,
    }));
  };
  const same = { store, environment: ENVIRONMENT, callApp, stream };
  const servers = ["server A", "server B"].map(
    (name) => new SimulatedServer(scene, name, wire, { ...same, skew: chance.within(0, skew) }),
  );
  for (const name of chance.happens(0.7) ? ["app A", "app B"] : ["app A"]) {
    const setting = { servers, network, skew: chance.within(-86_400_000, 86_400_000), transport };
    apps.push(new SimulatedApp(scene, name, setting));
  }
  return { servers, apps, network, transport, skew };
}

/** Everything comes up and is registered before anything fails. */
async function boot(scene: Scene, { servers, apps, transport }: Cast, nemesis: Nemesis): Promise<void> {
  for (const server of servers) nemesis.start(server);
  await scene.timeline.run(BOOT_MS / 4);
  for (const app of apps) nemesis.start(app);
  await scene.timeline.run(BOOT_MS / 2);
  if (transport === "push") {
    for (const server of servers)
      scene.timeline.after(0, server.actor, () => void server.register("http://app.simulation/api/trigger"));
  }
  await scene.timeline.run(BOOT_MS);
}

function isAtRest({ tables }: MemoryStore): boolean {
  for (const work of tables.work.values()) if (!isNeighbours(work)) return false;
  for (const run of tables.runs.values()) if (run.state.kind !== "finished" && !isNeighbours(run)) return false;
  for (const one of tables.deliveries.values()) if (one.verdict === "pending" && !isNeighbours(one)) return false;
  return true;
}
