// Simulation: one seed, from the first event to the verdict. Boots two servers and one or two apps without faults, lets senders and faults loose for a
// while, then heals and demands that everything comes to its end.
import { MemoryStore } from "../../packages/server/src/store/memory/memory-store.ts";
import type { EnvironmentRow, Store } from "../../packages/server/src/store/store.ts";
import { SimulatedApp } from "./app.ts";
import { Nemesis } from "./nemesis.ts";
import { Network } from "./network.ts";
import { EPOCH, Scene } from "./scene.ts";
import { Senders } from "./senders.ts";
import { NewsWire, SimulatedServer } from "./server.ts";
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
  secretKeySealed: "",
  secretKeyPreview: "",
  publicKey: "pk_dev_simulation",
  createdAt: EPOCH,
};

export interface SimulationOptions {
  seed: number;
  /** A bug to put between the servers and the store: the judge must find it. */
  mutant?: (store: MemoryStore) => Store;
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
export async function simulate({ seed, mutant }: SimulationOptions): Promise<SimulationResult> {
  const scene = new Scene(seed);
  const chance = scene.chance("setting");
  const memory = new MemoryStore();
  await memory.catalog.saveEnvironment(ENVIRONMENT);
  const store = mutant ? mutant(memory) : memory;
  const network = new Network(scene);
  const wire = new NewsWire(scene);
  const skewed = chance.happens(0.5) ? 200 : 0;
  const servers = ["server A", "server B"].map(
    (name) => new SimulatedServer(scene, name, wire, { skew: chance.within(0, skewed), store, environment: ENVIRONMENT }),
  );
  const apps = ["app A", "app B"].slice(0, chance.happens(0.7) ? 2 : 1).map((name) => {
    const skew = chance.within(-86_400_000, 86_400_000);
    return new SimulatedApp(scene, name, { servers, network, environmentId: ENVIRONMENT.id, skew });
  });
  const nemesis = new Nemesis(scene, { servers, apps, network });
  for (const server of servers) nemesis.start(server);
  await scene.timeline.run(BOOT_MS / 2);
  for (const app of apps) nemesis.start(app);
  await scene.timeline.run(BOOT_MS);
  const senders = new Senders(scene, {
    servers,
    network,
    store: memory,
    environment: ENVIRONMENT,
    endpoints: await memory.catalog.endpoints(),
  });
  senders.plan(chance.between(3, 14), FAULTS_MS * 0.8);
  nemesis.plan(FAULTS_MS);
  await scene.timeline.run(BOOT_MS + FAULTS_MS);
  nemesis.heal();
  const atRest = () => senders.open === 0 && isAtRest(memory);
  const healedAt = scene.now;
  await scene.timeline.run(healedAt + HEALED_MS, atRest);
  const recoveredAfter = scene.now - healedAt;
  const rested = atRest();
  if (rested) await scene.timeline.run(scene.now + AFTERWARDS_MS);
  const violations = judge({
    scene,
    tables: memory.tables,
    programs: senders.programs,
    rested,
    tolerance: skewed + nemesis.stepped + 1,
  });
  const { steps } = scene.timeline;
  return { seed, hash: scene.history.hash(), steps, violations, scene, runs: memory.tables.runs.size, recoveredAfter };
}

function isAtRest({ tables }: MemoryStore): boolean {
  if (tables.work.size > 0) return false;
  for (const { state } of tables.runs.values()) if (state.kind !== "finished") return false;
  for (const { verdict } of tables.deliveries.values()) if (verdict === "pending") return false;
  return true;
}
