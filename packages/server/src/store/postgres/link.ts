// Room: store. One connection to PostgreSQL that comes back by itself. Called by every part of the PostgreSQL store; each kind of hot statement has its own.
// Promises: a query answers, or fails within the timeout; a broken connection is replaced at the next query; an idle break never reaches the process.
import pg from "pg";
import type { Logger } from "../../platform/log.ts";
import type { Counters } from "./counters.ts";
import { spoilsConnection } from "./failures.ts";
import type { Prepared } from "./statements.ts";

/** Where the database is: the embedded one's socket directory as `host`, or the user's URL. */
export type Connection =
  | { connectionString: string }
  | { host: string; port?: number; user: string; password?: string; database: string };

const CONNECT_TIMEOUT_MS = 4_000;
const QUERY_TIMEOUT_MS = 20_000;
const INT8 = 20;

/** bigint columns hold milliseconds, microseconds and counts: all exact as numbers. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format): (value: string) => unknown {
    return oid === INT8 ? Number : (pg.types.getTypeParser(oid, format) as (value: string) => unknown);
  },
};

/**
 * Settings of hot connections. Statements are planned once and for as long as the connection lives, often against empty tables: without these a plan that reads
 * a whole small table would stay in use when the table is large. They are not enough, for an index can be read whole, too: how statements are written so that
 * it is not, whatever the statistics say, stands in docs/decisions/0010-plans-made-once.md; plans.test.ts holds them to it.
 * A commit is acknowledged only once it is on disk, whatever the server's default.
 */
const HOT_SETTINGS = [
  "set plan_cache_mode = force_generic_plan",
  "set enable_seqscan = off",
  "set enable_hashjoin = off",
  "set enable_mergejoin = off",
  "set enable_bitmapscan = off",
  "set jit = off",
  "set client_min_messages = warning",
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')",
].join(";");

export function clientConfig(connection: Connection, name: string): pg.ClientConfig {
  return {
    ...connection,
    types,
    application_name: `holdfast ${name}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  };
}

export interface LinkNeeds {
  connection: Connection;
  log: Logger;
  counters: Counters;
}

export interface LinkOptions {
  /** Statements run when a connection is made; default: those of hot connections. */
  settings?: string;
  /** A query without an answer after this long is given up, and its connection with it. */
  queryTimeoutMs?: number;
}

export class Link {
  #client: Promise<pg.Client> | null = null;
  #current: pg.Client | null = null;
  /** Counts warnings that a commit was not confirmed by the standby: such a commit is no acknowledgement. */
  #doubts = 0;
  #closed = false;

  constructor(
    private readonly needs: LinkNeeds,
    private readonly name: string,
    private readonly options: LinkOptions = {},
  ) {}

  /** Runs one statement, prepared under its name. Queries sent without waiting travel together, in order. */
  async query<Row extends object>(prepared: Prepared, values: unknown[] = []): Promise<Row[]> {
    const client = await this.#connected();
    return this.send<Row>(client, prepared, values);
  }

  /**
   * The connection for a transaction. The caller sends through `send` and must not share the link meanwhile.
   */
  client(): Promise<pg.Client> {
    return this.#connected();
  }

  async send<Row extends object>(client: pg.Client, prepared: Prepared, values: unknown[] = []): Promise<Row[]> {
    const doubts = this.#doubts;
    this.needs.counters.statement(prepared.name);
    try {
      const result = await client.query<Row>({ ...prepared, values });
      if (this.#doubts !== doubts) throw new Error("The commit was not confirmed by the synchronous standby.");
      return result.rows;
    } catch (error) {
      if (spoilsConnection(error)) this.drop(client);
      throw error;
    }
  }

  #connected(): Promise<pg.Client> {
    if (this.#closed) return Promise.reject(new Error("The store is closed."));
    if (!this.#client) {
      const connecting = this.#connect();
      this.#client = connecting;
      connecting.catch(() => {
        if (this.#client === connecting) this.#client = null;
      });
    }
    return this.#client;
  }

  async #connect(): Promise<pg.Client> {
    const { settings = HOT_SETTINGS, queryTimeoutMs = QUERY_TIMEOUT_MS } = this.options;
    const config = { ...clientConfig(this.needs.connection, this.name), query_timeout: queryTimeoutMs, pipeline: true };
    const client = new pg.Client(config);
    client.on("error", (error) => {
      this.needs.log.debug("a database connection broke", { link: this.name, error });
      this.drop(client);
    });
    client.on("end", () => this.drop(client));
    client.on("notice", (notice) => {
      if (/synchronous replication/.test(notice.message ?? "")) this.#doubts += 1;
    });
    await client.connect();
    await client.query(settings);
    this.#current = client;
    return client;
  }

  /** Gives a connection up; the next query makes a new one. */
  drop(client: pg.Client): void {
    if (this.#current !== client) return;
    this.#current = null;
    this.#client = null;
    client.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    this.#current = null;
    await client?.end().catch(() => undefined);
  }
}
