// Room: connections. Credentials of integrations that the server keeps (v2's authSource HOSTED): what a run gets, what it waits for, who connects. Built in main; called by
// execute before executions, by http, and by upkeep. Promises: a token leaves only towards the app it is for; what is stored and logged holds none in clear.
import type { RunInput } from "@holdfast/engine";
import type { ConnectionAuth, IntegrationsInfo, JobMetadata } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import type { Events } from "../dispatch/send.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { ConnectionOwner, ConnectionRow } from "../store/connection-rows.ts";
import type { RunRow, Store } from "../store/store.ts";
import { Authorizations, type Return } from "./authorizations.ts";
import { Endings } from "./endings.ts";
import { type Brought, Keeper } from "./keeper.ts";
import { OAuthApps } from "./oauth-apps.ts";
import { integrationsShown } from "./shown.ts";
import { type Found, TokenSource } from "./tokens.ts";
import { integrationTitle, Waits } from "./waits.ts";

export interface ConnectionsNeeds {
  world: World;
  registry: Registry;
  store: Store;
  runs: Pick<Runs, "apply">;
  events: Pick<Events, "send">;
  vault: Pick<Vault, "seal" | "open">;
  /** Where other services reach this server: "https://jobs.example.com". */
  publicUrl(): string;
}

/** Credentials by the name the job has for the integration; or why there are none. */
export type Given =
  | { type: "given"; auth: Record<string, ConnectionAuth> }
  | { type: "missing"; owners: ConnectionOwner[] }
  | { type: "unavailable"; message: string };

/** What a notification's link is good for: it may lie in a mailbox for a while. */
const NOTIFIED_SECONDS = 7 * 24 * 3600;
const DAY_MS = 24 * 3600 * 1000;
/** As long as runs are kept. */
const WAITS_KEPT_MS = 30 * DAY_MS;

export class Connections {
  readonly apps: OAuthApps;
  readonly authorizations: Authorizations;
  readonly #keeper: Keeper;
  readonly #endings: Endings;
  readonly #tokens: TokenSource;
  readonly #waits: Waits;

  constructor(private readonly needs: ConnectionsNeeds) {
    const { publicUrl } = needs;
    this.#keeper = new Keeper(needs);
    this.apps = new OAuthApps(needs);
    const parts = { ...needs, keeper: this.#keeper, apps: this.apps };
    this.#endings = new Endings(parts);
    this.#tokens = new TokenSource({ ...parts, endings: this.#endings });
    this.authorizations = new Authorizations(parts);
    const connectUrl = (owner: ConnectionOwner) => {
      // The developer logs in at the dashboard; a user of the app's has nothing but the link.
      if (owner.accountId !== null) return this.authorizations.link(owner, NOTIFIED_SECONDS).url;
      return `${publicUrl()}/integrations?env=${needs.registry.requireEnvironment(owner.environmentId).slug}`;
    };
    this.#waits = new Waits({ ...needs, connectUrl });
  }

  /** What a run of the job is given. @param accountId the account its event is for */
  async of(environmentId: string, job: JobMetadata, accountId: string | null): Promise<Given> {
    const hosted = Object.entries(job.integrations).filter(([, { authSource }]) => authSource === "HOSTED");
    const auth: Record<string, ConnectionAuth> = {};
    const missing: ConnectionOwner[] = [];
    for (const [key, { id }] of hosted) {
      const owner = { environmentId, integrationId: id, accountId };
      const found = await this.find(owner);
      if (found.type === "unavailable") return found;
      if (found.type === "found") auth[key] = found.auth;
      else missing.push(owner);
    }
    return missing.length > 0 ? { type: "missing", owners: missing } : { type: "given", auth };
  }

  /** A token that is good now. */
  find(owner: ConnectionOwner): Promise<Found> {
    return this.#tokens.find(owner);
  }

  /** One by its id, in that environment. */
  byId(environmentId: string, id: string): Promise<ConnectionRow | null> {
    return this.needs.store.connections.byId(environmentId, id);
  }

  /** What people call the integration. */
  titleOf({ environmentId, integrationId }: Pick<ConnectionOwner, "environmentId" | "integrationId">): string {
    return integrationTitle(this.needs.registry.allJobs(environmentId), integrationId);
  }

  /**
   * What becomes of a run whose connections were missing: it waits for them, or goes on if they came meanwhile. For `runs` to read, anew if the run has changed.
   * Whoever connects one finds the run's wait, or this finds the connection.
   */
  async lacking(run: RunRow, token: string, look: () => Promise<Given>): Promise<RunInput> {
    const before = await look();
    if (before.type === "missing") await Promise.all(before.owners.map((owner) => this.#waits.add(owner, run.id)));
    const after = before.type === "missing" ? await look() : before;
    if (after.type === "given") return { type: "released", token };
    if (after.type === "unavailable") return { type: "unreachable", token, error: { message: after.message } };
    // One that was there at the first look has no wait yet.
    if (before.type !== "missing" || after.owners.length > before.owners.length) return this.lacking(run, token, look);
    for (const owner of after.owners) await this.#waits.tellMissing(owner);
    return { type: "unconnected", token };
  }

  /** Somebody comes back from a provider. @throws UserFacingError */
  async finish(given: Return): Promise<{ row: ConnectionRow; returnTo: string | null }> {
    const finished = await this.authorizations.finish(given);
    await this.#waits.resolved(finished.row);
    return finished;
  }

  /** Takes a token that somebody got elsewhere. */
  async bring(owner: ConnectionOwner, brought: Brought): Promise<ConnectionRow> {
    const row = await this.#keeper.connect(owner, brought);
    await this.#waits.resolved(row);
    return row;
  }

  /** Forgets its tokens, and has its provider end them; that may take longer than this. Null: there is no such connection. */
  disconnect(owner: ConnectionOwner): Promise<ConnectionRow | null> {
    return this.#endings.disconnect(owner);
  }

  /** Refreshes it now, due or not; answers it as it is then. Null: there is none that could be. */
  async refresh(owner: ConnectionOwner): Promise<ConnectionRow | null> {
    const row = await this.needs.store.connections.get(owner);
    return row?.status === "connected" && row.refreshAt !== null ? this.#tokens.refresh(row) : null;
  }

  /** All there is to see of the environment's integrations. */
  shown(environmentId: string): Promise<IntegrationsInfo> {
    return integrationsShown({ ...this.needs, redirectUrl: this.authorizations.redirectUrl }, environmentId);
  }

  /** Call every half minute: refreshes what is due, wakes runs that somebody stopped short of waking, and ends tokens that could not be ended at once. */
  async ensure(): Promise<void> {
    await this.#tokens.refreshDue();
    await this.#endings.endDue();
    await this.#waits.resolveForgotten();
  }

  /** Call now and then. */
  async forget(): Promise<void> {
    const { store, world } = this.needs;
    await store.connections.forgetAuthorizations(world.now() - DAY_MS);
    await store.connections.forgetWaits(world.now() - WAITS_KEPT_MS);
  }
}
