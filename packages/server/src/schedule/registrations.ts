// Room: schedule. Schedules that programs register at run time on a dynamic schedule of their app, each under a key. Called by http to register, by Schedules
// for each tick and to look for lost ones. Promises: as for other schedules, one event a tick; a tick of a schedule that was changed or unregistered starts
// nothing; registering the same again changes nothing; a new account or metadata counts from the next tick on, and costs no tick.
import { type Schedule, UserFacingError } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import { nextTick, registeredSource, registrationOf, scheduleProblem, TICK } from "../dispatch/schedule.ts";
import type { Events } from "../dispatch/send.ts";
import type { World } from "../platform/world.ts";
import type { ScheduleOwner, ScheduleRow, ScheduleStore } from "../store/schedule-rows.ts";
import type { AppRow, EventRow } from "../store/store.ts";

/** A tick this long overdue is taken as lost, and the next one stored without it. */
const OVERDUE_MS = 60_000;
/** Lost ticks looked for at a time. */
const OVERDUE_AT_ONCE = 500;
/** A tick that was due while its schedule was registered anew is stored for at once, as an event of work like any other. */
const AT_ONCE_MS = 100;
/** Bytes of a dynamic schedule's id and a key together: what a row of an index can hold, with room to spare. */
const LONGEST_KEY = 2_000;

export interface RegistrationsNeeds {
  world: World;
  registry: Registry;
  schedules: ScheduleStore;
  events: Events;
  /** Whether schedules run in an environment. */
  ticksIn(environmentId: string): boolean;
}

/** Which schedule, as its registrant names it. */
export interface Named {
  /** The app's slug. */
  clientId: string;
  /** Of the app's dynamic schedule. */
  scheduleId: string;
  key: string;
}

export interface Given {
  schedule: Schedule;
  accountId: string | null;
  /** JSON text. */
  metadataText: string | null;
}

export class Registrations {
  constructor(private readonly needs: RegistrationsNeeds) {}

  /**
   * Registers a schedule under a key, or changes it. Its next tick is stored when this resolves.
   *
   * @throws UserFacingError NOT_FOUND (no such app or dynamic schedule), UNPROCESSABLE, BAD_REQUEST
   */
  async register(environmentId: string, named: Named, given: Given): Promise<ScheduleRow> {
    const app = await this.#app(environmentId, named, ({ index }) => definesSchedule(index, named.scheduleId));
    const problem = scheduleProblem(given.schedule);
    if (problem) throw new UserFacingError("UNPROCESSABLE", `The schedule "${named.key}" cannot be used: ${problem}`);
    checkKey(named);
    const row = await this.#save({ environmentId, appId: app.id, scheduleId: named.scheduleId }, named.key, given);
    if (this.needs.ticksIn(environmentId)) await this.#plan(row);
    return row;
  }

  /** Whether what is registered there runs. */
  runs(environmentId: string): boolean {
    return this.needs.ticksIn(environmentId);
  }

  /** Ends a schedule: no tick of it starts a run any more. Tells whether there was one. @throws UserFacingError NOT_FOUND (no such app) */
  async unregister(environmentId: string, named: Named): Promise<boolean> {
    const { schedules } = this.needs;
    const app = await this.#app(environmentId, named, () => true);
    const owner = { environmentId, appId: app.id, scheduleId: named.scheduleId };
    const row = await schedules.get(owner, named.key);
    const ended = await schedules.delete(owner, named.key);
    if (row) await this.#forgetTick(row);
    return ended;
  }

  /** A tick is due: the one after it is stored first, then its jobs run; none if the schedule is another by now. */
  async deliver(tick: EventRow, token: string): Promise<void> {
    const { schedules, events } = this.needs;
    const { id, revision } = registrationOf(tick.source) ?? { id: "", revision: 0 };
    const row = await schedules.byId(id);
    const lastAt = Math.max(row?.lastAt ?? 0, tick.timestamp);
    const counts = row?.revision === revision && (await this.#plan({ ...row, lastAt, nextAt: 0 }));
    await (counts ? events.deliver(tick, token) : events.drop(tick));
  }

  /** Stores the next tick of every schedule whose last one got lost. */
  async ensure(environmentIds: string[]): Promise<void> {
    const { schedules, world } = this.needs;
    for (;;) {
      const overdue = await schedules.overdue(environmentIds, world.now() - OVERDUE_MS, OVERDUE_AT_ONCE);
      // A tick that is late, and not lost, is still the one before the next.
      await Promise.all(overdue.map((row) => this.#plan({ ...row, lastAt: row.nextAt || row.lastAt, nextAt: 0 })));
      if (overdue.length < OVERDUE_AT_ONCE) return;
    }
  }

  /** Another server may know the app sooner. */
  async #app(environmentId: string, { clientId, scheduleId }: Named, fits: (app: AppRow) => boolean): Promise<AppRow> {
    const { registry } = this.needs;
    const find = () => registry.apps(environmentId).find(({ slug }) => slug === clientId);
    let app = find();
    if (!app || !fits(app)) {
      await registry.refresh();
      app = find();
    }
    if (!app)
      throw new UserFacingError("NOT_FOUND", `There is no app "${clientId}" in this environment.`, "It has to register first.");
    if (fits(app)) return app;
    throw new UserFacingError(
      "NOT_FOUND",
      `The app "${clientId}" has no dynamic schedule "${scheduleId}".`,
      "Define it with client.defineDynamicSchedule, and let the app register before you use it.",
    );
  }

  async #save(owner: ScheduleOwner, key: string, given: Given): Promise<ScheduleRow> {
    const { schedules, world } = this.needs;
    for (;;) {
      const former = await schedules.get(owner, key);
      if (former && isSame(former, given)) return former;
      const id = former?.id ?? world.newId("schedule");
      const row: ScheduleRow = { ...owner, ...given, ...phaseOf(former, given, world.now()), id, key };
      if (!(await schedules.save(row, former))) continue;
      if (former) await this.#forgetTick(former);
      return row;
    }
  }

  /** The tick stored ahead of a schedule that is no more. It would start nothing, but may be a year away. */
  async #forgetTick(row: ScheduleRow): Promise<void> {
    if (row.nextAt) await this.needs.events.cancel(row.environmentId, `${registeredSource(row)}:${row.nextAt}`);
  }

  /** Stores the next tick. False: the schedule was registered anew or unregistered meanwhile, so that this tick counts no more. */
  async #plan(row: ScheduleRow): Promise<boolean> {
    const { world, events, schedules } = this.needs;
    const now = world.now();
    const nextAt = nextOf(row, now);
    if (nextAt !== null) {
      const source = registeredSource(row);
      const ts = new Date(nextAt);
      const payload = row.lastAt === null ? { ts } : { ts, lastTimestamp: new Date(row.lastAt) };
      const deliverAt = new Date(Math.max(nextAt, now + AT_ONCE_MS));
      const event = { id: `${source}:${nextAt}`, name: TICK, source, payload, timestamp: ts };
      await events.send(row.environmentId, event, {
        deliverAt,
        accountId: row.accountId ?? undefined,
        sourceText: sourceTextOf(row),
      });
    }
    return schedules.ticked({ ...row, nextAt });
  }
}

function definesSchedule(index: AppRow["index"], scheduleId: string): boolean {
  return index?.dynamicSchedules.some(({ id }) => id === scheduleId) ?? false;
}

function checkKey({ scheduleId, key }: Named): void {
  if (Buffer.byteLength(scheduleId) + Buffer.byteLength(key) <= LONGEST_KEY) return;
  throw new UserFacingError(
    "BAD_REQUEST",
    `The ids of a dynamic schedule and of what is registered on it have at most ${LONGEST_KEY} bytes together.`,
  );
}

function isSame(row: ScheduleRow, { schedule, accountId, metadataText }: Given): boolean {
  return sameTimes(row.schedule, schedule) && row.accountId === accountId && row.metadataText === metadataText;
}

function sameTimes(a: Schedule, b: Schedule): boolean {
  return a.type === b.type && JSON.stringify(a.options) === JSON.stringify(b.options);
}

/** What goes on when a schedule is registered anew: everything, unless its times are others. */
function phaseOf(former: ScheduleRow | null, { schedule }: Given, now: number) {
  const revision = (former?.revision ?? 0) + 1;
  if (!former || !sameTimes(former.schedule, schedule)) {
    return { revision, anchorAt: now, lastAt: null, nextAt: 0, updatedAt: now };
  }
  const { anchorAt, lastAt, nextAt } = former;
  return { revision, anchorAt, lastAt, nextAt, updatedAt: now };
}

/** The tick that is to come: the one that was stored ahead by a former revision, if it did not come. */
function nextOf({ schedule, anchorAt, lastAt, nextAt }: ScheduleRow, now: number): number | null {
  const awaited = nextAt !== null && nextAt > (lastAt ?? 0) && nextAt >= now - OVERDUE_MS;
  return awaited ? nextAt : nextTick(schedule, now, anchorAt);
}

/** v2 shows a run the key as its source's id. */
function sourceTextOf({ key, metadataText }: ScheduleRow): string {
  return `{"id":${JSON.stringify(key)}${metadataText === null ? "" : `,"metadata":${metadataText}`}}`;
}
