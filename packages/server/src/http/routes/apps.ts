// Room: http. Apps: how each is reached, and asking one for its jobs again.
import type { AppInfo } from "@holdfast/protocol";
import type { AppRow } from "../../store/store.ts";
import { type Call, orThrow } from "../call.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";

const common = { tag: "management", access: "environment" } as const;

async function infoOf(call: Call, app: AppRow): Promise<AppInfo> {
  const jobs = app.index?.jobs.filter(({ internal }) => !internal).length ?? 0;
  return {
    id: app.id,
    slug: app.slug,
    transport: app.transport,
    url: app.url,
    sdk: app.sdk,
    reachable: (await call.rooms.apps.reachableByAny(app)) && (app.transport === "connect" || app.lastError === null),
    lastError: app.lastError,
    indexedAt: app.indexedAt === null ? null : new Date(app.indexedAt).toISOString(),
    jobs,
    endpoints: app.index?.httpEndpoints?.length ?? 0,
    indexHook: indexHookOf(call, app),
  };
}

function indexHookOf(call: Call, app: AppRow): string | null {
  const hook = call.rooms.reindexing.hookOf(app);
  return hook && `/api/v1/endpoints/${call.environment.slug}/${encodeURIComponent(app.slug)}/index/${hook}`;
}

export const appRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/apps`,
    name: "listApps",
    summary: "Apps and whether they can be reached",
    handle: async (call) => {
      const apps = call.rooms.registry.apps(call.environment.id);
      return call.json(await Promise.all(apps.map((app) => infoOf(call, app))));
    },
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/apps/:id/refresh`,
    name: "refreshApp",
    summary: "Ask an app for its jobs again",
    handle: async (call) => {
      const id = call.param("id");
      const own = call.rooms.registry.apps(call.environment.id).find((app) => app.id === id || app.slug === id);
      const app = orThrow(own, "NOT_FOUND", `There is no app "${id}" in this environment.`);
      return call.json(await infoOf(call, await call.rooms.registration.refresh(app.id)));
    },
  }),
];
