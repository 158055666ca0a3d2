// Room: http. Routes for machines that watch the server: health, readiness, metrics, the API's description.
import { UserFacingError } from "@holdfast/protocol";
import { allQueues } from "../../store/queues.ts";
import type { Gauge } from "../../views/meter.ts";
import { type Call, jsonResponse } from "../call.ts";
import { openApiDocument } from "../openapi.ts";
import { type Route, route } from "../route.ts";

/** Ready: the database answers and knows this server's environments. */
async function ready(call: Call): Promise<Response> {
  try {
    await call.rooms.store.ping();
    return call.rooms.registry.environments().length > 0
      ? call.json({ ready: true })
      : jsonResponse(503, { ready: false, reason: "The environments are not loaded yet." });
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    return jsonResponse(503, { ready: false, reason: error.message }, { "retry-after": "5" });
  }
}

async function metrics(call: Call): Promise<Response> {
  const { meter, storeCounters } = call.rooms;
  const due = await dueWork(call);
  const up: Gauge = {
    name: "holdfast_database_up",
    help: "1 while the database answers; while it does not, nothing is told of due work.",
    labels: {},
    value: due ? 1 : 0,
  };
  const calls: Gauge = {
    name: "holdfast_calls_waiting",
    help: "Calls that wait for a run's end.",
    value: call.rooms.ends.waiting,
  };
  return new Response(meter.text([up, calls, ...workGauges(due ?? []), ...storeGauges(storeCounters?.() ?? {})]), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
  });
}

type DueWork = Awaited<ReturnType<Call["rooms"]["views"]["activity"]["workDue"]>>;

/** Null while the database is away: that is when the other figures are looked at most. */
async function dueWork({ rooms: { registry, views, world } }: Call): Promise<DueWork | null> {
  try {
    return await views.activity.workDue(allQueues(registry.environments(), registry.apps()), world.now());
  } catch (error) {
    if (error instanceof UserFacingError) return null;
    throw error;
  }
}

function workGauges(due: DueWork): Gauge[] {
  const depth = due.map(
    ({ kind, due: value }): Gauge => ({
      name: "holdfast_work_due",
      help: "Work that is due and not done, by kind.",
      labels: { kind },
      value,
    }),
  );
  const lag = due.map(
    ({ kind, oldestMs }): Gauge => ({
      name: "holdfast_work_lag_seconds",
      help: "How long the oldest due work has been due, by kind.",
      labels: { kind },
      value: oldestMs / 1000,
    }),
  );
  return [...depth, ...lag];
}

function storeGauges(counters: Record<string, number>): Gauge[] {
  return Object.entries(counters).map(([name, value]) => ({
    name: "holdfast_store",
    help: "Counters of the store since this server started.",
    labels: { counter: name },
    value,
  }));
}

const common = { method: "GET", tag: "system", access: "open" } as const;

/** @param table every other route, for the document */
export function systemRoutes(table: () => readonly Route[]): Route[] {
  const routes: Route[] = [
    route({
      ...common,
      path: "/healthz",
      name: "healthz",
      summary: "The process is up",
      handle: (call) => call.json({ ok: true }),
    }),
    route({ ...common, path: "/readyz", name: "readyz", summary: "The database answers; 503 while it does not", handle: ready }),
    route({
      ...common,
      access: "machine",
      path: "/metrics",
      name: "metrics",
      summary: "Prometheus metrics; from another machine with a secret key",
      handle: metrics,
    }),
    route({
      ...common,
      path: "/openapi.json",
      name: "openapi",
      summary: "This document",
      handle: (call) => call.json(openApiDocument([...table(), ...routes], call.rooms.version)),
    }),
  ];
  return routes;
}
