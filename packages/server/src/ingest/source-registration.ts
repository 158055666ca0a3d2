// Room: ingest. How sources get to be known to the services that send to them: the app says what it wants, this asks the app's register job, in a run, to see to it, and the job says what has
// become of it (wire §2.11, §3.3, §3.4). Called when an app has told its index, by http, and by upkeep. Promises: while a register run is under way no second one is
// asked for, so that nothing is registered twice; what an app wants is kept before it is asked.
import {
  type EndpointId,
  type RawEvent,
  REGISTER_SOURCE_EVENT,
  type RegisterSourceEvent,
  type RegisterTriggerBody,
  type RegisterWebhookEvent,
  registerWebhookEvent,
  type UpdateSourceBody,
  type UpdateWebhookBody,
  UserFacingError,
} from "@holdfast/protocol";
import type { KnownEndpoint, Registry } from "../dispatch/registry.ts";
import type { Events } from "../dispatch/send.ts";
import { dynamicKey, isRegistered, optionsOf, type SourceState, sourceSlug } from "../dispatch/source.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { AppRow, Store } from "../store/store.ts";
import { endpointUrl } from "./locate.ts";
import { endpointPurpose, openSecret } from "./secret.ts";

const SECRET_BYTES = 32;

export interface SourceRegistrationNeeds {
  world: World;
  registry: Registry;
  store: Store;
  events: Pick<Events, "send">;
  vault: Pick<Vault, "open" | "seal">;
  /** Where other services reach this server: "https://jobs.example.com". */
  publicUrl(): string;
}

/** What an app wants of a source. */
type Wanted = Pick<SourceState, "kind" | "key" | "params" | "desired" | "dynamic">;

/** A registration of a dynamic trigger, as its registrant names it. */
export interface NamedTrigger {
  /** The app's slug. */
  clientId: string;
  triggerId: string;
  key: string;
}

/** A source and its secret. */
interface Kept {
  endpoint: KnownEndpoint;
  source: SourceState;
  secret: string;
}

export class SourceRegistration {
  constructor(private readonly needs: SourceRegistrationNeeds) {}

  /** An app has told what it has: keeps its sources, and asks for those to be registered that are not as it wants them. */
  async indexed(app: AppRow): Promise<void> {
    const { sources = [], webhooks = [] } = app.index ?? {};
    for (const { key, params, options, version } of sources) {
      if (version !== "2") continue;
      await this.#askFor(await this.#keep(app, sourceSlug(key), { kind: "source", key, params, desired: options }));
    }
    for (const { key, params, config, httpEndpoint } of webhooks) {
      await this.#askFor(await this.#keep(app, httpEndpoint.id, { kind: "webhook", key, params, desired: config }));
    }
  }

  /**
   * Registers a key on a dynamic trigger, or changes it.
   *
   * @throws UserFacingError NOT_FOUND (no such app or dynamic trigger)
   */
  async register(environmentId: string, named: NamedTrigger, body: RegisterTriggerBody): Promise<RegisterSourceEvent> {
    const app = await this.#app(environmentId, named.clientId, ({ index }) =>
      Boolean(index?.dynamicTriggers.some(({ id }) => id === named.triggerId)),
    );
    if (!app) {
      const message = `There is no app "${named.clientId}" with a dynamic trigger "${named.triggerId}" in this environment.`;
      throw new UserFacingError(
        "NOT_FOUND",
        message,
        "Define it with client.defineDynamicTrigger, and let the app register first.",
      );
    }
    const { rule, source, accountId = null } = body;
    const key = dynamicKey(named.triggerId, named.key, source.key);
    const dynamic = { trigger: named.triggerId, registration: named.key, rule, accountId };
    const wanted = { kind: "source" as const, key, params: source.params, desired: source.options, dynamic };
    const kept = await this.#keep(app, sourceSlug(key), wanted);
    await this.#askFor(kept);
    return this.#sourceEvent(kept);
  }

  /** A register job has done its work: the other service sends these now. @throws UserFacingError NOT_FOUND */
  async registered(environmentId: string, clientId: string, body: UpdateSourceBody): Promise<{ id: string; key: string }> {
    const { key, secret, data, options } = body;
    const endpoint = await this.#known(environmentId, sourceSlug(key), ({ app }) => app.slug === clientId);
    const { source, row } = endpoint;
    const state = { ...source, active: true, calm: source.asked, registered: options, ...(data === undefined ? {} : { data }) };
    const secretSealed = secret === undefined ? row.secretSealed : this.needs.vault.seal(secret, endpointPurpose(row));
    await this.needs.registry.saveEndpoint({ ...row, secretSealed, sourceText: JSON.stringify(state) });
    return { id: row.id, key };
  }

  /** The same of a webhook; not active: it could not be registered. @throws UserFacingError NOT_FOUND */
  async webhookRegistered(environmentId: string, body: UpdateWebhookBody): Promise<{ id: string; key: string }> {
    const { row, source } = await this.#known(environmentId, body.key, (endpoint) => endpoint.source?.key === body.key);
    const told = body.active ? { calm: source.asked, registered: body.config } : { registered: {} };
    const state = { ...source, active: body.active, ...told };
    await this.needs.registry.saveEndpoint({ ...row, sourceText: JSON.stringify(state) });
    return { id: row.id, key: body.key };
  }

  /** Another server may know it sooner. */
  async #known(
    environmentId: string,
    slug: string,
    fits: (endpoint: KnownEndpoint) => boolean,
  ): Promise<KnownEndpoint & { source: SourceState }> {
    const { registry } = this.needs;
    const find = () => registry.endpoints(environmentId).find((each) => each.row.slug === slug && each.source && fits(each));
    const found = find() ?? (await registry.refresh().then(find));
    if (found?.source) return found as KnownEndpoint & { source: SourceState };
    throw new UserFacingError("NOT_FOUND", `There is no source "${slug}" in this environment.`);
  }

  async #app(environmentId: string, slug: string, fits: (app: AppRow) => boolean): Promise<AppRow | undefined> {
    const { registry } = this.needs;
    const find = () => registry.apps(environmentId).find((app) => app.slug === slug && fits(app));
    return find() ?? (await registry.refresh().then(find));
  }

  /** Keeps what is wanted, with a secret of its own from the first time on. */
  async #keep(app: AppRow, slug: string, wanted: Wanted): Promise<Kept> {
    const { registry, vault, world } = this.needs;
    const former = registry.endpoints(app.environmentId).find(({ row }) => row.slug === slug);
    const id = (former?.row.id ?? world.newId("endpoint")) as EndpointId;
    const secret = (former && openSecret(vault, former.row)) ?? Buffer.from(world.random(SECRET_BYTES)).toString("hex");
    const untold = { registered: {}, active: false, asked: 0 };
    const source: SourceState = { ...untold, ...former?.source, ...wanted };
    const sourceText = JSON.stringify(source);
    const row = former?.row ?? {
      id,
      environmentId: app.environmentId,
      appId: app.id,
      slug,
      shortcode: id.slice(-12),
      preset: null,
      secretSealed: null,
      sourceText: null,
      createdAt: world.now(),
    };
    const secretSealed = former && openSecret(vault, former.row) ? row.secretSealed : vault.seal(secret, endpointPurpose(row));
    if (row.sourceText !== sourceText || row.secretSealed !== secretSealed || row.appId !== app.id) {
      await registry.saveEndpoint({ ...row, appId: app.id, secretSealed, sourceText });
    }
    const endpoint = registry.endpoint(id);
    if (!endpoint?.source) throw new Error(`the source ${slug} was saved and is not known`);
    return { endpoint, source: endpoint.source, secret };
  }

  /** For upkeep: asks again for what could not be registered, after longer and longer pauses. */
  async ensure(): Promise<void> {
    const { registry, vault, world } = this.needs;
    for (const endpoint of registry.environments().flatMap(({ id }) => registry.endpoints(id))) {
      const { source, row, metadata } = endpoint;
      if (!source || !metadata || source.asked === 0 || isRegistered(source)) continue;
      const secret = openSecret(vault, row);
      if (secret) await this.#askFor({ endpoint, source, secret }, world.now() - pauseOf(source));
    }
  }

  /**
   * Asks the app's register job, unless all is as it should be or it is at work already.
   *
   * @param before epoch milliseconds: not if it was asked after that
   */
  async #askFor({ endpoint, source, secret }: Kept, before = Number.POSITIVE_INFINITY): Promise<void> {
    if (isRegistered(source) || (await this.#asked(endpoint, source, before))) return;
    const { row, app } = endpoint;
    const asked = { ...source, asked: source.asked + 1 };
    await this.needs.registry.saveEndpoint({ ...row, sourceText: JSON.stringify(asked) });
    const event = this.#registerEvent({ endpoint, source, secret });
    await this.needs.events.send(app.environmentId, { ...event, id: askedId(row.id, asked.asked) });
  }

  /** Whether the job is at work, or was asked after that time. */
  async #asked({ row }: KnownEndpoint, { asked }: SourceState, before: number): Promise<boolean> {
    const event = asked === 0 ? null : await this.needs.store.event(row.environmentId, { id: askedId(row.id, asked) });
    if (!event) return false;
    if (event.createdAt > before) return true;
    const runs = await this.needs.store.runsOfEvent(event.rowId);
    return runs.some(({ state }) => state.kind !== "finished");
  }

  #registerEvent(kept: Kept): RawEvent {
    const { source } = kept;
    if (source.kind === "source") return { name: REGISTER_SOURCE_EVENT, payload: this.#sourceEvent(kept) };
    const { active, params, registered: current, desired } = source;
    const payload: RegisterWebhookEvent = {
      active,
      url: this.#url(kept.endpoint),
      secret: kept.secret,
      params,
      config: { current, desired },
    };
    return { name: registerWebhookEvent(source.key), payload };
  }

  #sourceEvent({ endpoint, source, secret }: Kept): RegisterSourceEvent {
    const { key, params, active, data, dynamic } = source;
    return {
      id: endpoint.row.id,
      source: { key, params, active, secret, data, channel: { type: "HTTP", url: this.#url(endpoint) } },
      options: optionsOf(source),
      ...(dynamic ? { dynamicTriggerId: dynamic.trigger } : {}),
    };
  }

  #url({ row }: KnownEndpoint): string {
    return endpointUrl(this.needs.publicUrl(), this.needs.registry.requireEnvironment(row.environmentId), row);
  }
}

/** After the first failure, and at most; each pause is twice the one before. */
const PAUSE_MS = { first: 60_000, most: 6 * 3_600_000 };

function pauseOf({ asked, calm = 0 }: SourceState): number {
  return Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(asked - calm - 1, 20));
}

const askedId = (endpointId: string, asked: number): string => `${endpointId}.register.${asked}`;
