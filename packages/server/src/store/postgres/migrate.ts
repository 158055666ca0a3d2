// Room: store. Brings the database's tables up to this version: numbered SQL files, each once, in order, never backwards. Called by main before anything else.
// Promises: any number of servers may start at once (advisory lock); a file that was applied and then edited is refused; a newer database is refused.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { UserFacingError } from "@holdfast/protocol";
import pg from "pg";
import { reach } from "./fitness.ts";
import { type Connection, clientConfig } from "./link.ts";

interface Migration {
  name: string;
  text: string;
  checksum: string;
}

const FOLDER = new URL("./migrations/", import.meta.url);
/** Names this lock among all advisory locks of the database. */
export const LOCK = 4_820_319_467;

export function migrations(): Migration[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".sql"));
  return files.sort().map((file) => {
    const text = readFileSync(new URL(file, FOLDER), "utf8");
    return { name: file.replace(/\.sql$/, ""), text, checksum: createHash("sha256").update(text).digest("hex") };
  });
}

/**
 * Runs `work` on a connection of its own while holding the lock that makes servers take turns at changing tables.
 *
 * @throws UserFacingError DATABASE_UNREACHABLE when no connection can be made
 */
export async function alone<T>(connection: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...clientConfig(connection, "tables"), query_timeout: 600_000 });
  client.on("error", () => undefined);
  await reach(client);
  try {
    await client.query("set client_min_messages = warning");
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Applies what is missing.
 *
 * @param now epoch milliseconds, noted beside each file
 * @throws UserFacingError CONFLICT when the database does not fit this version
 */
export async function migrate(client: pg.Client, now: number, files = migrations()): Promise<void> {
  await client.query(
    "create table if not exists migrations (name text primary key, checksum text not null, applied_at bigint not null)",
  );
  const applied = await client.query<Migration>("select name, checksum from migrations order by name");
  check(applied.rows, files);
  for (const { name, text, checksum } of files.slice(applied.rows.length)) {
    await client.query("begin");
    try {
      await client.query(text);
      await client.query("insert into migrations (name, checksum, applied_at) values ($1, $2, $3)", [name, checksum, now]);
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      throw error;
    }
  }
}

function check(applied: Pick<Migration, "name" | "checksum">[], files: Migration[]): void {
  for (const [i, { name, checksum }] of applied.entries()) {
    const file = files[i];
    if (!file || file.name !== name) {
      const message = `The database has the migration ${name}, which this version of Holdfast does not know.`;
      throw new UserFacingError("CONFLICT", message, "Start a version at least as new as the one that used this database last.");
    }
    if (file.checksum !== checksum) {
      const message = `The migration ${name} was applied with another content than this version has.`;
      throw new UserFacingError("CONFLICT", message, "Install the published version again; migrations are never edited.");
    }
  }
}
