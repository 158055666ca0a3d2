// Room: worker. Tells dashboards what changed, over the bus, so that a page open on any server sees it. Best effort, and never on the path of a step:
// task news of one run is gathered and sent at most five times a second.
import { statusOf } from "@holdfast/engine";
import type { World } from "../platform/world.ts";
import type { Bus, DeliveryRow, RunRow } from "../store/store.ts";

const GATHER_MS = 200;

export class News {
  readonly #runs = new Map<string, string>();

  constructor(
    private readonly world: World,
    private readonly bus: Bus,
  ) {}

  run(run: RunRow): void {
    const { environmentId, id, jobId } = run;
    this.bus.publish({ type: "live", environmentId, message: { type: "run", id, job: jobId, status: statusOf(run) } });
  }

  tasks(run: RunRow): void {
    if (this.#runs.size === 0) this.world.after(GATHER_MS, () => this.#tell());
    this.#runs.set(run.id, run.environmentId);
  }

  #tell(): void {
    for (const [runId, environmentId] of this.#runs)
      this.bus.publish({ type: "live", environmentId, message: { type: "tasks", runId } });
    this.#runs.clear();
  }

  delivery({ environmentId, id, verdict }: DeliveryRow): void {
    this.bus.publish({ type: "live", environmentId, message: { type: "delivery", id, verdict } });
  }
}
