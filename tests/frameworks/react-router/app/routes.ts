import { index, type RouteConfig, route } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("api/trigger", "routes/api.trigger.ts"),
  route("api/events", "routes/api.events.ts"),
] satisfies RouteConfig;
