// Room: main. Looks at the database a server would use, without starting one. Called by `holdfast doctor`.
import pg from "pg";
import { createLogger } from "../platform/log.ts";
import { reach, requireFit } from "../store/postgres/fitness.ts";
import type { ServerConfig } from "./config.ts";
import { openDataDir } from "./data-dir.ts";
import { openDatabase } from "./database.ts";

export interface DatabaseFacts {
  /** "18.4" */
  version: string;
  embedded: boolean;
  /** "on" or "off", as PostgreSQL says. */
  fsync: string;
  synchronousCommit: string;
}

const CONNECT_WITHIN_MS = 5_000;

/**
 * Starts the embedded database (or reaches the one of `databaseUrl`), asks it about itself, and stops it again.
 *
 * @throws UserFacingError when the embedded one cannot start, the data directory is in use, or a URL's cannot be reached or used
 * @example await inspectDatabase({ dataDir: ".holdfast" }) // { version: "18.4", embedded: true, fsync: "on", synchronousCommit: "on" }
 */
export async function inspectDatabase(config: Pick<ServerConfig, "dataDir" | "databaseUrl">): Promise<DatabaseFacts> {
  if (!config.databaseUrl) openDataDir(config.dataDir);
  const database = await openDatabase(config, createLogger({ level: "error" }));
  try {
    const client = new pg.Client({ ...database.connection, connectionTimeoutMillis: CONNECT_WITHIN_MS });
    client.on("error", () => undefined);
    await reach(client);
    try {
      await requireFit(client);
      const { rows } = await client.query<{ version: string; fsync: string; synchronous_commit: string }>(
        "select current_setting('server_version') as version, current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit",
      );
      const [row] = rows;
      if (!row) throw new Error("PostgreSQL answered nothing.");
      return { version: row.version, embedded: database.embedded, fsync: row.fsync, synchronousCommit: row.synchronous_commit };
    } finally {
      await client.end();
    }
  } finally {
    await database.stop();
  }
}
