// Room: dispatch. An environment's jobs as they are looked for: by id, and by the name of an event. Built by the registry with each snapshot, so that neither
// an event nor an execution costs more where there are many jobs.
import type { KnownJob } from "./registry.ts";

export class KnownJobs {
  readonly #byId = new Map<string, KnownJob>();
  readonly #byEvent = new Map<string, KnownJob[]>();

  /** @param all one version of each */
  constructor(readonly all: readonly KnownJob[]) {
    for (const job of all) {
      const { id, trigger } = job.metadata;
      this.#byId.set(id, job);
      if (trigger.type !== "static") continue;
      for (const name of new Set([trigger.rule.event].flat())) {
        const others = this.#byEvent.get(name);
        if (others) others.push(job);
        else this.#byEvent.set(name, [job]);
      }
    }
  }

  byId(id: string): KnownJob | null {
    return this.#byId.get(id) ?? null;
  }

  /** Jobs whose trigger names the event, in the order of the index; their filters may still refuse it. */
  listeners(eventName: string): readonly KnownJob[] {
    return this.#byEvent.get(eventName) ?? [];
  }
}
