// Room: schedule. Keeps one tick of every schedule stored ahead. Called when the catalog may have changed, now and then, and by the worker for each due tick.
// Promises: one event a tick with any number of servers, since a tick's id is its schedule and moment; ticks missed while no server ran are one late tick, then
// the schedule goes on in the future.
import type { KnownJob, Registry } from "../dispatch/registry.ts";
import { nextTick, registrationOf, scheduleOf, sourceOf, TICK } from "../dispatch/schedule.ts";
import type { Events } from "../dispatch/send.ts";
import type { World } from "../platform/world.ts";
import type { EventRow } from "../store/store.ts";
import type { Registrations } from "./registrations.ts";

/** A tick this long overdue is taken as lost, and the next one stored without it. */
const OVERDUE_MS = 60_000;

export interface SchedulesNeeds {
  world: World;
  registry: Registry;
  events: Events;
  registrations: Registrations;
  /** Whether schedules run in an environment. */
  ticksIn(environmentId: string): boolean;
}

export class Schedules {
  /** When each schedule is due next, as far as this server knows: by source. */
  #planned = new Map<string, number>();

  constructor(private readonly needs: SchedulesNeeds) {}

  /** Stores the next tick of every schedule that has none yet. Costs nothing for those whose next tick is known here. */
  async ensure(): Promise<void> {
    const { registry, world, registrations, ticksIn } = this.needs;
    const environments = registry.environments().flatMap(({ id }) => (ticksIn(id) ? [id] : []));
    const jobs = environments.flatMap((id) => registry.allJobs(id).filter(isScheduled));
    this.#forgetAllBut(jobs);
    for (const job of jobs) {
      const planned = this.#planned.get(sourceOf(job));
      if (planned === undefined || planned < world.now() - OVERDUE_MS) await this.#plan(job, null);
    }
    await registrations.ensure(environments);
  }

  /** A tick is due: the one after it is stored first, so that a crash in between leaves no gap; then its job runs. */
  async deliver(tick: EventRow, token: string): Promise<void> {
    const { events, registrations, ticksIn } = this.needs;
    if (!ticksIn(tick.environmentId)) return events.drop(tick);
    if (registrationOf(tick.source)) return registrations.deliver(tick, token);
    const job = this.needs.registry
      .allJobs(tick.environmentId)
      .find((known) => isScheduled(known) && sourceOf(known) === tick.source);
    if (job) await this.#plan(job, tick.timestamp);
    await events.deliver(tick, token);
  }

  async #plan(job: KnownJob, last: number | null): Promise<void> {
    const schedule = scheduleOf(job.metadata);
    const at = schedule && nextTick(schedule, this.needs.world.now());
    if (at === null) return;
    const source = sourceOf(job);
    const ts = new Date(at);
    const payload = last === null ? { ts } : { ts, lastTimestamp: new Date(last) };
    await this.needs.events.send(
      job.app.environmentId,
      { id: `${source}:${at}`, name: TICK, source, payload, timestamp: ts },
      { deliverAt: ts },
    );
    this.#planned.set(source, at);
  }

  #forgetAllBut(jobs: KnownJob[]): void {
    const sources = new Set(jobs.map(sourceOf));
    for (const source of this.#planned.keys()) if (!sources.has(source)) this.#planned.delete(source);
  }
}

function isScheduled({ metadata }: KnownJob): boolean {
  return metadata.enabled && scheduleOf(metadata) !== null;
}
