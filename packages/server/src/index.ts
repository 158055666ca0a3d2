// The server's entry: what the CLI and tests import. Everything else is inside.
export type { RunningServer, ServerConfig } from "./main/config.ts";
export { openDataDir } from "./main/data-dir.ts";
export { type DatabaseFacts, inspectDatabase } from "./main/inspect.ts";
export { startServer } from "./main/start.ts";
export { VERSION } from "./main/version.ts";
