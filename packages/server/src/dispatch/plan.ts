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
  const seen = new SeenEvent(event);
  const terms = { world, together: registry.runsAtOnce, byName: onlyJob !== undefined };
  if (onlyJob)
    return planFor(
      terms,
      seen,
      [registry.job(event.environmentId, onlyJob)].filter((job) => job !== null),
    );
  const fits = registration && ruleMatches(registration.rule, seen);
  const starts = (job: KnownJob): boolean => (fits && registration.jobs.includes(job.metadata.id)) || triggers(job, seen);
  return planFor(
    terms,
    seen,
    candidates(registry, event, registration).filter((job) => job.metadata.enabled && starts(job)),
  );
}

/** Whatever the event may start: not all jobs, of which there may be thousands, but for ticks and registrations. */
function candidates(registry: Registry, event: EventRow, registration: Narrowing["registration"]): readonly KnownJob[] {
  if (registration || event.name === TICK) return registry.allJobs(event.environmentId);
  return registry.listeners(event.environmentId, event.name);
}

/** An event whose texts are parsed when somebody looks, and once, however many jobs look. */
class SeenEvent {
  #request: RequestPayload | undefined;
  #payload: { value: unknown } | undefined;
  #context: { value: unknown } | undefined;

  constructor(readonly row: EventRow) {}

  /** Of an event that is a request. */
  get request(): RequestPayload {
    this.#request ??= JSON.parse(this.row.payloadText) as RequestPayload;
    return this.#request;
  }

  /** As filters see it: of a request its method, headers, query and body. */
  get payload(): unknown {
    this.#payload ??= {
      value: this.row.payloadType === "JSON" ? JSON.parse(this.row.payloadText) : requestView(this.request, true),
    };
    return this.#payload.value;
  }

  get context(): unknown {
    const { contextText } = this.row;
    this.#context ??= { value: contextText === null ? undefined : JSON.parse(contextText) };
    return this.#context.value;
  }
}

/** `together`: the limit of the environment. `byName`: the event is for just this job, which is asked for a run: doors are not for those. */
interface Terms {
  world: World;
  together: number | null;
  byName: boolean;
}

function planFor(terms: Terms, event: SeenEvent, jobs: readonly KnownJob[]): Plan {
  const runs = jobs.map(({ app, metadata }) => createRun(terms, event, app, metadata));
  const work = runs.map((run, i): NewWork => {
    const ahead = aheadOf((jobs[i] as KnownJob).metadata, () => event.payload);
    return { id: run.id, kind: "run", queue: run.appId, dueAt: run.createdAt - ahead };
  });
  return { runs, work };
}

function createRun({ world, together, byName }: Terms, seen: SeenEvent, app: AppRow, job: JobMetadata): PlannedRun {
  const event = seen.row;
  const now = world.now();
  const payload = () => seen.payload;
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

/** True when the job's trigger names this event and its filters hold, or the event is a tick that starts it. */
function triggers(job: KnownJob, event: SeenEvent): boolean {
  const { trigger } = job.metadata;
  if (event.row.name === TICK && startsAtTick(job, event.row.source)) return true;
  if (trigger.type !== "static") return false;
  return ruleMatches(trigger.rule, event);
}

function ruleMatches(rule: EventRule, event: SeenEvent): boolean {
  const names = Array.isArray(rule.event) ? rule.event : [rule.event];
  if (!names.includes(event.row.name) || rule.source !== event.row.source) return false;
  return payloadMatches(rule.payload, event) && valueMatches(rule.context, () => event.context);
}

function payloadMatches(filter: object | undefined, event: SeenEvent): boolean {
  if (!filter || Object.keys(filter).length === 0) return true;
  if (event.row.payloadType === "JSON") return valueMatches(filter, () => event.payload);
  return matchesRequest(filter as RequestFilter, event.request);
}

/** Filters that do not compile never match: index time has refused them, so one met here comes from an older index. */
const compiled = new WeakMap<object, (value: unknown) => boolean>();
function valueMatches(filter: object | undefined, value: () => unknown): boolean {
  if (!filter || Object.keys(filter).length === 0) return true;
  let matches = compiled.get(filter);
  if (!matches) {
    const result = compileFilter(filter);
    matches = result.ok ? (value) => result.matches(value) : () => false;
    compiled.set(filter, matches);
  }
  return matches(value());
}
