// Every decision, no effects. The server asks these functions what must happen and then does it; nothing here reads a clock or does I/O.
export * from "./advance.ts";
export * from "./door.ts";
export * from "./filter.ts";
export * from "./flow.ts";
export * from "./pace.ts";
export * from "./request-filter.ts";
export * from "./retry.ts";
export * from "./run.ts";
export * from "./status.ts";
export * from "./task.ts";
