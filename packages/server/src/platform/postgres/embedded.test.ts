import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../log.ts";
import { type AccountKind, canRun, chooseAccount } from "./account.ts";
import { type EmbeddedConnection, type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
import { birthOf, processesIn, signal } from "./processes.ts";

const PROGRAM = fileURLToPath(new URL("./embedded-program.test.mjs", import.meta.url));
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function dataDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "hf-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function start(dataDir: string, options: { account?: AccountKind; tcp?: boolean } = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLogger, ...options });
  cleanups.push(() => postgres.stop());
  return postgres;
}

async function query<Row extends pg.QueryResultRow>(connection: EmbeddedConnection, sql: string): Promise<Row[]> {
  const client = new pg.Client(connection);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function until<T>(what: string, probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await Promise.resolve(probe()).catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Waited 20 s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Started {
  child: ChildProcess;
  pid: number;
  adopted: boolean;
  connection: EmbeddedConnection;
}

async function startProgram(dataDir: string, options: { uid?: number; gid?: number; once?: boolean } = {}): Promise<Started> {
  const { once: stopsItself, ...ids } = options;
  const args = [PROGRAM, dataDir, ...(stopsItself ? ["once"] : [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], ...ids });
  cleanups.push(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), once(child, "exit").then(() => [""])])) as string[];
  if (!line) throw new Error("The program ended before its database was up.");
  return { child, ...JSON.parse(line) };
}

const postgresIn = (dataDir: string): number[] => processesIn(join(dataDir, "postgres", "data"));
const kinds = isRoot && canRun(chooseAccount("nobody"), "/bin/sh", ["-c", ":"]) ? (["nobody", undefined] as const) : [undefined];

describe.each(kinds)("an embedded PostgreSQL, account %s", (kind) => {
  const options = kind ? { account: kind } : {};

  it("is durable by configuration, keeps its data, and leaves no process and no socket behind", async () => {
    const dataDir = dataDirectory();
    const first = await start(dataDir, options);
    const settings = "fsync full_page_writes synchronous_commit data_checksums listen_addresses server_encoding TimeZone".split(
      " ",
    );
    const rows = await query<{ name: string; setting: string }>(
      first.connection,
      `select name, setting from pg_settings where name = any('{${settings}}') order by name`,
    );
    expect(Object.fromEntries(rows.map((row) => [row.name, row.setting]))).toEqual({
      ...{ fsync: "on", full_page_writes: "on", synchronous_commit: "on", data_checksums: "on" },
      ...{ listen_addresses: "", server_encoding: "UTF8", TimeZone: "UTC" },
    });
    expect(await query(first.connection, "select datcollate from pg_database where datname = 'postgres'")).toEqual([
      { datcollate: "C" },
    ]);
    await query(first.connection, "create table kept as select 42 as answer");
    expect(postgresIn(dataDir)).toContain(first.pid);
    await first.stop();
    expect(postgresIn(dataDir)).toEqual([]);
    expect(existsSync(first.connection.host)).toBe(false);
    expect(existsSync(join(dataDir, "postgres", "lock"))).toBe(false);
    const second = await start(dataDir, options);
    expect(await query(second.connection, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("comes back at the same address with its data after the postmaster is killed", async () => {
    const dataDir = dataDirectory();
    const postgres = await start(dataDir, options);
    const deaths: string[] = [];
    postgres.onExit((how) => deaths.push(how));
    await query(postgres.connection, "create table kept as select 42 as answer");
    for (let round = 1; round <= 3; round++) {
      const { pid } = postgres;
      signal(pid, "SIGKILL");
      await until("a new postmaster is there", () => postgres.pid !== pid);
      expect(await until("it answers", () => query(postgres.connection, "select answer from kept"))).toEqual([{ answer: 42 }]);
      expect(deaths).toHaveLength(round);
    }
    await postgres.stop();
    expect(postgresIn(dataDir)).toEqual([]);
  });

  it("waits for a busy child of a killed postmaster to let go of the memory", async () => {
    const dataDir = dataDirectory();
    const postgres = await start(dataDir, options);
    const busy = query(postgres.connection, "select count(*) from generate_series(1, 1e12::bigint)").catch(() => "cut");
    const backend = await until("the query runs", async () => {
      const rows = await query<{ pid: number }>(
        postgres.connection,
        "select pid from pg_stat_activity where query like '%1e12%' and pid <> pg_backend_pid()",
      );
      return rows[0]?.pid;
    });
    const { pid } = postgres;
    signal(pid, "SIGKILL");
    expect(birthOf(backend)).toBeDefined();
    await until("a new postmaster is there", () => postgres.pid !== pid);
    expect(birthOf(backend)).toBeUndefined();
    expect(await busy).toBe("cut");
  });
});

describe("an embedded PostgreSQL", () => {
  it("is taken over, data and all, when the server that started it was killed", async () => {
    const dataDir = dataDirectory();
    const first = await startProgram(dataDir);
    await query(first.connection, "create table kept as select 42 as answer");
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = await start(dataDir);
    expect(second).toMatchObject({ adopted: true, pid: first.pid, connection: first.connection });
    expect(await query(second.connection, "select answer from kept")).toEqual([{ answer: 42 }]);
    signal(second.pid, "SIGKILL");
    await until("a new postmaster is there", () => second.pid !== first.pid);
    expect(await until("it answers", () => query(second.connection, "select answer from kept"))).toEqual([{ answer: 42 }]);
    await second.stop();
    expect(postgresIn(dataDir)).toEqual([]);
  });

  it.runIf(isRoot)("runs for an ordinary user, and stops on SIGTERM without leaving a process", async () => {
    const dataDir = dataDirectory();
    chownSync(dataDir, NOBODY, NOBODY);
    const program = await startProgram(dataDir, { uid: NOBODY, gid: NOBODY });
    expect(await query(program.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    program.child.kill("SIGTERM");
    expect(await once(program.child, "exit")).toEqual([0, null]);
    expect(postgresIn(dataDir)).toEqual([]);
  });

  it("carries a stop through when nothing else keeps Node running, its own server and a taken-over one alike", async () => {
    const dataDir = dataDirectory();
    const left = await startProgram(dataDir);
    left.child.kill("SIGKILL");
    await once(left.child, "exit");
    for (const adopted of [true, false]) {
      const program = await startProgram(dataDir, { once: true });
      expect(program.adopted).toBe(adopted);
      expect(await once(program.child, "exit")).toEqual([0, null]);
      expect(postgresIn(dataDir)).toEqual([]);
      expect(existsSync(join(dataDir, "postgres", "lock"))).toBe(false);
    }
  });

  it("refuses a second server on the same directory, and names the first", async () => {
    const dataDir = dataDirectory();
    const first = await startProgram(dataDir);
    await expect(start(dataDir)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining(`process ${first.child.pid}`),
    });
    expect(await query(first.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    await start(dataDir);
    await expect(start(dataDir)).rejects.toThrow(/in use by this very process/);
  });

  it("starts although postmaster.pid and its lock name a pid that is some other program's by now", async () => {
    const dataDir = dataDirectory();
    const first = await start(dataDir);
    const pidFile = join(dataDir, "postgres", "data", "postmaster.pid");
    const before = readFileSync(pidFile, "utf8");
    await first.stop();
    const other = spawn("sleep", ["60"]);
    cleanups.push(() => other.kill("SIGKILL"));
    writeFileSync(pidFile, before.replace(/^\d+/, String(other.pid)));
    writeFileSync(join(dataDir, "postgres", "lock"), JSON.stringify({ pid: other.pid, birth: "of somebody else" }));
    const second = await start(dataDir);
    expect(await query(second.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(other.exitCode).toBeNull();
  });

  it("begins anew after a creation that was cut short", async () => {
    const dataDir = dataDirectory();
    const draft = join(dataDir, "postgres", "data.draft");
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, "PG_VERSION"), "18\n");
    const postgres = await start(dataDir);
    expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("finds room for its socket when the path of the data directory is too long for one", async () => {
    const dataDir = join(dataDirectory(), "d".repeat(120));
    mkdirSync(dataDir);
    const postgres = await start(dataDir);
    expect(postgres.connection.host.length).toBeLessThan(100);
    expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    await postgres.stop();
    expect(existsSync(postgres.connection.host)).toBe(false);
  });

  it("listens on loopback with its password where there are no unix sockets", async () => {
    const postgres = await start(dataDirectory(), { tcp: true });
    expect(postgres.connection.host).toBe("127.0.0.1");
    expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    await expect(query({ ...postgres.connection, password: "wrong" }, "select 1")).rejects.toThrow(
      /password authentication failed/,
    );
  });

  it("stops while it is being restarted, and stopping twice is one stop", async () => {
    const dataDir = dataDirectory();
    const postgres = await start(dataDir);
    const died = new Promise((resolve) => postgres.onExit(resolve));
    signal(postgres.pid, "SIGKILL");
    await died;
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(postgresIn(dataDir)).toEqual([]);
  });

  it("says what is wrong with a data directory it cannot use", async () => {
    const dataDir = dataDirectory();
    writeFileSync(join(dataDir, "postgres"), "a file");
    await expect(start(dataDir)).rejects.toMatchObject({ code: "BAD_CONFIGURATION" });
    const old = dataDirectory();
    mkdirSync(join(old, "postgres", "data"), { recursive: true });
    writeFileSync(join(old, "postgres", "data", "PG_VERSION"), "17\n");
    await expect(start(old)).rejects.toThrow(/made by PostgreSQL 17/);
  });

  it.runIf(isRoot)("says so when nobody, in place of root, cannot reach the data directory", async () => {
    const home = dataDirectory();
    chmodSync(home, 0o700);
    mkdirSync(join(home, "project"));
    await expect(start(join(home, "project"), { account: "nobody" })).rejects.toThrow(/nobody.*cannot enter/);
  });
});
