// Room: http. What completes tasks from outside and starts runs by name: callback URLs, waiting for an event, invoking a job (wire §2.9, §2.11, §3.5).
import { statusOf } from "@holdfast/engine";
import { invokeJobBodySchema, UserFacingError } from "@holdfast/protocol";
import { z } from "zod";
import { outcomeOf } from "../../deliver/notification.ts";
import { waitBodySchema } from "../../deliver/waiters.ts";
import type { RunRow } from "../../store/store.ts";
import { type Call, jsonResponse, orThrow } from "../call.ts";
import { secondsToWait } from "../prefer.ts";
import { type Route, route } from "../route.ts";

const MIB = 1024 * 1024;
type InvokeBody = z.infer<typeof invokeJobBodySchema>;

/** The address is the secret: whoever has it was given it by the job. */
async function callback(call: Call, body: unknown): Promise<Response> {
  const { pathname } = new URL(call.context.req.url);
  const answer = await call.rooms.callbacks.called(pathname, { status: "COMPLETED", outputText: JSON.stringify(body) ?? null });
  if (answer === "foreign")
    throw new UserFacingError("NOT_FOUND", "No task waits here: the address is not complete, or its run is no longer kept.");
  return call.json({ success: true });
}

/** An invocation is an event of its own for one job; with the same key it is the same run. */
async function invoke(call: Call, { payload, context, options }: InvokeBody): Promise<Response> {
  const seconds = secondsToWait(call.header("prefer"));
  const { events, outbound, registry, store, world } = call.rooms;
  const jobId = call.param("id");
  orThrow(registry.job(call.environment.id, jobId), "NOT_FOUND", `There is no job "${jobId}" in this environment.`);
  const key = call.header("idempotency-key");
  const id = key ? `invoke:${jobId}:${key}` : world.newId("event");
  const listening: string[] = [];
  const sent = await events.send(
    call.environment.id,
    { name: "invoke", id, payload, context },
    {
      onlyJob: jobId,
      accountId: options?.accountId,
      before: async (run) => {
        if (options?.callbackUrl) listening.push(await outbound.callWhenEnded(run, options.callbackUrl));
      },
    },
  );
  if (sent.duplicate) await store.outside.dropOutbound(listening);
  const runs = sent.duplicate ? await store.runsOfEvent(sent.event.rowId) : sent.runs;
  const run: RunRow = orThrow(runs[0], "CONFLICT", `The job "${jobId}" is disabled, so this started no run.`);
  if (seconds === null) return call.json({ id: run.id });
  const patience = { withinMs: seconds * 1_000, gone: call.context.req.raw.signal, isNew: !sent.duplicate };
  return howItEnded(call, run.id, await call.rooms.ends.of(run, patience));
}

/** 200 with what came of the run, or 202: it still goes on. */
async function howItEnded(call: Call, id: string, run: RunRow | null): Promise<Response> {
  if (!run) return jsonResponse(202, { id }, { "preference-applied": "wait" });
  const end = { id, status: statusOf(run), ...(await outcomeOf(call.rooms.store, run)) };
  return call.json(end, { "preference-applied": "wait" });
}

export const v2OutsideRoutes: Route[] = [
  route({
    method: "POST",
    path: "/api/v1/runs/:id/tasks/:taskId/callback/:secret",
    name: "completeTaskByCallback",
    summary: "Complete the task that waits at this address; the JSON body is its output",
    tag: "v2",
    access: "open",
    bodyLimit: 3 * MIB,
    body: z.unknown(),
    handle: callback,
  }),
  route({
    method: "POST",
    path: "/api/v1/event-dispatchers/ephemeral",
    name: "waitForEvent",
    summary: "Send the first event that fits to a URL, once; a task's callback URL is completed by it",
    tag: "v2",
    access: "secretKey",
    body: waitBodySchema,
    handle: async (call, body) => call.json(await call.rooms.waiters.add(call.environment.id, body)),
  }),
  route({
    method: "POST",
    path: "/api/v1/jobs/:id/invoke",
    name: "invokeJob",
    summary:
      "Run a job by its id; repeated with the same Idempotency-Key it is the same run; with `Prefer: wait=30` the answer is its end",
    tag: "v2",
    access: "secretKey",
    bodyLimit: 10 * MIB,
    body: invokeJobBodySchema,
    handle: invoke,
  }),
];
