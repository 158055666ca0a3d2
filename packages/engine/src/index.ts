// Every decision, no effects.
export * from "./run.ts";
