// Room: http. Runs for the dashboard and the CLI: list, show, cancel, run again, continue.
import { isId, RUN_STATUSES, type RunStatus, UserFacingError } from "@holdfast/protocol";
import { type Call, orThrow } from "../call.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";
import { ownRun } from "./v2-runs.ts";

/** The largest page is known to runs-of-status.sql. */
const PAGE = { otherwise: 50, most: 200 };
const TASK_PAGE = { otherwise: 500, most: 1000 };

function statusesOf(call: Call): RunStatus[] {
  const given = call.queries("status").flatMap((value) => value.split(","));
  const unknown = given.filter((status) => !(RUN_STATUSES as readonly string[]).includes(status));
  if (unknown.length > 0)
    throw new UserFacingError("BAD_REQUEST", `"${unknown[0]}" is no status of a run.`, `Statuses: ${RUN_STATUSES.join(", ")}.`);
  return [...new Set(given)] as RunStatus[];
}

async function list(call: Call): Promise<Response> {
  const { views } = call.rooms;
  const query = {
    job: call.query("job"),
    q: call.query("q"),
    cursor: call.query("cursor"),
    after: call.time("after"),
    before: call.time("before"),
  };
  return call.json(
    await views.runs.list(call.environment, { ...query, statuses: statusesOf(call), limit: call.number("limit", PAGE) }),
  );
}

async function show(call: Call): Promise<Response> {
  const id = call.param("id");
  const detail = isId("run", id) ? await call.rooms.views.runs.detail(call.environment, id) : null;
  return call.json(orThrow(detail, "NOT_FOUND", `There is no run ${id} in this environment.`));
}

async function rerun(call: Call): Promise<Response> {
  const run = await ownRun(call);
  const { store, events } = call.rooms;
  const event = orThrow(
    await store.event(run.environmentId, { rowId: run.eventRowId }),
    "CONFLICT",
    "The run's event is no longer kept.",
  );
  const started = await events.repeat(event, run.jobId);
  return call.json({ id: orThrow(started, "CONFLICT", `The job "${run.jobId}" no longer exists, so it cannot run again.`).id });
}

async function resume(call: Call): Promise<Response> {
  const outcome = await call.rooms.runs.continueRun(call.environment.id, (await ownRun(call)).id);
  if (outcome === "finished") throw new UserFacingError("CONFLICT", "Only a run that ended without success can be continued.");
  return show(call);
}

const common = { tag: "management", access: "environment" } as const;

export const runRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/runs`,
    name: "listRuns",
    summary: "Runs, newest first",
    query: {
      job: "Only this job's",
      status: "Only in this status; repeatable",
      after: "Created at or after, ISO",
      before: "Created before, ISO",
      q: "An id of the run, its event or delivery, or text of the job's name or the error",
      cursor: "From the page before",
      limit: "Runs a page, at most 200",
    },
    handle: list,
  }),
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/runs/:id`,
    name: "showRun",
    summary: "A run with its event and first tasks",
    handle: show,
  }),
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/runs/:id/tasks`,
    name: "listTasks",
    summary: "A run's tasks in order of start",
    query: { cursor: "From the page before", limit: "Tasks a page, at most 1000" },
    handle: async (call) => {
      const { id } = await ownRun(call);
      return call.json(
        await call.rooms.views.tasks.page(id, { cursor: call.query("cursor"), limit: call.number("limit", TASK_PAGE) }),
      );
    },
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/runs/:id/cancel`,
    name: "cancel",
    summary: "Cancel a run",
    handle: async (call) => {
      await call.rooms.runs.cancel(call.environment.id, (await ownRun(call)).id);
      return show(call);
    },
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/runs/:id/rerun`,
    name: "rerun",
    summary: "Run the job again with the same event",
    handle: rerun,
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/runs/:id/continue`,
    name: "continueRun",
    summary: "Take up a run that ended badly; finished tasks keep their outputs",
    handle: resume,
  }),
];
