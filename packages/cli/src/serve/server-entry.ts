// Room: serve. The server package, loaded only by the commands that run or inspect one: `runs list` must not pay for a database driver.
import type * as Server from "@holdfast/server";

export type ServerEntry = Pick<typeof Server, "startServer" | "inspectDatabase" | "openDataDir">;
export type { RunningServer, ServerConfig } from "@holdfast/server";

/** How a command gets the server package; tests pass one of their own. */
export type LoadServer = () => Promise<ServerEntry>;

export const loadServer: LoadServer = () => import("@holdfast/server");
