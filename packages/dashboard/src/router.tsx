// The map of the dashboard: every address, what its search parameters may be, and which chunk draws it. Called by main.tsx.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, retainSearchParams } from "@tanstack/react-router";
import { NoPage, Root } from "./chrome/Root.tsx";
import { Failed, Loading } from "./parts/layout.tsx";

type Raw = Record<string, unknown>;

/** A search parameter as text; numbers count, since `?q=42` parses as one. Anything else is dropped. */
const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;

/** Keeps the named parameters that are present: the URL is the state, and hand-written URLs may hold anything. */
function only<Name extends string>(raw: Raw, ...names: Name[]): { [Key in Name]?: string } {
  const out: { [Key in Name]?: string } = {};
  for (const name of names) {
    const value = text(raw[name]);
    if (value !== undefined) out[name] = value;
  }
  return out;
}

const root = createRootRoute({
  validateSearch: (raw: Raw) => only(raw, "env"),
  search: { middlewares: [retainSearchParams(["env"])] },
  component: Root,
  notFoundComponent: NoPage,
});
const under = () => root;

const home = createRoute({
  getParentRoute: under,
  path: "/",
  component: lazyRouteComponent(() => import("./home/HomePage.tsx"), "HomePage"),
});
const login = createRoute({
  getParentRoute: under,
  path: "/login",
  validateSearch: (raw: Raw) => only(raw, "next"),
  component: lazyRouteComponent(() => import("./login/LoginPage.tsx"), "LoginPage"),
});
const runs = createRoute({
  getParentRoute: under,
  path: "/runs",
  validateSearch: (raw: Raw) => only(raw, "status", "job", "since", "after", "before", "q"),
  component: lazyRouteComponent(() => import("./runs/RunsPage.tsx"), "RunsPage"),
});
const run = createRoute({
  getParentRoute: under,
  path: "/runs/$id",
  validateSearch: (raw: Raw) => only(raw, "tab", "task"),
  component: lazyRouteComponent(() => import("./runs/RunPage.tsx"), "RunPage"),
});
const deliveries = createRoute({
  getParentRoute: under,
  path: "/deliveries",
  validateSearch: (raw: Raw) => only(raw, "endpoint", "verdict"),
  component: lazyRouteComponent(() => import("./deliveries/DeliveriesPage.tsx"), "DeliveriesPage"),
});
const delivery = createRoute({
  getParentRoute: under,
  path: "/deliveries/$id",
  component: lazyRouteComponent(() => import("./deliveries/DeliveryPage.tsx"), "DeliveryPage"),
});
const endpoints = createRoute({
  getParentRoute: under,
  path: "/endpoints",
  component: lazyRouteComponent(() => import("./endpoints/EndpointsPage.tsx"), "EndpointsPage"),
});
const endpoint = createRoute({
  getParentRoute: under,
  path: "/endpoints/$id",
  component: lazyRouteComponent(() => import("./endpoints/EndpointPage.tsx"), "EndpointPage"),
});
const jobs = createRoute({
  getParentRoute: under,
  path: "/jobs",
  component: lazyRouteComponent(() => import("./jobs/JobsPage.tsx"), "JobsPage"),
});
const job = createRoute({
  getParentRoute: under,
  path: "/jobs/$id",
  validateSearch: (raw: Raw) => only(raw, "tab"),
  component: lazyRouteComponent(() => import("./jobs/JobPage.tsx"), "JobPage"),
});
const integrations = createRoute({
  getParentRoute: under,
  path: "/integrations",
  component: lazyRouteComponent(() => import("./integrations/IntegrationsPage.tsx"), "IntegrationsPage"),
});
const environments = createRoute({
  getParentRoute: under,
  path: "/environments",
  component: lazyRouteComponent(() => import("./environments/EnvironmentsPage.tsx"), "EnvironmentsPage"),
});
const catalogue = createRoute({
  getParentRoute: under,
  path: "/catalogue",
  component: lazyRouteComponent(() => import("./catalogue/CataloguePage.tsx"), "CataloguePage"),
});
const entry = createRoute({
  getParentRoute: under,
  path: "/catalogue/$id",
  component: lazyRouteComponent(() => import("./catalogue/EntryPage.tsx"), "EntryPage"),
});

const routeTree = root.addChildren([
  home,
  login,
  runs,
  run,
  deliveries,
  delivery,
  endpoints,
  endpoint,
  jobs,
  job,
  integrations,
  environments,
  catalogue,
  entry,
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  scrollRestoration: false,
  defaultPendingComponent: () => <Loading what="page" />,
  defaultErrorComponent: ({ error }) => <Failed error={error instanceof Error ? error : new Error(String(error))} what="page" />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
