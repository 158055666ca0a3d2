// Room: connections. Runs that wait for a connection, and who hears of it: v2's events missingConnection and missingConnectionResolved. Called by connections.ts.
// Promises: a run that waits is woken once its connection is there, whichever server connects it and whatever dies meanwhile; each lack is told once.
import { MISSING_CONNECTION, MISSING_CONNECTION_RESOLVED } from "@holdfast/protocol";
import type { KnownJob, Registry } from "../dispatch/registry.ts";
import type { Events } from "../dispatch/send.ts";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { ConnectionOwner, ConnectionRow } from "../store/connection-rows.ts";
import type { Store } from "../store/store.ts";

export interface WaitsNeeds {
  world: Pick<World, "now">;
  registry: Pick<Registry, "allJobs">;
  store: Store;
  runs: Pick<Runs, "apply">;
  events: Pick<Events, "send">;
  /** Where somebody can connect it. */
  connectUrl(owner: ConnectionOwner): string;
}

const PAGE = 200;
/** v2's schema wants a time; this one says never. */
const NEVER = "9999-12-31T23:59:59.999Z";

export class Waits {
  constructor(private readonly needs: WaitsNeeds) {}

  /** The run is about to wait for it. */
  async add(owner: ConnectionOwner, runId: string): Promise<void> {
    await this.needs.store.connections.addWait(owner, runId, this.needs.world.now());
  }

  /** Tells the environment's jobs that it is missing, once until it is connected again. */
  async tellMissing(owner: ConnectionOwner): Promise<void> {
    const row = await this.needs.store.connections.get(owner);
    const id = lackOf(owner, row?.generation ?? 0);
    const client = await this.#client(owner);
    const payload = { id, client, authorizationUrl: this.needs.connectUrl(owner), ...whoseOf(owner) };
    await this.#send(owner, { id: `missing:${id}`, name: MISSING_CONNECTION, payload });
  }

  /** It is there: tells so if it was told to be missing, and wakes the runs that wait for it. Safe to repeat. */
  async resolved(row: ConnectionRow): Promise<void> {
    const { store } = this.needs;
    const id = lackOf(row, row.generation - 1);
    if (await store.event(row.environmentId, { id: `missing:${id}` })) await this.#tellResolved(row, id);
    for (;;) {
      const ids = await store.connections.waits(row, "", PAGE);
      await this.#wake(row.environmentId, ids);
      await store.connections.dropWaits(row, ids);
      // Gone again, so that a run may wait anew whose row was dropped just now: it looks once more, and says so again.
      const lost = (await store.connections.get(row))?.status !== "connected";
      if (lost) await this.#wake(row.environmentId, ids);
      if (lost || ids.length < PAGE) return;
    }
  }

  async #wake(environmentId: string, runIds: string[]): Promise<void> {
    const { store, runs } = this.needs;
    for (const runId of runIds) {
      const run = await store.run(environmentId, runId);
      // One that is about to wait notices, because waking it changes its revision.
      const concerned = run?.state.kind === "executing" || (run?.state.kind === "waiting" && run.state.on === "connections");
      if (run && concerned) await runs.apply(run, { type: "woken" });
    }
  }

  /** Does what a server that died did not come to. */
  async resolveForgotten(): Promise<void> {
    for (const row of await this.needs.store.connections.unwoken(PAGE)) await this.resolved(row);
  }

  async #tellResolved(row: ConnectionRow, id: string): Promise<void> {
    const known = await this.#client(row);
    const client = { ...known, integrationIdentifier: row.provider ?? row.integrationId, integrationAuthMethod: "oauth2" };
    const expiresAt = row.expiresAt === null ? NEVER : iso(row.expiresAt);
    await this.#send(row, {
      id: `resolved:${id}`,
      name: MISSING_CONNECTION_RESOLVED,
      payload: { id, client, expiresAt, ...whoseOf(row) },
    });
  }

  async #send(
    { environmentId, accountId }: ConnectionOwner,
    event: { id: string; name: string; payload: unknown },
  ): Promise<void> {
    await this.needs.events.send(environmentId, event, accountId === null ? {} : { accountId });
  }

  async #client({ environmentId, integrationId }: ConnectionOwner) {
    const app = await this.needs.store.connections.client(environmentId, integrationId);
    const now = this.needs.world.now();
    return {
      id: integrationId,
      title: integrationTitle(this.needs.registry.allJobs(environmentId), integrationId),
      scopes: app?.scopes ?? [],
      createdAt: iso(app?.createdAt ?? now),
      updatedAt: iso(app?.updatedAt ?? now),
    };
  }
}

/** What the jobs that use an integration call it. */
export function integrationTitle(jobs: readonly Pick<KnownJob, "metadata">[], integrationId: string): string {
  const used = jobs.flatMap(({ metadata }) => Object.values(metadata.integrations)).find(({ id }) => id === integrationId);
  return used?.metadata.name ?? integrationId;
}

/** Names one time it was missing: the generations count how often it was connected. */
function lackOf({ integrationId, accountId }: ConnectionOwner, generation: number): string {
  return `${encodeURIComponent(integrationId)}:${encodeURIComponent(accountId ?? "")}:${generation}`;
}

function whoseOf({ accountId }: ConnectionOwner) {
  return accountId === null
    ? { type: "DEVELOPER" as const }
    : { type: "EXTERNAL" as const, account: { id: accountId, metadata: null } };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
