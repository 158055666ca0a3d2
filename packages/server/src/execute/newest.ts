// Room: execute. Whose jobs count, of the processes of an app that are connected: while a new deployment replaces an old one, not all have the same. Called by
// the connect hub. Promises: those of the process that came last, to whichever server, however often others dial again. One that vanished still counts
// COUNTS_MS longer, so that a restart loses no event; then those of the newest that is left do.
import type { Registry } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import type { Connection } from "./connection.ts";

export { COUNTS_MS } from "../dispatch/app-processes.ts";

/** How often each server says which processes it has: well within what they count for. */
const KEEP_EVERY_MS = 60_000;

export class NewestProcesses {
  #cancel: () => void = () => {};

  constructor(
    private readonly world: World,
    private readonly registry: Registry,
    private readonly connections: () => Iterable<Connection>,
  ) {
    this.#keepLater();
  }

  stop(): void {
    this.#cancel();
  }

  #keepLater(): void {
    this.#cancel = this.world.after(KEEP_EVERY_MS, () => {
      this.keep().catch((error: unknown) => this.world.log.warn("it could not be noted which apps are connected", { error }));
      this.#keepLater();
    });
  }

  /** Notes the newest process this server has of each app, and has its jobs count if there is none newer anywhere. */
  async keep(): Promise<void> {
    const newest = new Map<string, Connection>();
    for (const connection of this.connections()) {
      if (!connection.app || connection.leaving) continue;
      const other = newest.get(connection.app.id);
      if (!other || other.since < connection.since) newest.set(connection.app.id, connection);
    }
    if (newest.size === 0) return;
    const noted = await this.registry.processes.note([...newest].map(([id, { since }]) => ({ id, since })));
    await this.registry.refresh();
    for (const { id, since, isNewest } of noted) {
      const registration = newest.get(id)?.registration;
      // An app that is called by URL by now is not connected, whoever still dials.
      if (isNewest && registration && this.registry.app(id)?.transport === "connect") {
        await this.registry.introduce(registration, since);
      }
    }
  }
}
