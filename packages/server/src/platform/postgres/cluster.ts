// Room: platform/postgres. A database cluster on disk: its directories, its creation, its password, and what postmaster.pid says about it.
// Called by startEmbeddedPostgres and postmaster.ts. Promises: a half-finished initdb is never mistaken for a database; a stale postmaster.pid cannot
// keep the database from starting; and no step removes PostgreSQL's own protection against two postmasters on one directory.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { UserFacingError } from "@holdfast/protocol";
import { type Account, canRun, giveTo } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { isPostgresIn } from "./processes.ts";

export const DATABASE_USER = "holdfast";
const MAJOR = "18";
const run = promisify(execFile);

/** Directories and programs of one cluster. */
export interface Cluster {
  /** `<data dir>/postgres`: lock, password, log, library links. */
  readonly home: string;
  /** PGDATA, without symbolic links, as the kernel reports working directories. */
  readonly data: string;
  readonly logFile: string;
  readonly account: Account;
  readonly binaries: Binaries;
}

/** The lines of postmaster.pid that matter. */
export interface PostmasterFile {
  pid: number;
  port: number;
  socketDirectory: string;
  status: string;
}

function privateDirectory(path: string, account: Account): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // `nobody` has to pass through directories that stay ours.
  if (account.kind === "nobody") chmodSync(path, 0o711);
  return path;
}

function assertReachable(account: Account, home: string): void {
  if (account.kind !== "nobody" || canRun(account, "/bin/sh", ["-c", 'cd "$1"', "sh", home])) return;
  throw new UserFacingError(
    "BAD_CONFIGURATION",
    `PostgreSQL refuses to run as root, and the account nobody, which takes its place, cannot enter ${home}.`,
    "Choose a --data-dir outside of private home directories, run as an ordinary user, or set DATABASE_URL.",
  );
}

/** Makes `<data dir>/postgres`, reachable for the account. */
export function prepareHome(dataDir: string, account: Account): string {
  try {
    const home = realpathSync(privateDirectory(join(privateDirectory(dataDir, account), "postgres"), account));
    assertReachable(account, home);
    return home;
  } catch (error) {
    if (error instanceof UserFacingError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UserFacingError(
      "BAD_CONFIGURATION",
      `The data directory ${dataDir} cannot be used: ${why}`,
      "Choose another --data-dir.",
    );
  }
}

/** The superuser's password: made on first use, kept beside the cluster, readable by us only. */
export function passwordOf(home: string): string {
  const path = join(home, "password");
  if (!existsSync(path)) {
    writeFileSync(`${path}.draft`, randomBytes(24).toString("base64url"), { mode: 0o600, flush: true });
    renameSync(`${path}.draft`, path);
  }
  return readFileSync(path, "utf8").trim();
}

function flushDirectory(path: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(path, "r");
  fsyncSync(fd);
  closeSync(fd);
}

async function initdb(home: string, draft: string, { account, binaries }: Pick<Cluster, "account" | "binaries">): Promise<void> {
  const passwordFile = join(draft, "..", "password.initdb");
  writeFileSync(passwordFile, passwordOf(home), { mode: 0o600 });
  if (account.kind === "nobody" && account.owner) chownSync(passwordFile, account.owner.uid, account.owner.gid);
  const command = account.wrap(binaries.initdb, [
    ...["-D", draft, "-U", DATABASE_USER, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"],
    ...["--encoding=UTF8", "--no-locale", "--data-checksums"],
  ]);
  try {
    await run(command.file, command.args, { env: binaries.env, cwd: draft, ...account.ids });
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    throw new UserFacingError(
      "BAD_CONFIGURATION",
      `The database could not be created in ${home}: ${output}`,
      "Is the disk full or read-only?",
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Makes the cluster unless there is one, and hands it to the account. Resolves to PGDATA and whether it is new. */
export async function ensureCluster(
  home: string,
  programs: Pick<Cluster, "account" | "binaries">,
): Promise<{ data: string; isNew: boolean }> {
  const data = join(home, "data");
  if (existsSync(join(data, "PG_VERSION"))) {
    assertMajor(data);
    if (!isPostgresIn(readPostmasterFile(data)?.pid ?? 0, data)) giveTo(programs.account, data);
    return { data, isNew: false };
  }
  const draft = join(home, "data.draft");
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  giveTo(programs.account, draft);
  await initdb(home, draft, programs);
  renameSync(draft, data);
  flushDirectory(dirname(data));
  return { data, isNew: true };
}

function assertMajor(data: string): void {
  const found = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
  if (found === MAJOR) return;
  throw new UserFacingError(
    "BAD_CONFIGURATION",
    `The database in ${data} was made by PostgreSQL ${found}; this is PostgreSQL ${MAJOR}.`,
    "Start it with the release of Holdfast that made it, export your data there, and import it here.",
  );
}

/** Reads postmaster.pid; undefined when there is none, or none that can be understood. */
export function readPostmasterFile(data: string): PostmasterFile | undefined {
  try {
    const lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    const pid = Math.abs(Number(lines[0]));
    if (!Number.isInteger(pid) || pid === 0) return undefined;
    return { pid, port: Number(lines[3]), socketDirectory: lines[4]?.trim() ?? "", status: lines[7]?.trim() ?? "" };
  } catch {
    return undefined;
  }
}

/**
 * Makes a left-over postmaster.pid harmless. PostgreSQL would refuse to start while the pid in it exists, be it some other program's by now (after a
 * power cut) or a zombie's that nobody collects. Only the pid is replaced, by ours, which PostgreSQL ignores as its parent's; the line with its
 * shared memory stays, so that it still notices living children of the dead postmaster.
 */
export function disarmStaleFile(data: string): void {
  const file = readPostmasterFile(data);
  if (!file || isPostgresIn(file.pid, data)) return;
  const path = join(data, "postmaster.pid");
  const { uid, gid, mode } = statSync(path);
  const [, ...rest] = readFileSync(path, "utf8").split("\n");
  writeFileSync(`${path}.draft`, [process.pid, ...rest].join("\n"), { mode });
  if (process.getuid?.() === 0) chownSync(`${path}.draft`, uid, gid);
  renameSync(`${path}.draft`, path);
}

/** True for a directory that nobody else can enter or replace. */
export function isPrivateTo(account: Account, path: string): boolean {
  const found = lstatSync(path);
  return found.isDirectory() && (found.mode & 0o077) === 0 && (!account.owner || found.uid === account.owner.uid);
}
