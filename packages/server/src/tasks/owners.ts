// Room: tasks. Whose run is it? Asked by http before it takes a report of our SDK. Which environment a run belongs to never changes, so the hot path asks
// the store once a run.
import { isId } from "@holdfast/protocol";
import type { Store } from "../store/store.ts";

const MOST_KNOWN = 10_000;

export class RunOwners {
  readonly #known = new Map<string, string>();
  /** Looks under way: reports of one run that come together wait for the same one, and go on in their order. */
  readonly #looks = new Map<string, Promise<boolean>>();

  constructor(private readonly store: Pick<Store, "run">) {}

  /** Whether the run is one of this environment's. */
  async owns(environmentId: string, run: string): Promise<boolean> {
    const known = this.#known.get(run);
    if (known !== undefined) return known === environmentId;
    if (!isId("run", run)) return false;
    const name = `${environmentId} ${run}`;
    const look = this.#looks.get(name) ?? this.#look(environmentId, run).finally(() => this.#looks.delete(name));
    this.#looks.set(name, look);
    return look;
  }

  async #look(environmentId: string, run: string): Promise<boolean> {
    if (!(await this.store.run(environmentId, run))) return false;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(run, environmentId);
    return true;
  }
}
