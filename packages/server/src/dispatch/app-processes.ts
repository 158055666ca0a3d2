// Room: dispatch. How old the processes of connected apps are, kept with their apps so that every server knows: the index of the newest counts. Used by the
// registry, and by the connect hub, which says now and then which are still there.
import type { World } from "../platform/world.ts";
import type { AppProcess, CatalogStore, NotedProcess } from "../store/catalog-rows.ts";

/** A process counts for so long after a server has last said that it is there. */
export const COUNTS_MS = 300_000;

export class AppProcesses {
  constructor(
    private readonly catalog: CatalogStore,
    private readonly world: Pick<World, "now">,
  ) {}

  /** These are connected. One that has not said since when is given the present, made later than that of all others: clocks of servers differ. */
  note(processes: { id: string; since: number | null }[]): Promise<NotedProcess[]> {
    return this.catalog.noteProcesses(processes, { now: this.world.now(), until: this.world.now() + COUNTS_MS });
  }

  /** As it is told when the app's index is saved. */
  described(since: number): AppProcess {
    const now = this.world.now();
    return { since, now, until: now + COUNTS_MS };
  }
}
