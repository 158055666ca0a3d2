// Room: http. The v2 routes of dynamic schedules (wire §2.11): register a schedule under a key, and end it.
import { registerScheduleBodySchema, type Schedule } from "@holdfast/protocol";
import type { z } from "zod";
import type { Call } from "../call.ts";
import { type Route, route } from "../route.ts";

/** Bytes; metadata is kept with every tick. */
const BODY_LIMIT = 256 * 1024;
const REGISTRATIONS = "/api/v1/:clientId/schedules/:scheduleId/registrations";

async function register(call: Call, body: z.infer<typeof registerScheduleBodySchema>): Promise<Response> {
  const { id: key, type, accountId = null, metadata } = body;
  const { seconds, cron } = body.options;
  const schedule: Schedule = { type, options: type === "cron" ? { cron } : { seconds } };
  const metadataText = metadata === undefined ? null : JSON.stringify(metadata);
  const { registrations } = call.rooms;
  const named = { clientId: call.param("clientId"), scheduleId: call.param("scheduleId"), key };
  await registrations.register(call.environment.id, named, { schedule, accountId, metadataText });
  const active = registrations.runs(call.environment.id);
  return call.json({ id: key, schedule, ...(metadata === undefined ? {} : { metadata }), active });
}

const common = { tag: "v2", access: "secretKey" } as const;

export const v2ScheduleRoutes: Route[] = [
  route({
    ...common,
    method: "POST",
    path: REGISTRATIONS,
    name: "registerSchedule",
    summary: "Register a schedule under a key on an app's dynamic schedule, or change it; the same again changes nothing",
    body: registerScheduleBodySchema,
    bodyLimit: BODY_LIMIT,
    badBody: "UNPROCESSABLE",
    handle: register,
  }),
  route({
    ...common,
    method: "DELETE",
    path: `${REGISTRATIONS}/:key`,
    name: "unregisterSchedule",
    summary: "End a registered schedule; one that is not there is no error",
    handle: async (call) => {
      const named = { clientId: call.param("clientId"), scheduleId: call.param("scheduleId"), key: call.param("key") };
      await call.rooms.registrations.unregister(call.environment.id, named);
      return call.json({ ok: true });
    },
  }),
];
