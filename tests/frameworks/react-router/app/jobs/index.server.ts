// The client with all its jobs.

export { client } from "../trigger.server";
export * from "./terms.server";
