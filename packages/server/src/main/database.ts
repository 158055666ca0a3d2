// Room: main. Gets a database: the one DATABASE_URL names, or the embedded one of the data directory.
import type { Logger } from "../platform/log.ts";
import { startEmbeddedPostgres } from "../platform/postgres/embedded.ts";
import type { ServerConfig } from "./config.ts";

export interface Database {
  /** For `pg`. */
  connection: { connectionString: string } | { host: string; port: number; user: string; password: string; database: string };
  embedded: boolean;
  stop(): Promise<void>;
}

export async function openDatabase(config: Pick<ServerConfig, "dataDir" | "databaseUrl">, log: Logger): Promise<Database> {
  if (config.databaseUrl) return { connection: { connectionString: config.databaseUrl }, embedded: false, stop: async () => {} };
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  return { connection: postgres.connection, embedded: true, stop: () => postgres.stop() };
}
