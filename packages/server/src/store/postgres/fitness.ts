// Room: store. Whether a PostgreSQL can be used at all. Asked before tables are made, and by main for `holdfast doctor`.
// Promises: what is wrong is named with what to do about it; nothing is changed.
import { UserFacingError } from "@holdfast/protocol";
import type pg from "pg";
import { failureOf, unreachable } from "./failures.ts";

export interface DatabaseState {
  /** "15.4 (Debian 15.4-1)" */
  version: string;
  encoding: string;
  takesWrites: boolean;
  /** The user may make tables in the schema. */
  mayCreate: boolean;
  user: string;
  /** Where unqualified names go; null: nowhere. */
  schema: string | null;
}

const LEAST_VERSION = 15;

const QUESTION = `
  select
    current_setting('server_version') as version,
    current_setting('server_encoding') as encoding,
    current_setting('transaction_read_only') = 'off' as "takesWrites",
    coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
    current_user::text as "user",
    current_schema()::text as schema`;

/** Opens a connection. @throws UserFacingError DATABASE_UNREACHABLE when none can be made */
export async function reach(client: pg.Client): Promise<void> {
  await client.connect().catch((error: unknown) => {
    throw failureOf(error) === "again" ? unreachable(error) : error;
  });
}

/** @throws UserFacingError BAD_CONFIGURATION, or DATABASE_UNREACHABLE where no writes are taken, which a failover may change */
export async function requireFit(client: pg.Client): Promise<void> {
  const { rows } = await client.query<DatabaseState>(QUESTION);
  const problem = rows[0] ? unfitness(rows[0]) : null;
  if (problem) throw problem;
}

/** Why it cannot be used; null when it can. */
export function unfitness({ version, encoding, takesWrites, mayCreate, user, schema }: DatabaseState): UserFacingError | null {
  if (Number.parseInt(version, 10) < LEAST_VERSION)
    return bad(`PostgreSQL ${version} is too old.`, `Use PostgreSQL ${LEAST_VERSION} or newer.`);
  if (encoding !== "UTF8")
    return bad(
      `The database's encoding is ${encoding}, which cannot hold every text.`,
      "Make one with `create database … encoding 'UTF8' template template0`.",
    );
  if (!takesWrites)
    return new UserFacingError(
      "DATABASE_UNREACHABLE",
      "The database takes no writes: it is a standby, or default_transaction_read_only is on.",
      "Point DATABASE_URL at the primary.",
    );
  if (schema === null)
    return bad(`The search_path of the user "${user}" names no schema.`, "Set one: alter role … set search_path = public.");
  if (!mayCreate)
    return bad(
      `The user "${user}" may not make tables in the schema ${schema}.`,
      `Make it the owner of the database, or: grant create on schema ${schema} to ${user};`,
    );
  return null;
}

function bad(message: string, hint: string): UserFacingError {
  return new UserFacingError("BAD_CONFIGURATION", message, hint);
}
