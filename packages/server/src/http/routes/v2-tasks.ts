// Room: http. Tasks as they are reported: the three calls of the published v2 SDK (wire §2.3–2.7), and the one of ours.
import {
  completeTaskBodySchema,
  failTaskBodySchema,
  isId,
  reportBatchSchema,
  runTaskBodySchema,
  type ServerTask,
  UserFacingError,
  V2_VERSION,
} from "@holdfast/protocol";
import { runIdOfToken } from "../../tasks/report.ts";
import type { TaskAddress } from "../../tasks/v2-tasks.ts";
import { originOf } from "../access.ts";
import { type Call, orThrow } from "../call.ts";
import { type Route, route } from "../route.ts";

const MIB = 1024 * 1024;
/** An output of 10 MiB has up to three bytes a character, and travels with others. */
const REPORTS_LIMIT = 64 * MIB;
/** v2 takes 3 MiB; a larger output must still be read, because the task then ends with an error that says so. */
const COMPLETE_LIMIT = 12 * MIB;
/** `output` is JSON text from this version on. */
const TEXT_OUTPUT_VERSION = "2023-11-01";

function runId(call: Call): string {
  const id = call.param("id");
  if (isId("run", id)) return id;
  throw new UserFacingError("NOT_FOUND", "Run not found");
}

function addressOf(call: Call): TaskAddress {
  return { environmentId: call.environment.id, runId: runId(call), taskId: call.param("taskId") };
}

function taskOr404(task: ServerTask | null): ServerTask {
  return orThrow(task, "NOT_FOUND", "Task not found");
}

async function openTask(call: Call, body: Parameters<Call["rooms"]["tasks"]["open"]>[2]): Promise<Response> {
  const { tasks } = call.rooms;
  if (call.header("idempotency-key") === undefined)
    throw new UserFacingError("BAD_REQUEST", "Invalid or Missing idempotency key");
  const run = runId(call);
  const task = orThrow(await tasks.open(call.environment.id, run, body, originOf(call.context)), "NOT_FOUND", "Run not found");
  if (call.header("trigger-version") !== V2_VERSION) return call.json(task);
  const cursor = call.header("x-cached-tasks-cursor");
  const cachedTasks = cursor ? { cachedTasks: await tasks.cachedTasks(run, cursor) } : {};
  return call.json({ task, ...cachedTasks }, { "trigger-version": V2_VERSION });
}

export function v2TaskRoutes(): Route[] {
  const common = { method: "POST", access: "secretKey", tag: "v2", bodyLimit: 3 * MIB } as const;
  return [
    route({
      ...common,
      path: "/api/v1/runs/:id/tasks",
      name: "openTask",
      summary: "Create a task, or get the one with that idempotency key",
      body: runTaskBodySchema,
      handle: openTask,
    }),
    route({
      ...common,
      path: "/api/v1/runs/:id/tasks/:taskId/complete",
      neverRefused: true,
      name: "completeTask",
      summary: "Record a task's output; a recorded one never changes",
      bodyLimit: COMPLETE_LIMIT,
      body: completeTaskBodySchema,
      handle: async (call, body) => {
        const isText = call.header("trigger-version") === TEXT_OUTPUT_VERSION;
        return call.json(taskOr404(await call.rooms.tasks.complete(addressOf(call), body, isText)));
      },
    }),
    route({
      ...common,
      path: "/api/v1/runs/:id/tasks/:taskId/fail",
      neverRefused: true,
      name: "failTask",
      summary: "Record a task's error",
      body: failTaskBodySchema,
      handle: async (call, body) => call.json(taskOr404(await call.rooms.tasks.fail(addressOf(call), body))),
    }),
    route({
      ...common,
      path: "/api/v1/executions/:token/reports",
      neverRefused: true,
      name: "reportTasks",
      summary: "Record what an execution did; 409 once it is no longer the run's",
      bodyLimit: REPORTS_LIMIT,
      body: reportBatchSchema,
      handle: async (call, { items }) => {
        const token = call.param("token");
        if (!(await call.rooms.owners.owns(call.environment.id, runIdOfToken(token))))
          throw new UserFacingError("NOT_FOUND", "There is no such execution.");
        if ((await call.rooms.reports.record(token, items)) === "recorded") return call.json({ ok: true });
        throw new UserFacingError(
          "STALE_EXECUTION",
          "This execution is over: its run was canceled, or is executed elsewhere.",
          "Stop it; record nothing.",
        );
      },
    }),
  ];
}
