// Room: http. The whole table of routes. The router, /openapi.json and the tests read it; nothing is routed that is not in it, except endpoints' own URLs.
import type { Gate } from "../access.ts";
import type { Route } from "../route.ts";
import type { Sessions } from "../sessions.ts";
import { appRoutes } from "./apps.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { connectionRoutes } from "./connections.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { endpointRoutes } from "./endpoints.ts";
import { environmentRoutes } from "./environments.ts";
import { jobRoutes } from "./jobs.ts";
import { oauthRoutes } from "./oauth.ts";
import { runRoutes } from "./runs.ts";
import { sessionRoutes } from "./session.ts";
import { systemRoutes } from "./system.ts";
import { v2AppRoutes } from "./v2-apps.ts";
import { v2ConnectionRoutes } from "./v2-connections.ts";
import { v2EventRoutes } from "./v2-events.ts";
import { v2OutsideRoutes } from "./v2-outside.ts";
import { v2RunRoutes } from "./v2-runs.ts";
import { v2ScheduleRoutes } from "./v2-schedules.ts";
import { v2SourceRoutes } from "./v2-sources.ts";
import { v2StoreRoutes } from "./v2-store.ts";
import { v2TaskRoutes } from "./v2-tasks.ts";

export function allRoutes(parts: { sessions: Sessions; gate: Gate }): readonly Route[] {
  const table: Route[] = [
    ...v2AppRoutes,
    ...v2EventRoutes,
    ...v2RunRoutes,
    ...v2OutsideRoutes,
    ...v2TaskRoutes(),
    ...v2StoreRoutes,
    ...v2SourceRoutes,
    ...v2ScheduleRoutes,
    ...sessionRoutes(parts),
    ...environmentRoutes,
    ...runRoutes,
    ...deliveryRoutes,
    ...endpointRoutes,
    ...jobRoutes,
    ...appRoutes,
    ...connectionRoutes,
    ...oauthRoutes,
    ...catalogueRoutes,
    // Last: its first part is anything.
    ...v2ConnectionRoutes,
  ];
  return [...table, ...systemRoutes(() => table)];
}
