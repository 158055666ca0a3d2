// Room: tasks. Whose run is it? Asked by http before it takes a report of our SDK. Which environment a run belongs to never changes, so the hot path asks
// the store once a run.
import { isId } from "@holdfast/protocol";
import type { Store } from "../store/store.ts";

const MOST_KNOWN = 10_000;

export class RunOwners {
  readonly #known = new Map<string, string>();

  constructor(private readonly store: Pick<Store, "run">) {}

  /** Whether the run is one of this environment's. */
  async owns(environmentId: string, run: string): Promise<boolean> {
    const known = this.#known.get(run);
    if (known !== undefined) return known === environmentId;
    if (!isId("run", run) || !(await this.store.run(environmentId, run))) return false;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(run, environmentId);
    return true;
  }
}
