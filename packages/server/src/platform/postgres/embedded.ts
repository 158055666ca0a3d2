// Room: platform/postgres. The embedded database: a real PostgreSQL in the data directory, started, supervised and stopped by us.
// Called by main (and by tests that need a database). Promises: one server a directory; whoever connects to `connection` reaches the same data for
// as long as we run, however often the postmaster dies; after `stop` no process is left.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UserFacingError } from "@holdfast/protocol";
import type { Logger } from "../log.ts";
import { type Account, type AccountKind, chooseAccount } from "./account.ts";
import { type Address, chooseAddress, removeAddress } from "./address.ts";
import { findBinaries } from "./binaries.ts";
import { type Cluster, DATABASE_USER, ensureCluster, passwordOf, prepareHome } from "./cluster.ts";
import { type DirectoryLock, takeLock } from "./lock.ts";
import { adopt, bringUp, orphansGone, type Postmaster, stopPostmaster } from "./postmaster.ts";
import { isPostgresIn } from "./processes.ts";

/** What a PostgreSQL client needs; `host` is a directory when the server listens on a unix socket. */
export interface EmbeddedConnection {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

export interface EmbeddedPostgresOptions {
  /** Holdfast's data directory; everything of ours goes to `postgres/` in it. */
  dataDir: string;
  log: Logger;
  /** Listen on loopback TCP in place of a unix socket. Default: only on Windows. */
  tcp?: boolean;
  /** Insist on a kind of account (tests). */
  account?: AccountKind;
  /** A directory of PostgreSQL's programs other than the package's (tests of older versions). */
  programs?: string;
}

export interface EmbeddedPostgres {
  readonly connection: EmbeddedConnection;
  /** Of the present postmaster; changes when it had to be restarted. */
  readonly pid: number;
  /** True when the running postmaster was left by an earlier server. */
  readonly adopted: boolean;
  /** Calls back each time the postmaster died without being asked to; a new one is on its way. Returns how to stop listening. */
  onExit(listener: (how: string) => void): () => void;
  /** Stops database and supervision. Sessions are cut after `fastMs` (default 10 s) at the latest. Repeatable. */
  stop(fastMs?: number): Promise<void>;
}

const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 2_000;
const STABLE_MS = 10_000;

interface Supervised {
  readonly cluster: Cluster;
  readonly address: Address;
  readonly log: Logger;
  readonly listeners: Set<(how: string) => void>;
  readonly stopping: AbortController;
  current: Postmaster;
}

async function restart({ cluster, address, log, stopping }: Supervised, firstBackoff: number): Promise<Postmaster | undefined> {
  // The loop ends by success or by stop().
  for (let backoff = firstBackoff; !stopping.signal.aborted; backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS)) {
    await pause(backoff, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return undefined;
    try {
      return await bringUp(cluster, address, stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return undefined;
      log.error("PostgreSQL could not be restarted; trying again", { error });
    }
  }
  return undefined;
}

// Runs until stop() is called; a postmaster that keeps dying young is restarted ever more slowly.
async function supervise(state: Supervised): Promise<void> {
  let backoff = FIRST_BACKOFF_MS;
  const stopAsked = new Promise<string>((resolve) => {
    state.stopping.signal.addEventListener("abort", () => resolve("stopped"));
  });
  while (!state.stopping.signal.aborted) {
    const since = performance.now();
    // The wait for its end holds no timer or handle that keeps this process alive, so a stop must not depend on it.
    const how = await Promise.race([state.current.exited, stopAsked]);
    if (state.stopping.signal.aborted) return;
    state.log.warn("PostgreSQL ended unexpectedly; restarting it", { pid: state.current.pid, how });
    for (const listener of state.listeners) listener(how);
    backoff = performance.now() - since > STABLE_MS ? FIRST_BACKOFF_MS : Math.min(backoff * 2, LONGEST_BACKOFF_MS);
    const next = await restart(state, backoff);
    if (!next) return;
    state.current = next;
    state.log.warn("PostgreSQL is back", { pid: next.pid, tookMs: Math.round(performance.now() - since) });
  }
}

async function firstPostmaster(cluster: Cluster, options: EmbeddedPostgresOptions): Promise<Postmaster> {
  const left = await adopt(cluster.data);
  if (left) {
    options.log.info("took over the PostgreSQL an earlier server left running", { pid: left.pid });
    return left;
  }
  const tcp = options.tcp ?? process.platform === "win32";
  return bringUp(cluster, await chooseAddress(cluster.home, cluster.account, tcp));
}

function handleOf(state: Supervised, lock: DirectoryLock): EmbeddedPostgres {
  const { cluster, address, listeners, stopping } = state;
  const supervision = supervise(state);
  let stopped: Promise<void> | undefined;
  const stopCurrent = async (fastMs: number): Promise<void> => {
    const { pid } = state.current;
    if (isPostgresIn(pid, cluster.data)) await stopPostmaster(pid, cluster.data, fastMs);
  };
  const stop = async (fastMs: number): Promise<void> => {
    // Supervision alone does not keep Node running, but a stop must be carried through when nothing else is left to do.
    const awake = setInterval(() => undefined, 1_000);
    stopping.abort();
    await stopCurrent(fastMs);
    await supervision;
    // A restart that was under way may just have succeeded.
    await stopCurrent(fastMs);
    await orphansGone(cluster.data);
    removeAddress(cluster.home, address);
    lock.release();
    clearInterval(awake);
  };
  const identity = { user: DATABASE_USER, password: passwordOf(cluster.home), database: "postgres" };
  return {
    connection: { host: address.host, port: address.port, ...identity },
    get pid() {
      return state.current.pid;
    },
    get adopted() {
      return state.current.adopted;
    },
    onExit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: (fastMs = 10_000) => (stopped ??= stop(fastMs)),
  };
}

async function openCluster(home: string, account: Account, options: EmbeddedPostgresOptions): Promise<Cluster> {
  const binaries = findBinaries(account, home, options.programs);
  const { data, isNew } = await ensureCluster(home, { account, binaries });
  if (isNew) options.log.info("created a PostgreSQL database", { directory: data });
  return { home, data, logFile: join(home, "log"), account, binaries };
}

/**
 * Starts the embedded PostgreSQL of a data directory, creating the database on first use (about 0.7 s; later starts 0.2 s).
 *
 * @throws UserFacingError CONFLICT when another server runs on the directory, BAD_CONFIGURATION when PostgreSQL cannot run here,
 *   DATABASE_UNREACHABLE when it does not start
 * @example
 * const postgres = await startEmbeddedPostgres({ dataDir: ".holdfast", log });
 * const pool = new pg.Pool(postgres.connection);
 * await pool.end();
 * await postgres.stop();
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = chooseAccount(options.account);
  const home = prepareHome(options.dataDir, account);
  const lock = takeLock(join(home, "lock"), options.dataDir);
  try {
    const cluster = await openCluster(home, account, options);
    const current = await firstPostmaster(cluster, options);
    if (!lock.held())
      throw new UserFacingError("CONFLICT", `Another server took over the data directory ${options.dataDir} just now.`);
    const state = { cluster, address: current.address, log: options.log, listeners: new Set<(how: string) => void>() };
    return handleOf({ ...state, stopping: new AbortController(), current }, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}
