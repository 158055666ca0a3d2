// Room: http. The router: one Hono app made from the table of routes, with access, bodies and errors handled in one place.
// Called by main (through listen.ts) and by tests. Promises: nothing a client sends is answered with a stack or left unanswered; every error has
// both `error` and `message`, since v2's clients read one or the other.
import { UserFacingError } from "@holdfast/protocol";
import { type Context, Hono } from "hono";
import { ENDPOINTS_PATH, SOURCES_PATH } from "../ingest/locate.ts";
import { Gate } from "./access.ts";
import { ApiRates, TooOften } from "./api-rate.ts";
import { Call, jsonResponse } from "./call.ts";
import { dashboard } from "./dashboard.ts";
import { ingestHandler } from "./ingest-handler.ts";
import { checkedBody, declaredBytes, readText } from "./json-body.ts";
import { LargeBodies } from "./large-bodies.ts";
import type { Rooms } from "./rooms.ts";
import type { Route } from "./route.ts";
import { allRoutes } from "./routes/all.ts";
import { Sessions } from "./sessions.ts";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type, trigger-version, cache-control, pragma",
  "access-control-allow-methods": "GET, OPTIONS",
  "access-control-max-age": "300",
};

export type Fetch = (request: Request, env?: object) => Response | Promise<Response>;

/**
 * Builds the handler of every request.
 *
 * @example const fetch = createHttp(rooms); await fetch(new Request("http://localhost/healthz"))
 */
export function createHttp(rooms: Rooms): Fetch {
  const sessions = new Sessions(rooms);
  const gate = new Gate(rooms, sessions);
  const routes = allRoutes({ sessions, gate });
  const rates = new ApiRates(rooms.apiRate, () => rooms.world.now());
  const large = new LargeBodies(rooms.world);
  const app = new Hono({ getPath: pathOf });
  for (const path of [ENDPOINTS_PATH, SOURCES_PATH]) app.all(`${path}*`, ingestHandler(rooms, large));
  for (const route of routes)
    app.on(route.method, route.keyAtEnd ? `${route.path}{.+}` : route.path, handlerOf(route, rooms, { gate, rates, large }));
  app.all("*", fallback(rooms, routes));
  app.onError((error, context) => errorResponse(error, context, rooms));
  return async (request, env) => {
    const response = await app.fetch(request, env);
    rooms.meter.count("holdfast_http_requests_total", { status: `${Math.floor(response.status / 100)}xx` });
    return response;
  };
}

/** The path to route by, still encoded: `TRIGGER_API_URL` with a trailing slash makes SDKs ask for `//api/…`, and a slash at the end says nothing. */
function pathOf(request: Request): string {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(request.url)?.[1] || "/";
  const single = path.replace(/\/{2,}/g, "/");
  return single.length > 1 && single.endsWith("/") ? single.slice(0, -1) : single;
}

type Doors = { gate: Gate; rates: ApiRates; large: LargeBodies };

function handlerOf(route: Route, rooms: Rooms, { gate, rates, large }: Doors): (context: Context) => Promise<Response> {
  return async (context) => {
    const caller = await gate.admit(route, context);
    const counted = rates.admit(route, caller);
    const call = new Call(rooms, context, caller);
    const response = await answered(route, call, large);
    return withHeaders(response, route.access === "anyKey" ? { ...CORS, ...counted } : counted);
  };
}

async function answered({ body: schema, ...route }: Route, call: Call, large: LargeBodies): Promise<Response> {
  if (!schema) return route.handle(call, undefined);
  const text = await large.reading(declaredBytes(call.context, route.bodyLimit), () => readText(call.context, route.bodyLimit));
  const options = { bad: route.badBody, asText: route.bodyAs === "text" };
  return large.inTurn(text.length, async () => route.handle(call, checkedBody(text, schema, options)));
}

function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** What no route took: a preflight, a wrong method, an unknown API path, or a page of the dashboard. */
function fallback(rooms: Rooms, routes: readonly Route[]): (context: Context) => Response | Promise<Response> {
  const patterns = routes.map((route) => ({ route, pattern: new RegExp(`^${route.path.replace(/:[a-zA-Z]+/g, "[^/]+")}/*$`) }));
  const page = dashboard(rooms);
  return (context) => {
    const path = pathOf(context.req.raw);
    const here = patterns.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route);
    if (here.length > 0) return methodsAnswer(context, here);
    if (isApi(path))
      return errorResponse(
        new UserFacingError("NOT_FOUND", `There is nothing at ${path}.`, "See /openapi.json."),
        context,
        rooms,
      );
    return page(context, path);
  };
}

function isApi(path: string): boolean {
  return path === "/mcp" || path.startsWith("/mcp/") || path === "/api" || path.startsWith("/api/");
}

function methodsAnswer(context: Context, here: readonly Route[]): Response {
  const methods = new Set(here.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])));
  const allow = [...methods, "OPTIONS"].join(", ");
  if (context.req.method === "OPTIONS") {
    const cors = here.some(({ access }) => access === "anyKey") ? CORS : {};
    return new Response(null, { status: 204, headers: { allow, ...cors } });
  }
  const error = new UserFacingError("METHOD_NOT_ALLOWED", `${context.req.method} is not possible here, only ${allow}.`);
  return jsonResponse(error.status, error, { allow });
}

const PAUSES: Readonly<Record<number, Record<string, string>>> = { 503: { "retry-after": "5" }, 429: { "retry-after": "60" } };

function errorResponse(error: Error, context: Context, rooms: Rooms): Response {
  if (!(error instanceof UserFacingError)) {
    rooms.world.log.error("a request failed unexpectedly", { method: context.req.method, path: pathOf(context.req.raw), error });
  }
  const told =
    error instanceof UserFacingError
      ? error
      : new UserFacingError("INTERNAL", "Something went wrong on this server.", "Its log says what.");
  const wait = told instanceof TooOften ? told.headers : (PAUSES[told.status] ?? {});
  const publicApi = /\/api\/v[12]\/(?:runs|events)\//.test(context.req.path) && context.req.method === "GET";
  return jsonResponse(told.status, told, { ...wait, ...(publicApi ? CORS : {}) });
}
