// Room: http. The v2 routes the CLI calls: who am I, register my app, was it indexed (wire §2.12).
import { registerEndpointBodySchema, UserFacingError } from "@holdfast/protocol";
import type { AppRow, EnvironmentRow } from "../../store/store.ts";
import { ORGANIZATION, PROJECT } from "../../views/tenant.ts";
import { type Call, orThrow } from "../call.ts";
import { type Route, route } from "../route.ts";

/** The index of an app is known by the app's id: it is made at once, so there is never more than one. */
function indexOf(app: AppRow): object {
  const updatedAt = new Date(app.indexedAt ?? 0).toISOString();
  if (app.lastError !== null) return { status: "FAILURE", error: { message: app.lastError }, updatedAt };
  if (!app.index) return { status: "PENDING", updatedAt };
  const { jobs, sources, dynamicTriggers, dynamicSchedules, webhooks = [], httpEndpoints = [] } = app.index;
  const stats = {
    jobs: jobs.length,
    sources: sources.length,
    dynamicTriggers: dynamicTriggers.length,
    dynamicSchedules: dynamicSchedules.length,
    webhooks: webhooks.length,
    disabledJobs: jobs.filter(({ enabled }) => !enabled).length,
    httpEndpoints: httpEndpoints.length,
  };
  return { status: "SUCCESS", stats, updatedAt };
}

function recordOf(call: Call, app: AppRow): object {
  const at = new Date(app.indexedAt ?? 0).toISOString();
  const { id, slug, url, environmentId } = app;
  const indexingHookIdentifier = call.rooms.reindexing.hookOf(app);
  return { id, slug, url, environmentId, indexingHookIdentifier, createdAt: at, updatedAt: at, endpointIndex: { id } };
}

function whoAmI(environment: EnvironmentRow): object {
  const at = new Date(environment.createdAt).toISOString();
  const { id, slug, type, publicKey } = environment;
  const project = { ...PROJECT, createdAt: at, updatedAt: at };
  const organization = { ...ORGANIZATION, createdAt: at, updatedAt: at };
  return { id, slug, type, createdAt: at, updatedAt: at, pkApiKey: publicKey, project, organization };
}

function ownApp(call: Call, idOrSlug: string): AppRow {
  const found = call.rooms.registry.apps(call.environment.id).find(({ id, slug }) => id === idOrSlug || slug === idOrSlug);
  return orThrow(found, "NOT_FOUND", `There is no app "${idOrSlug}" in this environment.`);
}

/** Whoever knows the address may call it: a platform's deployment hook, or curl. What it says is not read. */
function indexHook(call: Call): Response {
  const environment = orThrow(call.rooms.registry.environment(call.param("environment")), "NOT_FOUND", NO_HOOK);
  if (!call.rooms.reindexing.called(environment, call.param("app"), call.param("hook")))
    throw new UserFacingError("NOT_FOUND", NO_HOOK, "Copy the address anew: it changes with the environment's secret key.");
  return call.json({ ok: true });
}
const NO_HOOK = "There is no such hook.";

const hookRoute = (method: "GET" | "POST"): Route =>
  route({
    method,
    path: "/api/v1/endpoints/:environment/:app/index/:hook",
    name: method === "GET" ? "indexAppByHookGet" : "indexAppByHook",
    summary: "Ask an app for its jobs again in five seconds; for a platform that has deployed it. The address is the secret",
    tag: "v2",
    access: "open",
    handle: indexHook,
  });

export const v2AppRoutes: Route[] = [
  hookRoute("GET"),
  hookRoute("POST"),
  route({
    method: "GET",
    path: "/api/v1/whoami",
    name: "whoami",
    summary: "The environment of the key shown",
    tag: "v2",
    access: "secretKey",
    handle: (call) => call.json(whoAmI(call.environment)),
  }),
  route({
    method: "POST",
    path: "/api/v1/endpoints",
    name: "registerApp",
    summary: "Register an app by the URL of its handler: it is pinged and asked for its jobs",
    tag: "v2",
    access: "secretKey",
    body: registerEndpointBodySchema,
    handle: async (call, target) =>
      call.json(recordOf(call, await call.rooms.registration.register(call.environment.id, target))),
  }),
  route({
    method: "GET",
    path: "/api/v1/endpointindex/:id",
    name: "getAppIndex",
    summary: "How the last index of an app went",
    tag: "v2",
    access: "secretKey",
    handle: (call) => call.json(indexOf(ownApp(call, call.param("id")))),
  }),
  route({
    method: "POST",
    path: "/api/v1/endpoints/:id/index",
    name: "indexApp",
    summary: "Ask an app for its jobs again",
    tag: "v2",
    access: "secretKey",
    handle: async (call) => {
      const app = await call.rooms.registration.refresh(ownApp(call, call.param("id")).id);
      return call.json({ id: app.id, endpointId: app.id, source: "API", ...indexOf(app) });
    },
  }),
];
