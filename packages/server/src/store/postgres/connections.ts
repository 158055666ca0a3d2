// Room: store. Connections, the OAuth apps they are made with, and runs that wait for them; each call one statement. Called through Store.connections.
import type { World } from "../../platform/world.ts";
import type { AuthorizationRow, ConnectionOwner, ConnectionRow, ConnectionStore, OAuthClientRow } from "../connection-rows.ts";
import { storableRow, storableText } from "../storable.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import type { DbRow } from "./rows.ts";
import { statement } from "./statements.ts";

const PATIENCE_MS = 10_000;

export class PostgresConnections implements ConnectionStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  #rows(name: string, values: unknown[]): Promise<DbRow[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query<DbRow>(statement(name), values));
  }

  async client(environmentId: string, integrationId: string): Promise<OAuthClientRow | null> {
    const [row] = await this.#rows("oauth-clients", [environmentId, storableText(integrationId)]);
    return row ? fieldsOf<OAuthClientRow>(row) : null;
  }

  async clients(environmentId: string): Promise<OAuthClientRow[]> {
    return (await this.#rows("oauth-clients", [environmentId, null])).map(fieldsOf<OAuthClientRow>);
  }

  async saveClient(row: OAuthClientRow): Promise<void> {
    await this.#rows("save-oauth-client", [columnsOf(row)]);
  }

  async dropClient(environmentId: string, integrationId: string): Promise<void> {
    await this.#rows("drop-oauth-client", [environmentId, storableText(integrationId)]);
  }

  async get(owner: ConnectionOwner): Promise<ConnectionRow | null> {
    const [row] = await this.#rows("connection", keyOf(owner));
    return row ? ownedOf<ConnectionRow>(row) : null;
  }

  async byId(environmentId: string, id: string): Promise<ConnectionRow | null> {
    const [row] = await this.#rows("connection-by-id", [environmentId, storableText(id)]);
    return row ? ownedOf<ConnectionRow>(row) : null;
  }

  async list(
    environmentId: string,
    { after, limit }: { after: ConnectionOwner | null; limit: number },
  ): Promise<ConnectionRow[]> {
    const [, integrationId = "", accountId = ""] = after ? keyOf(after) : [];
    return (await this.#rows("connections", [environmentId, integrationId, accountId, limit])).map(ownedOf<ConnectionRow>);
  }

  async save(row: ConnectionRow, former: Pick<ConnectionRow, "revision"> | null): Promise<boolean> {
    return (await this.#rows("save-connection", [columnsOf(row), former?.revision ?? null])).length > 0;
  }

  async dueForRefresh(now: number, limit: number): Promise<ConnectionRow[]> {
    return (await this.#rows("connections-due", [now, limit])).map(ownedOf<ConnectionRow>);
  }

  async dueForEnding(now: number, limit: number): Promise<ConnectionRow[]> {
    return (await this.#rows("connections-ending", [now, limit])).map(ownedOf<ConnectionRow>);
  }

  async addAuthorization(row: AuthorizationRow): Promise<void> {
    await this.#rows("add-authorization", [columnsOf(row)]);
  }

  async takeAuthorization(stateHash: string): Promise<AuthorizationRow | null> {
    const [row] = await this.#rows("take-authorization", [stateHash]);
    return row ? ownedOf<AuthorizationRow>(row) : null;
  }

  async forgetAuthorizations(before: number): Promise<void> {
    await this.#rows("forget-authorizations", [before]);
  }

  async addWait(owner: ConnectionOwner, runId: string, at: number): Promise<void> {
    await this.#rows("add-connection-wait", [...keyOf(owner), runId, at]);
  }

  async waits(owner: ConnectionOwner, after: string, limit: number): Promise<string[]> {
    return (await this.#rows("connection-waits", [...keyOf(owner), after, limit])).map((row) => row.run_id as string);
  }

  async dropWaits(owner: ConnectionOwner, runIds: string[]): Promise<void> {
    await this.#rows("drop-connection-waits", [...keyOf(owner), runIds]);
  }

  async waitCounts(environmentId: string): Promise<(ConnectionOwner & { runs: number })[]> {
    const rows = await this.#rows("connection-wait-counts", [environmentId]);
    return rows.map((row) => ({ ...ownedOf<ConnectionOwner & { runs: number }>(row), environmentId }));
  }

  async unwoken(limit: number): Promise<ConnectionRow[]> {
    return (await this.#rows("connections-unwoken", [limit])).map(ownedOf<ConnectionRow>);
  }

  async forgetWaits(before: number): Promise<void> {
    await this.#rows("forget-connection-waits", [before]);
  }
}

/** A null account is '' in the tables, so that it can be part of a key. */
function keyOf({ environmentId, integrationId, accountId }: ConnectionOwner): [string, string, string] {
  return [environmentId, storableText(integrationId), storableText(accountId ?? "")];
}

/** {secretSealed} → {"secret_sealed"}, as JSON. */
function columnsOf(row: object): string {
  const entries = Object.entries(storableRow(row)).map(([field, value]) => [
    field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    field === "accountId" ? (value ?? "") : value,
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}

function fieldsOf<T>(row: DbRow): T {
  const entries = Object.entries(row).map(([column, value]) => [
    column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries) as T;
}

function ownedOf<T extends { accountId: string | null }>(row: DbRow): T {
  const fields = fieldsOf<T>(row);
  return { ...fields, accountId: fields.accountId === "" ? null : fields.accountId };
}
