// Room: http. The v2 event routes: send, send many, look up, cancel (wire §2.8).

import { statusOf } from "@holdfast/engine";
import { type ApiEventLog, type RunStatus, sendEventBodySchema, sendEventsBodySchema } from "@holdfast/protocol";
import type { SendOptions } from "../../dispatch/send.ts";
import type { EventRow, RunRow } from "../../store/store.ts";
import { parsed } from "../../views/reader.ts";
import { type Call, orThrow } from "../call.ts";
import { type Route, route } from "../route.ts";

const BODY_LIMIT = 10 * 1024 * 1024;

const isoOrNull = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());
const RUNNING: readonly RunStatus[] = ["EXECUTING", "WAITING_TO_CONTINUE", "WAITING_TO_EXECUTE"];

/** Clients of `/api/v1` were written before three of the statuses were. */
export function legacyStatus(status: RunStatus, call: Call): RunStatus {
  return call.context.req.path.startsWith("/api/v1/") && RUNNING.includes(status) ? "STARTED" : status;
}

export function eventLog(event: EventRow): ApiEventLog {
  const context = parsed(event.contextText);
  const times = { deliverAt: event.deliverAt, deliveredAt: event.deliveredAt, cancelledAt: event.canceledAt };
  const set = Object.entries(times).flatMap(([name, time]) =>
    time === null ? [] : [[name, new Date(time).toISOString()] as const],
  );
  return {
    id: event.id,
    name: event.name,
    payload: parsed(event.payloadText) ?? {},
    ...(context === undefined ? {} : { context }),
    timestamp: new Date(event.timestamp).toISOString(),
    ...Object.fromEntries(set),
  };
}

interface GivenOptions {
  deliverAt?: Date | undefined;
  deliverAfter?: number | undefined;
  accountId?: string | undefined;
}
function sendOptions(options: GivenOptions | undefined): SendOptions {
  const { deliverAt, deliverAfter, accountId } = options ?? {};
  return { deliverAt, deliverAfter, accountId, replace: true };
}

/** A run as lists of v2's API show it. */
export function runLine(run: RunRow, call: Call): object {
  const completedAt = run.state.kind === "finished" ? run.state.at : null;
  return {
    id: run.id,
    status: legacyStatus(statusOf(run), call),
    startedAt: isoOrNull(run.startedAt),
    completedAt: isoOrNull(completedAt),
  };
}

/** The event of the path in the caller's environment, or 404. */
async function ownEvent(call: Call): Promise<EventRow> {
  const event = await call.rooms.store.event(call.environment.id, { id: call.param("id") });
  return orThrow(event, "NOT_FOUND", "Event not found");
}

async function getEvent(call: Call): Promise<Response> {
  const event = await ownEvent(call);
  const runs = await call.rooms.store.runsOfEvent(event.rowId);
  // They name other events, whose runs a public key could then look up.
  const skipped = call.caller.by === "publicKey" ? [] : await call.rooms.views.skips.ofEvent(call.environment, event.rowId);
  const updatedAt = Math.max(event.createdAt, ...runs.map((run) => run.updatedAt));
  return call.json({
    id: event.id,
    name: event.name,
    createdAt: isoOrNull(event.createdAt),
    updatedAt: isoOrNull(updatedAt),
    runs: runs.map((run) => runLine(run, call)),
    ...(skipped.length > 0 ? { skipped } : {}),
  });
}

/** What v2 answers of runs that were canceled together. */
export async function cancelRuns(call: Call, runIds: readonly string[]): Promise<Response> {
  const { canceled, finished } = await call.rooms.runs.cancelAll(call.environment.id, runIds);
  return call.json({ cancelledRunIds: canceled, failedToCancelRunIds: finished });
}

async function cancelRunsOfEvent(call: Call): Promise<Response> {
  const { rowId } = await ownEvent(call);
  const runs = await call.rooms.store.runsOfEvent(rowId);
  const unfinished = runs.filter(({ state }) => state.kind !== "finished");
  return cancelRuns(
    call,
    unfinished.map(({ id }) => id),
  );
}

const lookUp = (version: "v1" | "v2"): Route =>
  route({
    method: "GET",
    path: `/api/${version}/events/:id`,
    name: version === "v1" ? "getEventV1" : "getEvent",
    summary: "An event, by the id its sender gave it, its runs, and why it started none of a job",
    tag: "v2",
    access: "anyKey",
    handle: getEvent,
  });

export const v2EventRoutes: Route[] = [
  route({
    method: "POST",
    path: "/api/v1/events",
    name: "sendEvent",
    summary: "Send an event; a repeated id answers the first, which takes the new payload and time if it is due in 5 s or later",
    tag: "v2",
    access: "secretKey",
    body: sendEventBodySchema,
    bodyLimit: BODY_LIMIT,
    badBody: "UNPROCESSABLE",
    handle: async (call, body) => {
      const { event } = await call.rooms.events.send(call.environment.id, body.event, sendOptions(body.options));
      return call.json(eventLog(event));
    },
  }),
  route({
    method: "POST",
    path: "/api/v1/events/bulk",
    name: "sendEvents",
    summary: "Send several events; the answer is in the same order",
    tag: "v2",
    access: "secretKey",
    body: sendEventsBodySchema,
    bodyLimit: BODY_LIMIT,
    badBody: "UNPROCESSABLE",
    handle: async (call, body) => {
      const options = sendOptions(body.options);
      const sent = await Promise.all(body.events.map((event) => call.rooms.events.send(call.environment.id, event, options)));
      return call.json(sent.map(({ event }) => eventLog(event)));
    },
  }),
  route({
    method: "POST",
    path: "/api/v1/events/:id/cancel",
    name: "cancelEvent",
    summary: "Cancel an event that waits for its time: it never starts a run; one that was delivered stays as it is",
    tag: "v2",
    access: "secretKey",
    handle: async (call) => {
      const event = await call.rooms.events.cancel(call.environment.id, call.param("id"));
      return call.json(eventLog(orThrow(event, "NOT_FOUND", "Event not found")));
    },
  }),
  route({
    method: "POST",
    path: "/api/v1/events/:id/cancel-runs",
    name: "cancelRunsOfEvent",
    summary: "Cancel the runs an event started that have not ended",
    tag: "v2",
    access: "secretKey",
    handle: cancelRunsOfEvent,
  }),
  lookUp("v1"),
  lookUp("v2"),
];
