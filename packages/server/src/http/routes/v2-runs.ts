// Room: http. The v2 run routes: look up, cancel, list a job's, cancel a job's (wire §2.9).
import { statusOf } from "@holdfast/engine";
import {
  type ApiRun,
  isFinalRunStatus,
  isId,
  RUN_STATUSES,
  type RunStatusUpdate,
  runStatusBodySchema,
  UserFacingError,
} from "@holdfast/protocol";
import type { RunRow } from "../../store/store.ts";
import { parsed } from "../../views/reader.ts";
import { statusesOf, statusOfKey } from "../../views/statuses.ts";
import type { Call } from "../call.ts";
import { type Route, route } from "../route.ts";
import { runStream } from "../run-stream.ts";
import { cancelRuns, legacyStatus } from "./v2-events.ts";

const MOST = 50;
const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

/** The run of the path in the caller's environment, or 404. */
export async function ownRun(call: Call): Promise<RunRow> {
  const id = call.param("id");
  const run = isId("run", id) ? await call.rooms.store.run(call.environment.id, id) : null;
  if (!run) throw new UserFacingError("NOT_FOUND", "Run not found");
  return run;
}

function outputOf(run: RunRow): unknown {
  if (run.state.kind !== "finished") return undefined;
  const { outcome } = run.state;
  if (outcome.status === "SUCCESS") return parsed(outcome.output);
  if ("error" in outcome) return outcome.error;
  if ("issues" in outcome) return outcome.issues;
  return "errors" in outcome ? outcome.errors : undefined;
}

async function apiRun(call: Call): Promise<ApiRun> {
  return shownRun(call, await ownRun(call));
}

async function shownRun(call: Call, run: RunRow): Promise<ApiRun> {
  const details = call.flag("taskdetails") && call.caller.by === "secretKey";
  const page = await call.rooms.views.tasks.apiPage(run.id, {
    cursor: call.query("cursor"),
    take: call.number("take", { otherwise: 20, most: MOST }),
    subtasks: call.flag("subtasks"),
    details,
  });
  const output = outputOf(run);
  return {
    id: run.id,
    status: legacyStatus(statusOf(run), call),
    startedAt: iso(run.startedAt),
    updatedAt: iso(run.updatedAt),
    completedAt: run.state.kind === "finished" ? iso(run.state.at) : null,
    ...(output === undefined ? {} : { output }),
    statuses: await statusesOf(call.rooms.store, run.id),
    ...page,
  };
}

async function statuses(call: Call): Promise<Response> {
  const run = await ownRun(call);
  const output = outputOf(run);
  const shown = { id: run.id, status: legacyStatus(statusOf(run), call), ...(output === undefined ? {} : { output }) };
  return call.json({ run: shown, statuses: await statusesOf(call.rooms.store, run.id) });
}

async function setStatus(call: Call, body: RunStatusUpdate): Promise<Response> {
  const run = await ownRun(call);
  const key = call.param("key");
  const dataText = body.data && JSON.stringify(body.data);
  await call.rooms.store.statuses.save(run.id, { key, label: body.label, state: body.state, dataText }, call.rooms.world.now());
  call.rooms.bus.publish({ type: "live", environmentId: run.environmentId, message: { type: "tasks", runId: run.id } });
  return call.json(await statusOfKey(call.rooms.store, run.id, key));
}

const UNFINISHED = RUN_STATUSES.filter((status) => !isFinalRunStatus(status));
/** The largest page is known to runs-of-status.sql. */
const UNFINISHED_PAGE = 200;

/** Newest first, so that runs started meanwhile are not among them. */
async function unfinishedRuns(call: Call, job: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { job, statuses: UNFINISHED, cursor, limit: UNFINISHED_PAGE };
    const page = await call.rooms.views.runs.list(call.environment, query);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor);
  return ids;
}

const PAGING = {
  cursor: "Id of the first task of the page",
  take: "Tasks a page, at most 50",
  subtasks: "true: tasks inside tasks too",
  taskdetails: "true: with params and output",
};

const readRoutes = (version: "v1" | "v2"): Route[] => {
  const suffix = version === "v1" ? "V1" : "";
  const common = { method: "GET", tag: "v2", access: "anyKey" } as const;
  return [
    route({
      ...common,
      path: `/api/${version}/runs/:id`,
      name: `getRun${suffix}`,
      summary: "A run and its tasks",
      query: PAGING,
      handle: async (call) => call.json(await apiRun(call)),
    }),
    route({
      ...common,
      path: `/api/${version}/runs/:id/statuses`,
      name: `getRunStatuses${suffix}`,
      summary: "The statuses a run has set",
      handle: statuses,
    }),
  ];
};

export const v2RunRoutes: Route[] = [
  ...readRoutes("v1"),
  ...readRoutes("v2"),
  route({
    method: "GET",
    path: "/api/v2/runs/:id/stream",
    name: "watchRun",
    summary: "A run as server-sent events: as it is, and again whenever it changes, until it has ended",
    tag: "v2",
    access: "anyKey",
    query: PAGING,
    handle: async (call) => {
      const { id, environmentId } = await ownRun(call);
      return runStream(call.rooms, id, async () => {
        const run = await call.rooms.store.run(environmentId, id);
        return run && shownRun(call, run);
      });
    },
  }),
  route({
    method: "PUT",
    path: "/api/v1/runs/:id/statuses/:key",
    name: "setRunStatus",
    summary: "Set a status of a run; what is left out stays as it was, and what it was joins its history",
    tag: "v2",
    access: "secretKey",
    body: runStatusBodySchema,
    handle: setStatus,
  }),
  route({
    method: "POST",
    path: "/api/v1/runs/:id/cancel",
    name: "cancelRun",
    summary: "Cancel a run; one that has ended stays as it is",
    tag: "v2",
    access: "secretKey",
    handle: async (call) => {
      await call.rooms.runs.cancel(call.environment.id, (await ownRun(call)).id);
      return call.json(await apiRun(call));
    },
  }),
  route({
    method: "POST",
    path: "/api/v1/jobs/:id/cancel-runs",
    name: "cancelRunsOfJob",
    summary: "Cancel a job's runs that have not ended, in this environment",
    tag: "v2",
    access: "secretKey",
    handle: async (call) => cancelRuns(call, await unfinishedRuns(call, call.param("id"))),
  }),
  route({
    method: "GET",
    path: "/api/v1/jobs/:id/runs",
    name: "listRunsOfJob",
    summary: "A job's runs, newest first",
    tag: "v2",
    access: "secretKey",
    query: { cursor: "From the answer before", take: "Runs a page, at most 50" },
    handle: async (call) => {
      const limit = call.number("take", { otherwise: 20, most: MOST });
      const page = await call.rooms.views.runs.list(call.environment, {
        job: call.param("id"),
        cursor: call.query("cursor"),
        limit,
      });
      const runs = page.items.map(({ id, status, startedAt, completedAt, createdAt }) => ({
        id,
        status: legacyStatus(status, call),
        startedAt,
        updatedAt: completedAt ?? startedAt ?? createdAt,
        completedAt,
      }));
      return call.json({ runs, ...(page.nextCursor ? { nextCursor: page.nextCursor } : {}) });
    },
  }),
];
