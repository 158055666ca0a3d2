// Room: ingest. How sources get to be known to the services that send to them: the app says what it wants, this asks the app's register job, in a run, to see to it, and the job says what has
// become of it (wire §2.11, §3.3, §3.4). Called when an app has told its index, by http, and by upkeep. Promises: while a register run is under way no second one is
// asked for, so that nothing is registered twice; what an app wants is kept before it is asked.
import {
  type RawEvent,
  REGISTER_SOURCE_EVENT,
  type RegisterSourceEvent,
  type RegisterTriggerBody,
  type RegisterWebhookEvent,
  registerWebhookEvent,
  type SourceMetadata,
  type UpdateSourceBody,
  type UpdateWebhookBody,
  UserFacingError,
} from "@holdfast/protocol";
import { checkRule } from "../dispatch/check-index.ts";
import type { KnownEndpoint, Registry } from "../dispatch/registry.ts";
import type { Events } from "../dispatch/send.ts";
import { dynamicKey, isRegistered, optionsOf, type SourceState, sourceOf, sourceSlug } from "../dispatch/source.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { AppRow, EndpointRow, Store } from "../store/store.ts";
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
type Wanted = Pick<SourceState, "kind" | "key" | "params" | "desired" | "dynamic" | "hosted">;

/** A registration of a dynamic trigger, as its registrant names it. */
export interface NamedTrigger {
  /** The app's slug. */
  clientId: string;
  triggerId: string;
  key: string;
}

export class SourceRegistration {
  constructor(private readonly needs: SourceRegistrationNeeds) {}

  /** An app has told what it has: keeps its sources, and asks for those to be registered that are not as it wants them. */
  async indexed(app: AppRow): Promise<void> {
    const { sources = [], webhooks = [] } = app.index ?? {};
    for (const source of sources) {
      if (source.version !== "2") continue;
      const { key, params, options: desired } = source;
      await this.#askFor(
        await this.#keep(app, sourceSlug(key), { kind: "source", key, params, desired, hosted: hostedOf(source) }),
      );
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
    const { params, options: desired } = source;
    const wanted = { kind: "source" as const, key, params, desired, dynamic, hosted: hostedOf(source) };
    checkRule(rule, `the registration "${named.key}" of "${named.triggerId}"`);
    const kept = await this.#keep(app, sourceSlug(key), wanted);
    await this.#askFor(kept);
    if (kept.source) return this.#sourceEvent(kept, kept.source);
    throw new UserFacingError("CONFLICT", `"${named.key}" was registered by another app at the same time.`);
  }

  /** A register job has done its work: the other service sends these now. @throws UserFacingError NOT_FOUND */
  async registered(environmentId: string, clientId: string, body: UpdateSourceBody): Promise<{ id: string; key: string }> {
    const { key, secret, data, options } = body;
    const { row } = await this.#known(environmentId, sourceSlug(key), ({ app }) => app.slug === clientId);
    const told = { active: true, registered: options, ...(data === undefined ? {} : { data }) };
    await this.#change(row.id, (source) => ({ ...source, ...told, calm: source.asked }), secret);
    return { id: row.id, key };
  }

  /** The same of a webhook; not active: it could not be registered. @throws UserFacingError NOT_FOUND */
  async webhookRegistered(environmentId: string, body: UpdateWebhookBody): Promise<{ id: string; key: string }> {
    const { key, active } = body;
    const { row } = await this.#known(environmentId, key, ({ source }) => source?.key === key);
    await this.#change(row.id, (source) =>
      body.active ? { ...source, active, registered: body.config, calm: source.asked } : { ...source, active, registered: {} },
    );
    return { id: row.id, key };
  }

  /** Another server may know it sooner. */
  async #known(environmentId: string, slug: string, fits: (endpoint: KnownEndpoint) => boolean): Promise<KnownEndpoint> {
    const { registry } = this.needs;
    const find = () => registry.endpoints(environmentId).find((each) => each.row.slug === slug && each.source && fits(each));
    const found = find() ?? (await registry.refresh().then(find));
    if (found) return found;
    throw new UserFacingError("NOT_FOUND", `There is no source "${slug}" in this environment.`);
  }

  async #app(environmentId: string, slug: string, fits: (app: AppRow) => boolean): Promise<AppRow | undefined> {
    const { registry } = this.needs;
    const find = () => registry.apps(environmentId).find((app) => app.slug === slug && fits(app));
    return find() ?? (await registry.refresh().then(find));
  }

  /** Keeps what is wanted, with a secret of its own from the first time on. */
  async #keep(app: AppRow, slug: string, wanted: Wanted): Promise<KnownEndpoint> {
    checkName(slug);
    const { registry, vault, world } = this.needs;
    const { row } = await registry.ownEndpoint(app, slug);
    const made = Buffer.from(world.random(SECRET_BYTES)).toString("hex");
    const kept = await registry.changeSource(row.id, (known) => {
      const source: SourceState = { registered: {}, active: false, asked: 0, ...sourceOf(known.row), ...wanted };
      const sourceText = JSON.stringify(source);
      const hasSecret = openSecret(vault, known.row) !== null;
      if (hasSecret && known.row.sourceText === sourceText) return null;
      const secretSealed = hasSecret ? known.row.secretSealed : vault.seal(made, endpointPurpose(known.row));
      return { appId: app.id, secretSealed, sourceText };
    });
    return kept ?? registry.ownEndpoint(app, slug);
  }

  /** Changes what is kept of a source, and its secret if there is another. */
  #change(id: string, change: (source: SourceState) => SourceState | null, secret?: string): Promise<KnownEndpoint | null> {
    return this.needs.registry.changeSource(id, ({ row }) => {
      const source = sourceOf(row);
      const next = source && change(source);
      if (!next) return null;
      const secretSealed = secret ? this.needs.vault.seal(secret, endpointPurpose(row)) : row.secretSealed;
      return { appId: row.appId, secretSealed, sourceText: JSON.stringify(next) };
    });
  }

  /** For upkeep: asks again for what could not be registered, after longer and longer pauses. */
  async ensure(): Promise<void> {
    const { registry, world } = this.needs;
    for (const endpoint of registry.environments().flatMap(({ id }) => registry.endpoints(id))) {
      const { source, metadata } = endpoint;
      if (source && metadata && !isRegistered(source)) await this.#askFor(endpoint, world.now() - pauseOf(source));
    }
  }

  /**
   * Asks the app's register job, unless all is as it should be or it is at work already.
   *
   * @param before epoch milliseconds: not if it was asked after that
   */
  async #askFor({ row, source }: KnownEndpoint, before = Number.POSITIVE_INFINITY): Promise<void> {
    if (!source || isRegistered(source) || (await this.#asked(row, source, before))) return;
    const asked = source.asked + 1;
    // If another server has asked, or was told that it is registered, this one has nothing to do.
    const kept = await this.#change(row.id, (now) =>
      now.asked === source.asked && !isRegistered(now) ? { ...now, asked } : null,
    );
    if (!kept?.source || kept.source.asked !== asked || isRegistered(kept.source)) return;
    const event = { ...this.#registerEvent(kept, kept.source), id: askedId(row.id, asked) };
    // What is registered for an account is registered with the account's credentials.
    await this.needs.events.send(row.environmentId, event, { accountId: kept.source.dynamic?.accountId ?? undefined });
  }

  /** Whether the job is at work, or was asked after that time. */
  async #asked(row: EndpointRow, { asked }: SourceState, before: number): Promise<boolean> {
    const event = asked === 0 ? null : await this.needs.store.event(row.environmentId, { id: askedId(row.id, asked) });
    if (!event) return false;
    if (event.createdAt > before) return true;
    const runs = await this.needs.store.runsOfEvent(event.rowId);
    return runs.some(({ state }) => state.kind !== "finished");
  }

  #registerEvent(endpoint: KnownEndpoint, source: SourceState): RawEvent {
    if (source.kind === "source") return { name: REGISTER_SOURCE_EVENT, payload: this.#sourceEvent(endpoint, source) };
    const { active, params, registered: current, desired } = source;
    const url = this.#url(endpoint);
    const payload: RegisterWebhookEvent = { active, url, secret: this.#secret(endpoint), params, config: { current, desired } };
    return { name: registerWebhookEvent(source.key), payload };
  }

  #sourceEvent(endpoint: KnownEndpoint, source: SourceState): RegisterSourceEvent {
    const { key, params, active, data, dynamic } = source;
    const channel = { type: "HTTP" as const, url: this.#url(endpoint) };
    return {
      id: endpoint.row.id,
      source: { key, params, active, secret: this.#secret(endpoint), data, channel },
      options: { event: { desired: [], missing: [], orphaned: [] }, ...optionsOf(source) },
      ...(dynamic ? { dynamicTriggerId: dynamic.trigger } : {}),
    };
  }

  /** @throws UserFacingError BAD_CONFIGURATION when it was sealed with a key this server does not have */
  #secret({ row }: KnownEndpoint): string {
    const secret = openSecret(this.needs.vault, row);
    if (secret !== null) return secret;
    throw new UserFacingError("BAD_CONFIGURATION", `The stored secret of "${row.slug}" cannot be read.`);
  }

  #url({ row }: KnownEndpoint): string {
    return endpointUrl(this.needs.publicUrl(), this.needs.registry.requireEnvironment(row.environmentId), row);
  }
}

/** The integration whose credentials the server keeps for a source. */
function hostedOf({ integration }: Pick<SourceMetadata, "integration">): string | undefined {
  return integration?.authSource === "HOSTED" ? integration.id : undefined;
}

/** Bytes: what a row of an index can hold, with room to spare. */
const LONGEST_NAME = 2_000;

function checkName(slug: string): void {
  if (Buffer.byteLength(slug) <= LONGEST_NAME && !slug.includes("\0")) return;
  const message = `The key of a source, with the ids before it, has at most ${LONGEST_NAME} bytes and no NUL.`;
  throw new UserFacingError("BAD_REQUEST", message, "Use a shorter key, such as a hash of this one.");
}

/** After the first failure, and at most; each pause is twice the one before. */
const PAUSE_MS = { first: 60_000, most: 6 * 3_600_000 };

function pauseOf({ asked, calm = 0 }: SourceState): number {
  return Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(asked - calm - 1, 20));
}

const askedId = (endpointId: string, asked: number): string => `${endpointId}.register.${asked}`;
