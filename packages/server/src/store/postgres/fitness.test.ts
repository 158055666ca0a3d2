// Databases that cannot be used: each is named with what to do, before a table is made, and never as a bug of ours.
import { UserFacingError } from "@holdfast/protocol";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectDatabase } from "../../main/inspect.ts";
import type { EmbeddedConnection } from "../../platform/postgres/embedded.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import { reach, unfitness } from "./fitness.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
  await run(database.postgres.connection, "create role limited login password 'pw'");
});
afterAll(() => database?.stop());

async function made(options: string, after = ""): Promise<EmbeddedConnection> {
  const { postgres } = database;
  const name = `odd_${options.replace(/\W/g, "").slice(0, 20)}${after.length}`.toLowerCase();
  await run(postgres.connection, `create database ${name} ${options}`);
  if (after) await run(postgres.connection, after.replace("$name", name));
  return { ...postgres.connection, database: name };
}
function urlOf({ user, password, host, port, database: name }: EmbeddedConnection): string {
  return `postgres://${user}:${password}@/${name}?host=${encodeURIComponent(host)}&port=${port}`;
}
/** What a start says, and what `holdfast doctor` says: the same. */
async function refusal(connection: EmbeddedConnection): Promise<UserFacingError> {
  const started = await database
    .another(connection)
    .migrate()
    .then(String, (error: unknown) => error);
  const looked = await inspectDatabase({ dataDir: "unused", databaseUrl: urlOf(connection) }).then(
    String,
    (error: unknown) => error,
  );
  expect(started).toBeInstanceOf(UserFacingError);
  expect(looked).toEqual(started);
  return started as UserFacingError;
}

describe("a database that cannot be used", () => {
  it("whose user may not make tables", async () => {
    const connection = { ...(await database.fresh()), user: "limited", password: "pw" };
    const { code, message, hint } = await refusal(connection);
    expect([code, message]).toEqual(["BAD_CONFIGURATION", expect.stringContaining('"limited"')]);
    expect(hint).toContain("grant create on schema public to limited");
  });

  it("in another encoding than UTF-8", async () => {
    const { code, message, hint } = await refusal(await made("encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"));
    expect([code, message, hint]).toEqual([
      "BAD_CONFIGURATION",
      expect.stringContaining("LATIN1"),
      expect.stringContaining("UTF8"),
    ]);
  });

  it("that takes no writes, as a standby", async () => {
    const { code, message, hint } = await refusal(
      await made("template template0", "alter database $name set default_transaction_read_only = on"),
    );
    expect([code, message, hint]).toEqual([
      "DATABASE_UNREACHABLE",
      expect.stringContaining("takes no writes"),
      expect.stringContaining("primary"),
    ]);
  });

  it("that refuses the user, the password or the name", async () => {
    const fresh = await database.fresh();
    for (const wrong of [{ user: "nobody" }, { password: "wrong" }, { database: "nowhere" }]) {
      const { code, message, hint } = await refusal({ ...fresh, ...wrong });
      expect([code, message, hint]).toEqual([
        "DATABASE_UNREACHABLE",
        expect.stringMatching(/^The database refused the connection: .*(nobody|password|nowhere)/),
        expect.stringContaining("DATABASE_URL"),
      ]);
    }
  });

  it.each([
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "CERT_HAS_EXPIRED",
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ])("whose certificate this machine does not trust: %s", async (code) => {
    const client = { connect: () => Promise.reject(Object.assign(new Error("self-signed certificate"), { code })) };
    await expect(reach(client as unknown as pg.Client)).rejects.toMatchObject({
      code: "DATABASE_UNREACHABLE",
      message: expect.stringContaining("self-signed certificate"),
      hint: expect.stringMatching(/NODE_EXTRA_CA_CERTS.*sslmode=no-verify/),
    });
  });

  it("that is too old", () => {
    const fit = { version: "15.0", encoding: "UTF8", takesWrites: true, mayCreate: true, user: "u", schema: "public" };
    expect(unfitness(fit)).toBeNull();
    expect(unfitness({ ...fit, version: "14.11 (Debian)" })).toMatchObject({
      code: "BAD_CONFIGURATION",
      message: expect.stringContaining("14.11"),
      hint: expect.stringContaining("15"),
    });
    expect(unfitness({ ...fit, schema: null, mayCreate: false })).toMatchObject({ hint: expect.stringContaining("search_path") });
  });
});
