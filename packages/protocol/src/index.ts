// The wire between a Holdfast server and the apps, dashboards and tools that talk to it. Imports nothing of ours.

export * from "./app-stream.ts";
export * from "./connect.ts";
export * from "./errors.ts";
export * from "./filter-grammar.ts";
export * from "./ids.ts";
export * from "./json.ts";
export * from "./management.ts";
export * from "./reports.ts";
export * from "./statuses.ts";
export * from "./v2/api.ts";
export * from "./v2/connection.ts";
export * from "./v2/endpoint.ts";
export * from "./v2/event.ts";
export * from "./v2/notification.ts";
export * from "./v2/run-status.ts";
export * from "./v2/source.ts";
