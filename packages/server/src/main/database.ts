// Room: main. Gets a database: the one DATABASE_URL names, or the embedded one of the data directory.
import { UserFacingError } from "@holdfast/protocol";
import pg from "pg";
import type { Logger } from "../platform/log.ts";
import { startEmbeddedPostgres } from "../platform/postgres/embedded.ts";
import type { ServerConfig } from "./config.ts";

export interface Database {
  /** For `pg`. */
  connection: { connectionString: string } | { host: string; port: number; user: string; password: string; database: string };
  embedded: boolean;
  stop(): Promise<void>;
}

/** @throws UserFacingError BAD_CONFIGURATION for an address that is none of a PostgreSQL; whether it answers is seen when it is used */
export async function openDatabase(config: Pick<ServerConfig, "dataDir" | "databaseUrl">, log: Logger): Promise<Database> {
  if (config.databaseUrl) {
    return { connection: { connectionString: checked(config.databaseUrl) }, embedded: false, stop: async () => {} };
  }
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  return { connection: postgres.connection, embedded: true, stop: () => postgres.stop() };
}

/** The driver would take any text for the name of a host. The address is not repeated: it holds a password. */
function checked(url: string): string {
  if (/^(postgres(ql)?:\/\/|socket:|\/)/.test(url) && isRead(url)) return url;
  throw new UserFacingError(
    "BAD_CONFIGURATION",
    "The database URL is not the address of a PostgreSQL.",
    "It looks like postgres://user:password@host:5432/database; special characters in the password are percent-encoded.",
  );
}

function isRead(connectionString: string): boolean {
  try {
    return new pg.Client({ connectionString }).database !== "";
  } catch {
    return false;
  }
}
