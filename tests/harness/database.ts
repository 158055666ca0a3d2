// Tests: a PostgreSQL of the test's own for DATABASE_URL, run by this process until `cleanUp`: the same binaries as the embedded one, reached over loopback TCP.

import type { Logger } from "../../packages/server/src/platform/log.ts";
import { startEmbeddedPostgres } from "../../packages/server/src/platform/postgres/embedded.ts";
import { freshDirectory, stopAtCleanUp } from "./processes.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

export async function startDatabase(): Promise<{ url: string }> {
  const postgres = await startEmbeddedPostgres({ dataDir: freshDirectory(), log: silent, tcp: true });
  stopAtCleanUp(() => postgres.stop());
  const { user, password, host, port, database } = postgres.connection;
  return { url: `postgres://${user}:${password}@${host}:${port}/${database}` };
}
