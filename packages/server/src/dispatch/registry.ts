// Room: dispatch. What is known of environments, apps, endpoints and jobs, whole in memory, so that no request reads them from the database.
// Built in main; refreshed when another server says "catalog" on the bus, and every few seconds by revision number. Read by http, ingest, execute, views.
import { environmentRule, limitsOf } from "@holdfast/engine";
import type { EndpointId, HttpEndpointMetadata, IndexDocument, JobMetadata } from "@holdfast/protocol";
import { UserFacingError } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import type { CatalogStore, SourceChange } from "../store/catalog-rows.ts";
import type { AppRow, Bus, EndpointRow, EnvironmentRow } from "../store/store.ts";
import { AppProcesses } from "./app-processes.ts";
import { checkIndex } from "./check-index.ts";
import { latestOfEach } from "./job-version.ts";
import { KnownJobs } from "./known-jobs.ts";
import { knownSource, type SourceState, sourceEndpoint } from "./source.ts";

/** An endpoint with what its app says of it; `metadata` is null once the app no longer defines it. */
export interface KnownEndpoint {
  row: EndpointRow;
  app: AppRow;
  metadata: HttpEndpointMetadata | null;
  /** Its app registers it with another service by itself. */
  source: SourceState | null;
}
/** A job in its latest version: apps of one environment may define it side by side. */
export interface KnownJob {
  app: AppRow;
  metadata: JobMetadata;
}

/** What an app, or whoever called it, says of it. */
export interface AppRegistration {
  environmentId: string;
  slug: string;
  transport: AppRow["transport"];
  url: string | null;
  sdk: string | null;
  index: IndexDocument;
}

/** For runs that were stored under a limit which is no more. */
const UNLIMITED = 1_000_000_000;

/** Tries of a change that others get ahead of. */
const MOST_TRIES = 50;

interface Snapshot {
  revision: number;
  environments: Map<string, EnvironmentRow>;
  bySecretHash: Map<string, EnvironmentRow>;
  byPublicKey: Map<string, EnvironmentRow>;
  apps: Map<string, AppRow>;
  endpoints: Map<string, KnownEndpoint>;
  jobs: Map<string, KnownJobs>;
}
const NOTHING = snapshot(-1, [], [], []);

export class Registry {
  /** Those of connected apps. */
  readonly processes: AppProcesses;
  #known = NOTHING;
  #refreshing: Promise<void> | null = null;
  #refreshingNext: Promise<void> | null = null;
  readonly #whenIndexed: ((app: AppRow) => Promise<void>)[] = [];

  constructor(
    private readonly catalog: CatalogStore,
    private readonly world: World,
    private readonly bus: Bus,
    /** How many runs of each environment may execute at once; null: any number. */
    readonly runsAtOnce: number | null = null,
  ) {
    this.processes = new AppProcesses(catalog, world);
  }

  /** Calls back with each app that has told what it has, before it is told that this was taken. */
  whenIndexed(listener: (app: AppRow) => Promise<void>): void {
    this.#whenIndexed.push(listener);
  }

  /** Reads everything again if anything was saved since. What was saved before the call is known after it: one under way is not enough. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#refreshingNext ??= this.#refreshing
        .catch(() => undefined)
        .then(() => {
          this.#refreshingNext = null;
          return this.refresh();
        });
      return this.#refreshingNext;
    }
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const revision = await this.catalog.revision();
    if (revision === this.#known.revision) return;
    const [environments, apps, endpoints] = await Promise.all([
      this.catalog.environments(),
      this.catalog.apps(),
      this.catalog.endpoints(),
    ]);
    this.#known = snapshot(revision, environments, apps, endpoints);
  }

  environments(): EnvironmentRow[] {
    return [...this.#known.environments.values()];
  }

  /** By id or slug. */
  environment(idOrSlug: string): EnvironmentRow | null {
    return this.#known.environments.get(idOrSlug) ?? this.environments().find((row) => row.slug === idOrSlug) ?? null;
  }

  /** The environment a key opens, by the key's sha256 hex, or by the public key itself. */
  environmentOfKey(key: { secretHash: string } | { publicKey: string }): EnvironmentRow | null {
    const { bySecretHash, byPublicKey } = this.#known;
    return ("secretHash" in key ? bySecretHash.get(key.secretHash) : byPublicKey.get(key.publicKey)) ?? null;
  }

  apps(environmentId?: string): AppRow[] {
    const all = [...this.#known.apps.values()];
    return environmentId ? all.filter((app) => app.environmentId === environmentId) : all;
  }

  app(id: string): AppRow | null {
    return this.#known.apps.get(id) ?? null;
  }

  endpoint(id: string): KnownEndpoint | null {
    return this.#known.endpoints.get(id) ?? null;
  }

  /** By row id or by the slug its author gave it. */
  endpointIn(environmentId: string, idOrSlug: string): KnownEndpoint | null {
    return this.endpoints(environmentId).find(({ row }) => row.id === idOrSlug || row.slug === idOrSlug) ?? null;
  }

  endpoints(environmentId: string): KnownEndpoint[] {
    return [...this.#known.endpoints.values()].filter(({ row }) => row.environmentId === environmentId);
  }

  /** Every job, those included that an SDK adds for itself. */
  allJobs(environmentId: string): readonly KnownJob[] {
    return this.#known.jobs.get(environmentId)?.all ?? [];
  }

  /** Jobs whose trigger names the event; their filters may still refuse it. */
  listeners(environmentId: string, eventName: string): readonly KnownJob[] {
    return this.#known.jobs.get(environmentId)?.listeners(eventName) ?? [];
  }

  /** Jobs users see (internal ones left out). */
  jobs(environmentId: string): KnownJob[] {
    return this.allJobs(environmentId).filter(({ metadata }) => !metadata.internal);
  }

  job(environmentId: string, jobId: string): KnownJob | null {
    return this.#known.jobs.get(environmentId)?.byId(jobId) ?? null;
  }

  /**
   * Takes an app's registration: creates or updates the app, creates rows for endpoints it has not had before, keeps their secrets.
   * An app's id is unique in its environment: of servers that register it in one moment, the first to save it gives it its id.
   *
   * @throws UserFacingError UNPROCESSABLE when the index cannot be used
   */
  async saveIndex(registration: AppRegistration): Promise<AppRow> {
    checkIndex(registration.index);
    await this.refresh();
    return this.#take(registration, undefined);
  }

  /**
   * As `saveIndex`, for a process that connects: its index is the app's unless a process that came later has another.
   *
   * @param since when it first came, as this answered it then; null: just now
   */
  async introduce(registration: AppRegistration, since: number | null): Promise<{ app: AppRow; since: number }> {
    checkIndex(registration.index);
    await this.refresh();
    const known = this.#find(registration);
    const [noted] = known ? await this.processes.note([{ id: known.id, since }]) : [];
    const at = noted?.since ?? since ?? this.world.now();
    const app = known && noted?.isNewest === false ? known : await this.#take(registration, at);
    return { app, since: at };
  }

  async #take(registration: AppRegistration, since: number | undefined): Promise<AppRow> {
    const saved = await this.#keepApp(registration, since);
    for (const metadata of registration.index.httpEndpoints ?? []) await this.#keepEndpoint(saved, metadata.id);
    await this.refresh();
    this.bus.publish({ type: "catalog" });
    const app = this.app(saved.id) ?? saved;
    for (const listener of this.#whenIndexed) await listener(app);
    return app;
  }

  #find({ environmentId, slug }: Pick<AppRow, "environmentId" | "slug">): AppRow | undefined {
    return this.apps(environmentId).find((app) => app.slug === slug);
  }

  async #keepApp(registration: AppRegistration, since: number | undefined): Promise<AppRow> {
    const former = this.#find(registration);
    const id = former?.id ?? this.world.newId("app");
    const app: AppRow = { ...registration, id, indexedAt: this.world.now(), lastError: null, callLimitMs: null };
    if (former && sameRegistration(former, app)) return former;
    await this.#saveLimits(app, former);
    try {
      return await this.#saveApp(app, since);
    } catch (error) {
      await this.refresh();
      const other = this.#find(registration);
      if (former || !other) throw error;
      if (since !== undefined) await this.processes.note([{ id: other.id, since }]);
      return this.#saveApp({ ...app, id: other.id }, since);
    }
  }

  async #saveApp(app: AppRow, since: number | undefined): Promise<AppRow> {
    const process = since === undefined ? undefined : this.processes.described(since);
    if (await this.catalog.saveApp(app, process)) return app;
    // A process that came later was quicker: its limits count, too.
    await this.refresh();
    const newer = this.app(app.id) ?? app;
    await this.#saveLimits(newer, app);
    return newer;
  }

  /** Before the app is saved, so that no run is planned by an index whose limits do not count yet. A limit that no app sets any more is lifted. */
  async #saveLimits(app: AppRow, former: AppRow | undefined): Promise<void> {
    const limits = (row: AppRow) => (row.index ? limitsOf(row.environmentId, row.index) : []);
    const now = limits(app);
    const others = this.apps(app.environmentId).filter(({ id }) => id !== former?.id);
    const set = new Set([...now, ...others.flatMap(limits)].map(({ rule }) => rule));
    const lifted = (former ? limits(former) : [])
      .filter(({ rule }) => !set.has(rule))
      .map(({ rule }) => ({ rule, limit: UNLIMITED }));
    const all = [...now, ...lifted];
    if (all.length === 0) return;
    const queues = await this.catalog.saveLimits(all, this.world.now());
    if (queues.length > 0) this.bus.publish({ type: "work", queues });
  }

  /** Makes the limit of environments count for runs that are stored already; where there is none any more, it is lifted. Call once, at the start. */
  async limitEnvironments(): Promise<void> {
    const limit = this.runsAtOnce ?? UNLIMITED;
    const limits = this.environments().map(({ id }) => ({ rule: environmentRule(id), limit }));
    const queues = await this.catalog.saveLimits(limits, this.world.now());
    if (queues.length > 0) this.bus.publish({ type: "work", queues });
  }

  async #keepEndpoint(app: AppRow, slug: string): Promise<void> {
    const find = () => this.endpoints(app.environmentId).find(({ row }) => row.slug === slug)?.row;
    const former = find();
    if (former?.appId === app.id) return;
    const id: EndpointId = this.world.newId("endpoint");
    const created: EndpointRow = {
      id,
      environmentId: app.environmentId,
      appId: app.id,
      slug,
      shortcode: id.slice(-12),
      preset: null,
      secretSealed: null,
      sourceText: null,
      createdAt: this.world.now(),
    };
    try {
      await this.catalog.saveEndpoint(former ? { ...former, appId: app.id } : created);
    } catch (error) {
      await this.refresh();
      if (find()?.appId !== app.id) throw error;
    }
  }

  /** Notes what an app answered at its last index or call; news for the dashboard only. */
  async noteAppError(app: AppRow, lastError: string | null): Promise<void> {
    if (app.lastError === lastError) return;
    await this.catalog.noteApp(app.id, { lastError });
    await this.refresh();
    this.bus.publish({ type: "catalog" });
  }

  /** Learned from a call that was cut off; forgotten when the app is registered anew, by whatever may have changed it. */
  async noteCallLimit(appId: string, callLimitMs: number): Promise<void> {
    await this.catalog.noteApp(appId, { callLimitMs });
    await this.refresh();
    this.bus.publish({ type: "catalog" });
  }

  /** The app's endpoint of that name, made if there is none: of servers that make it in one moment, the first to save it gives it its id. */
  async ownEndpoint(app: AppRow, slug: string): Promise<KnownEndpoint> {
    await this.#keepEndpoint(app, slug);
    await this.refresh();
    const found = this.endpoints(app.environmentId).find(({ row }) => row.slug === slug);
    if (found) return found;
    throw new UserFacingError("OVERLOADED", `The endpoint "${slug}" was saved and cannot be read yet.`);
  }

  /**
   * Changes what is kept of a source. What other servers change meanwhile is not lost: `change` is then called again, with that. Null from it leaves all as it is.
   *
   * @returns the endpoint as it is then; null: there is none
   * @throws UserFacingError OVERLOADED when others change it all the time
   */
  async changeSource(id: string, change: (known: KnownEndpoint) => SourceChange | null): Promise<KnownEndpoint | null> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const known = this.endpoint(id);
      const next = known && change(known);
      if (!next) return known;
      const changed = await this.catalog.changeSource(id, known.row.sourceText, next);
      await this.refresh();
      if (!changed) continue;
      this.bus.publish({ type: "catalog" });
      return this.endpoint(id);
    }
    throw new UserFacingError("OVERLOADED", "This source is changed by too many at once.");
  }

  async saveEndpoint(row: EndpointRow): Promise<void> {
    await this.catalog.saveEndpoint(row);
    await this.refresh();
    this.bus.publish({ type: "catalog" });
  }

  /** The environment of that id or slug, or NOT_FOUND. */
  requireEnvironment(idOrSlug: string): EnvironmentRow {
    const found = this.environment(idOrSlug);
    if (found) return found;
    const known = this.environments().map(({ slug }) => slug);
    throw new UserFacingError("NOT_FOUND", `There is no environment "${idOrSlug}".`, `Environments here: ${known.join(", ")}.`);
  }
}

function sameRegistration(a: AppRow, b: AppRow): boolean {
  return (
    a.transport === b.transport &&
    a.url === b.url &&
    a.sdk === b.sdk &&
    a.lastError === b.lastError &&
    a.callLimitMs === b.callLimitMs &&
    JSON.stringify(a.index) === JSON.stringify(b.index)
  );
}

function snapshot(revision: number, environments: EnvironmentRow[], apps: AppRow[], endpoints: EndpointRow[]): Snapshot {
  const appsById = new Map(apps.map((app) => [app.id, app]));
  const known = new Map<string, KnownEndpoint>();
  for (const row of endpoints) {
    const app = appsById.get(row.appId);
    if (!app) continue;
    const source = knownSource(app, row);
    const defined = app.index?.httpEndpoints?.find(({ id }) => id === row.slug) ?? null;
    const metadata = source?.kind === "source" ? sourceEndpoint(app, source) : defined;
    known.set(row.id, { row, app, metadata, source });
  }
  const indexed = new Map<string, KnownJob[]>();
  for (const app of apps) {
    const list = indexed.get(app.environmentId) ?? [];
    indexed.set(app.environmentId, list.concat((app.index?.jobs ?? []).map((metadata) => ({ app, metadata }))));
  }
  const jobs = new Map([...indexed].map(([environmentId, all]) => [environmentId, new KnownJobs(latestOfEach(all))]));
  return {
    revision,
    environments: new Map(environments.map((row) => [row.id, row])),
    bySecretHash: new Map(environments.map((row) => [row.secretKeyHash, row])),
    byPublicKey: new Map(environments.map((row) => [row.publicKey, row])),
    apps: appsById,
    endpoints: known,
    jobs,
  };
}
