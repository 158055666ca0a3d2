// Room: dispatch. Events sent by name: from the API, from `io.sendEvent`, from test runs. An event and its runs are stored together;
// one with a delivery time waits as a row of work until `deliver` is called by the worker.
import { type RawEvent, UserFacingError } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import { eventQueue } from "../store/queues.ts";
import type { EventRow, Intake, IntakeResult, NewWork, RunRow, Store } from "../store/store.ts";
import { type FirstClaims, storing } from "./first-claim.ts";
import { type Narrowing, type Plan, planRuns } from "./plan.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { Registry } from "./registry.ts";

export interface SendOptions extends Narrowing {
  deliverAt?: Date | undefined;
  /** Seconds. */
  deliverAfter?: number | undefined;
  accountId?: string | undefined;
  isTest?: boolean;
  /** {@link EventRow.sourceText} */
  sourceText?: string;
  /** Called for each run before it is stored. */
  before?: (run: RunRow) => Promise<void>;
  /** An id that was seen before: an event that is due in five seconds or later takes this one's payload, context and time (wire §4.10). */
  replace?: boolean;
}

export interface Sent {
  event: EventRow;
  /** Empty when the event's id was seen before, or when it is delivered later. */
  runs: RunRow[];
  duplicate: boolean;
}

/** An event due sooner than this is as good as delivered: it is not replaced. */
const REPLACED_UNTIL_MS = 5_000;

/** v2's default source of events; triggers without a source listen to it. */
const DEFAULT_SOURCE = "trigger.dev";

export interface EventsNeeds {
  world: World;
  registry: Registry;
  store: Store;
  recent: RecentEvents;
  first: FirstClaims;
}

export class Events {
  constructor(private readonly needs: EventsNeeds) {}

  /**
   * Stores an event and the runs it starts. An id that was seen before starts nothing: the first event is answered, as it was or, on `replace`, as it is now.
   *
   * @throws UserFacingError TOO_LARGE, DATABASE_UNREACHABLE
   */
  async send(environmentId: string, raw: RawEvent, options: SendOptions = {}): Promise<Sent> {
    const event = this.#row(environmentId, raw, options);
    const later = event.deliverAt !== null && event.deliverAt > event.createdAt;
    const plan = later
      ? { runs: [], work: [workOf(event, event.deliverAt ?? 0)] }
      : planRuns(this.needs.registry, this.needs.world, event, options);
    // A delayed one may be replaced, here or by another server, before it starts anything.
    if (!later) this.needs.recent.add(event);
    if (options.before) await Promise.all(plan.runs.map(options.before));
    const stored = await this.#store(event, plan, null);
    const absent = stored.type === "stored" ? stored.absent : undefined;
    if (stored.type !== "duplicate")
      return { event, runs: absent ? plan.runs.filter(({ id }) => !absent.includes(id)) : plan.runs, duplicate: false };
    const first = await this.#first(environmentId, stored.eventRowId);
    return { event: options.replace ? await this.#replace(first, event) : first, runs: [], duplicate: true };
  }

  /** The event of that id once it is canceled: it never starts a run. One that was delivered stays as it is. Null: there is none. */
  async cancel(environmentId: string, id: string): Promise<EventRow | null> {
    const { store, world } = this.needs;
    const event = await store.event(environmentId, { id });
    if (!event || !waits(event)) return event;
    await store.changeEvent(event.rowId, { type: "cancel", at: world.now() });
    return store.event(environmentId, { rowId: event.rowId });
  }

  /** Lets a waiting event say what this one says, at its time; answers it as it is then. */
  async #replace(first: EventRow, given: EventRow): Promise<EventRow> {
    const { store, world, first: claims } = this.needs;
    if (!waits(first)) return first;
    const { payloadText, contextText } = given;
    const deliverAt = given.deliverAt ?? given.createdAt;
    const dueFrom = world.now() + REPLACED_UNTIL_MS;
    await store.changeEvent(first.rowId, { type: "replace", dueFrom, payloadText, contextText, deliverAt });
    // As if it had been stored now: who delivers it may have to look sooner.
    claims.of({ runs: [], work: [workOf(first, deliverAt)] }).stored();
    return this.#first(first.environmentId, first.rowId);
  }

  #store(event: EventRow, plan: Plan, done: Intake["done"]): Promise<IntakeResult> {
    const { first, store } = this.needs;
    return storing(first.of(plan), event.environmentId, ({ runs, work }) =>
      store.intake({ delivery: null, event, runs, work, done }),
    );
  }

  async #first(environmentId: string, eventRowId: string): Promise<EventRow> {
    const event = await this.needs.store.event(environmentId, { rowId: eventRowId });
    if (!event)
      throw new UserFacingError("CONFLICT", "An event with this id was sent before and is no longer kept.", "Use another id.");
    return event;
  }

  /** A delayed event is due: start its runs. The claim's token keeps a second server from doing it again. */
  async deliver(event: EventRow, token: string): Promise<void> {
    const plan = event.canceledAt ? { runs: [], work: [] } : planRuns(this.needs.registry, this.needs.world, event);
    const delivered = event.canceledAt ? event : { ...event, deliveredAt: this.needs.world.now() };
    await this.#store(delivered, plan, { id: event.rowId, token });
  }

  /** A tick that counts no more starts nothing. */
  async drop(event: EventRow): Promise<void> {
    await this.needs.store.changeEvent(event.rowId, { type: "cancel", at: this.needs.world.now() });
  }

  /** Runs an event's job again: a copy of the event under a new id, for that job only. */
  async repeat(event: EventRow, jobId: string): Promise<RunRow | null> {
    const now = this.needs.world.now();
    const rowId = this.needs.world.newId("event");
    const copy: EventRow = { ...event, rowId, id: `${event.id}:retry:${now}`, createdAt: now, deliverAt: null, deliveredAt: now };
    const plan = planRuns(this.needs.registry, this.needs.world, copy, { onlyJob: jobId });
    const [run] = plan.runs;
    if (!run) return null;
    await this.#store(copy, plan, null);
    return run;
  }

  #row(environmentId: string, raw: RawEvent, options: SendOptions): EventRow {
    const now = this.needs.world.now();
    const rowId = this.needs.world.newId("event");
    const after = options.deliverAfter === undefined ? null : now + options.deliverAfter * 1000;
    const deliverAt = options.deliverAt?.getTime() ?? after;
    const later = deliverAt !== null && deliverAt > now;
    const row: EventRow = {
      rowId,
      environmentId,
      id: raw.id ?? rowId,
      name: raw.name,
      source: raw.source ?? DEFAULT_SOURCE,
      payloadText: JSON.stringify(raw.payload ?? {}),
      contextText: raw.context === undefined || raw.context === null ? null : JSON.stringify(raw.context),
      payloadType: raw.payloadType ?? "JSON",
      timestamp: raw.timestamp?.getTime() ?? now,
      createdAt: now,
      deliverAt: later ? deliverAt : null,
      deliveredAt: later ? null : now,
      canceledAt: null,
      accountId: options.accountId ?? null,
      isTest: options.isTest ?? false,
      deliveryId: null,
    };
    if (options.sourceText !== undefined) row.sourceText = options.sourceText;
    return row;
  }
}

/** The work of delivering an event at its time. */
function workOf({ rowId, environmentId }: EventRow, dueAt: number): NewWork {
  return { id: rowId, kind: "event", queue: eventQueue(environmentId), dueAt };
}

function waits({ deliverAt, deliveredAt, canceledAt }: EventRow): boolean {
  return deliverAt !== null && deliveredAt === null && canceledAt === null;
}
