// Room: dispatch. Refuses an index whose filters or schedules could not be evaluated: better a clear error when the app registers than a job that never, or always, runs.
// Called by registry.saveIndex, for both transports.
import { compileFilter, compileRequestFilter, doorProblem, flowProblem } from "@holdfast/engine";
import { type EventRule, type IndexDocument, type JobMetadata, UserFacingError } from "@holdfast/protocol";
import { scheduleProblem } from "./schedule.ts";

/** What v2 names the events of HTTP endpoints. */
const HTTP_EVENTS = "httpendpoint.";

/** @throws UserFacingError UNPROCESSABLE naming the job or endpoint, the place in the filter, and what is wrong there */
export function checkIndex(index: IndexDocument): void {
  for (const job of index.jobs) checkJob(job);
  for (const { id, immediateResponseFilter } of index.httpEndpoints ?? []) {
    if (immediateResponseFilter) refuseBad(`respondWith of HTTP endpoint "${id}"`, compileRequestFilter(immediateResponseFilter));
  }
}

function checkJob(job: JobMetadata): void {
  const { id, trigger } = job;
  const problem = flowProblem(job) ?? doorProblem(job);
  if (problem)
    throw new UserFacingError(
      "UNPROCESSABLE",
      `Job "${id}" cannot be used: ${problem}`,
      "Mend the option, or leave it out: docs/limits.md says what goes with what.",
    );
  if (trigger.type === "scheduled") refuseBadSchedule(id, scheduleProblem(trigger.schedule));
  if (trigger.type !== "static") return;
  const { event, payload, context } = trigger.rule;
  const overHttp = [event].flat().every((name) => name.startsWith(HTTP_EVENTS));
  if (payload && overHttp) refuseBad(`job "${id}"`, compileRequestFilter(payload));
  checkRule({ payload: overHttp ? undefined : payload, context }, `job "${id}"`);
}

/** The filters of a dynamic trigger's registration. @throws UserFacingError UNPROCESSABLE */
export function checkRule({ payload, context }: Pick<EventRule, "payload" | "context">, owner: string): void {
  if (payload) refuseBad(owner, compileFilter(payload));
  if (context) refuseBad(`${owner} (context)`, compileFilter(context));
}

function refuseBadSchedule(id: string, problem: string | null): void {
  if (problem === null) return;
  throw new UserFacingError(
    "UNPROCESSABLE",
    `The schedule of job "${id}" cannot be used: ${problem}`,
    'Write cronTrigger({ cron: "0 9 * * 1-5" }), in UTC, or intervalTrigger({ seconds: 3600 }).',
  );
}

function refuseBad(owner: string, compiled: ReturnType<typeof compileFilter> | ReturnType<typeof compileRequestFilter>): void {
  if (compiled.ok) return;
  throw new UserFacingError(
    "UNPROCESSABLE",
    `The filter of ${owner} cannot be used (at ${compiled.path || "its top"}): ${compiled.problem}`,
    "Leaves are lists: plain values (any of them), or operators such as {$gt: 5} (all of them).",
  );
}
