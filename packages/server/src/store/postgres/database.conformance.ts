// A real embedded PostgreSQL for tests: one a test file, a fresh database a store. Called by the store's tests and by other rooms' tests that need one.
// HOLDFAST_TEST_POSTGRES is a directory with the programs of another version of it (scripts/database-lines.mjs).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { silentLogger } from "../../platform/log.ts";
import { type EmbeddedConnection, type EmbeddedPostgres, startEmbeddedPostgres } from "../../platform/postgres/embedded.ts";
import { realWorld, type World } from "../../platform/world.ts";
import { createPostgresStore, type PostgresStore } from "./postgres-store.ts";

export interface TestDatabase {
  postgres: EmbeddedPostgres;
  world: World;
  /** A new, empty database. */
  fresh(): Promise<EmbeddedConnection>;
  /** A store on a new, migrated database. */
  store(): Promise<PostgresStore & { connection: EmbeddedConnection }>;
  /** One more store on a database that has one, as a second server would be. */
  another(connection: EmbeddedConnection): PostgresStore;
  /** Closes every store, stops the database, removes its files. */
  stop(): Promise<void>;
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), "hf-store-"));
  const programs = process.env.HOLDFAST_TEST_POSTGRES;
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLogger, ...(programs ? { programs } : {}) });
  const world = realWorld({ log: { write: () => undefined } });
  const opened: PostgresStore[] = [];
  let databases = 0;
  const another = (connection: EmbeddedConnection): PostgresStore => {
    const store = createPostgresStore({ connection, world, log: silentLogger });
    opened.push(store);
    return store;
  };
  const fresh = async (): Promise<EmbeddedConnection> => {
    databases += 1;
    const database = `test_${databases}`;
    await run(postgres.connection, `create database ${database}`);
    return { ...postgres.connection, database };
  };
  return {
    postgres,
    world,
    fresh,
    another,
    store: async () => {
      const connection = await fresh();
      const store = another(connection);
      await store.migrate();
      return { ...store, connection };
    },
    stop: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await postgres.stop();
      await world.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** One statement on a connection of its own. */
export async function run<Row extends pg.QueryResultRow>(
  connection: EmbeddedConnection,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(connection);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
