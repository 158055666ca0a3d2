// Bench of peers: a PostgreSQL for a peer: the same program with the same settings as the one a Holdfast server starts for itself, reached by unix socket
// as there. Also asks any PostgreSQL what it has written.
import pg from "pg";
import type { Logger } from "../../packages/server/src/platform/log.ts";
import { startEmbeddedPostgres } from "../../packages/server/src/platform/postgres/embedded.ts";
import { freshDirectory } from "../../tests/harness/processes.ts";
import type { Written } from "./peer.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

export interface PeerDatabase {
  url: string;
  connection: pg.ClientConfig;
  directory: string;
  /** Connected, for looking in from the side. */
  client: pg.Client;
  pid: number;
  stop(): Promise<void>;
}

export async function startPeerDatabase(): Promise<PeerDatabase> {
  const directory = freshDirectory();
  const postgres = await startEmbeddedPostgres({ dataDir: directory, log: silent });
  const { user, password, host, port, database } = postgres.connection;
  const client = new pg.Client(postgres.connection);
  await client.connect();
  const stop = async () => {
    await client.end();
    await postgres.stop();
  };
  // Some libraries want a host name in the address; the one that counts is the parameter.
  const address = host.startsWith("/") ? `localhost:${port}` : `${host}:${port}`;
  const socket = host.startsWith("/") ? `?host=${encodeURIComponent(host)}` : "";
  const url = `postgresql://${user}:${password}@${address}/${database}${socket}`;
  return { url, connection: postgres.connection, directory, client, pid: postgres.pid, stop };
}

/** Bytes of its log and of its tables. */
export async function writtenBy(client: pg.Client): Promise<Written> {
  const text = `select (pg_current_wal_insert_lsn() - '0/0')::float8 as "walBytes",
    pg_database_size(current_database())::float8 as "storedBytes"`;
  const { rows } = await client.query<Written>(text);
  return rows[0] ?? {};
}

/** A count that a query answers as `n`. */
export async function counted(client: pg.Client, text: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(text);
  return Number(rows[0]?.n ?? Number.NaN);
}

/** Asks without pause until the query finds a row. */
export async function found(client: pg.Client, query: { name: string; text: string; values: string[] }): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(query);
    if (rowCount) return;
  }
}
