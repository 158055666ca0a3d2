// Room: dispatch. Which runs an event starts. A pure reading of the registry: ingest, send and schedule store what it answers together with the event.
import { aheadOf, compileFilter, doorOf, flowOf, matchesRequest, newRun, requestView } from "@holdfast/engine";
import type { EventRule, JobMetadata, RequestFilter, RequestPayload } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import type { AppRow, EventRow, NewWork, PlannedRun } from "../store/store.ts";
import type { KnownJob, Registry } from "./registry.ts";
import { startsAtTick, TICK } from "./schedule.ts";

export interface Plan {
  runs: PlannedRun[];
  work: NewWork[];
}

/** Which jobs an event is for, where its name does not say it alone. */
export interface Narrowing {
  /** Just this one, whatever its trigger says (test runs, invoke, run again). */
  onlyJob?: string | undefined;
  /** It arrived for this registration of a dynamic trigger: the trigger's jobs, too, if the rule holds. */
  registration?: { rule: EventRule; jobs: readonly string[] } | undefined;
}

/**
 * The runs an event starts, one for each enabled job whose trigger matches, each with its row of work.
 */
export function planRuns(registry: Registry, world: World, event: EventRow, { onlyJob, registration }: Narrowing = {}): Plan {
  const together = registry.runsAtOnce;
  if (onlyJob)
    return planFor(
      { world, together, byName: true },
      event,
      [registry.job(event.environmentId, onlyJob)].filter((job) => job !== null),
    );
  const fits = registration && ruleMatches(registration.rule, event);
  const starts = (job: KnownJob): boolean => (fits && registration.jobs.includes(job.metadata.id)) || triggers(job, event);
  return planFor(
    { world, together, byName: false },
    event,
    registry.allJobs(event.environmentId).filter((job) => job.metadata.enabled && starts(job)),
  );
}

/** `together`: the limit of the environment. `byName`: the event is for just this job, which is asked for a run: doors are not for those. */
interface Terms {
  world: World;
  together: number | null;
  byName: boolean;
}

function planFor(terms: Terms, event: EventRow, jobs: KnownJob[]): Plan {
  const runs = jobs.map(({ app, metadata }) => createRun(terms, event, app, metadata));
  const work = runs.map((run, i): NewWork => {
    const ahead = aheadOf((jobs[i] as KnownJob).metadata, () => payloadOf(event));
    return { id: run.id, kind: "run", queue: run.appId, dueAt: run.createdAt - ahead };
  });
  return { runs, work };
}

function createRun({ world, together, byName }: Terms, event: EventRow, app: AppRow, job: JobMetadata): PlannedRun {
  const now = world.now();
  const payload = () => payloadOf(event);
  const flow = flowOf(event.environmentId, job, payload, together);
  const door = byName ? null : doorOf(event.environmentId, job, payload);
  // Not by spreading: an object spread first and then given many fields is slow for as long as it lives.
  const run: PlannedRun = Object.assign(newRun(world.newId("run"), now), {
    environmentId: event.environmentId,
    appId: app.id,
    jobId: job.id,
    jobName: job.name,
    jobVersion: job.version,
    eventRowId: event.rowId,
    deliveryId: event.deliveryId,
    isTest: event.isTest,
    createdAt: now,
    updatedAt: now,
    revision: 0,
  });
  if (flow) run.flow = flow;
  if (door) run.door = door;
  return run;
}

/** As filters see it: of a request its method, headers, query and body. */
function payloadOf({ payloadType, payloadText }: EventRow): unknown {
  const payload: unknown = JSON.parse(payloadText);
  return payloadType === "JSON" ? payload : requestView(payload as RequestPayload, true);
}

/** True when the job's trigger names this event and its filters hold, or the event is a tick that starts it. */
export function triggers(job: KnownJob, event: EventRow): boolean {
  const { trigger } = job.metadata;
  if (event.name === TICK && startsAtTick(job, event.source)) return true;
  if (trigger.type !== "static") return false;
  return ruleMatches(trigger.rule, event);
}

function ruleMatches(rule: EventRule, event: EventRow): boolean {
  const names = Array.isArray(rule.event) ? rule.event : [rule.event];
  if (!names.includes(event.name) || rule.source !== event.source) return false;
  return payloadMatches(rule.payload, event) && valueMatches(rule.context, event.contextText);
}

function payloadMatches(filter: object | undefined, event: EventRow): boolean {
  if (!filter || Object.keys(filter).length === 0) return true;
  if (event.payloadType === "JSON") return valueMatches(filter, event.payloadText);
  return matchesRequest(filter as RequestFilter, JSON.parse(event.payloadText) as RequestPayload);
}

/** Filters that do not compile never match: index time has refused them, so one met here comes from an older index. */
const compiled = new WeakMap<object, (value: unknown) => boolean>();
function valueMatches(filter: object | undefined, text: string | null): boolean {
  if (!filter || Object.keys(filter).length === 0) return true;
  let matches = compiled.get(filter);
  if (!matches) {
    const result = compileFilter(filter);
    matches = result.ok ? (value) => result.matches(value) : () => false;
    compiled.set(filter, matches);
  }
  return matches(text === null ? undefined : JSON.parse(text));
}
