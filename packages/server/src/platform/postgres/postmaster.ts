// Room: platform/postgres. One life of a postmaster: started by us or adopted from a server that died, watched until it ends, stopped.
// Called by startEmbeddedPostgres, which starts the next life when one ends. Promises: `bringUp` resolves only when the database accepts
// connections; it adopts a living postmaster of the same directory, and waits for the children of a dead one to let go of its memory.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { UserFacingError } from "@holdfast/protocol";
import { type Address, clearSocket, socketPath } from "./address.ts";
import { type Cluster, disarmStaleFile, type PostmasterFile, readPostmasterFile } from "./cluster.ts";
import { birthOf, isPostgresIn, processesIn, signal } from "./processes.ts";
import { serverArguments } from "./settings.ts";

/** A running postmaster. */
export interface Postmaster {
  readonly pid: number;
  readonly address: Address;
  /** True when an earlier server of ours left it running. */
  readonly adopted: boolean;
  /** Resolves to a description once the process is gone. */
  readonly exited: Promise<string>;
}

type Launch = { postmaster: Postmaster } | { failed: string };

const POLL_MS = 10;
const ADOPTED_POLL_MS = 100;
const SOCKET_ANSWER_MS = 5_000;
const MEMORY_IN_USE_MS = 30_000;
/** After this long the children of a dead postmaster are told to go. */
const PATIENCE_MS = 2_000;
const LONGEST_LOG_BYTES = 8 * 1024 * 1024;

function answers(target: Address): Promise<boolean> {
  const { directory, host, port } = target;
  return new Promise((resolve) => {
    const socket = directory === undefined ? connect(port, host) : connect(socketPath(directory, port));
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, end(false)).once("connect", end(true)).once("error", end(false));
  });
}

function openLog(path: string): { fd: number; from: number } {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LONGEST_LOG_BYTES) renameSync(path, `${path}.old`);
  return { fd: openSync(path, "a", 0o600), from: size > LONGEST_LOG_BYTES ? 0 : size };
}

function logSince(path: string, from: number): string {
  return readFileSync(path).subarray(from).subarray(-4000).toString("utf8").trim();
}

/** Starts the program once. It gets a session of its own: Ctrl-C in our terminal must not stop the database before we have drained. */
async function launch(cluster: Cluster, address: Address, stopping?: AbortSignal): Promise<Launch> {
  const { account, binaries, data, logFile } = cluster;
  const { fd, from } = openLog(logFile);
  const command = account.wrap(binaries.postgres, serverArguments(data, address));
  const stdio: ["ignore", number, number] = ["ignore", fd, fd];
  const child = spawn(command.file, command.args, { env: binaries.env, cwd: data, detached: true, stdio, ...account.ids });
  closeSync(fd);
  let ended: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, name) => resolve(name ? `killed by ${name}` : `exit code ${code}`));
  });
  exited.then((how) => {
    ended = how;
  });
  while (ended === undefined) {
    const file = readPostmasterFile(data);
    if (child.pid !== undefined && file?.pid === child.pid && file.status === "ready") {
      child.unref();
      return { postmaster: { pid: child.pid, address, adopted: false, exited } };
    }
    if (stopping?.aborted) child.kill("SIGINT");
    await pause(POLL_MS);
  }
  return { failed: `${ended}\n${logSince(logFile, from)}` };
}

async function watchForeign(pid: number): Promise<string> {
  const birth = birthOf(pid);
  while (birth !== undefined && birthOf(pid) === birth) await pause(ADOPTED_POLL_MS);
  return "gone";
}

function addressOf({ socketDirectory, port }: PostmasterFile): Address {
  if (socketDirectory === "") return { directory: undefined, host: "127.0.0.1", port };
  return { directory: socketDirectory, host: socketDirectory, port };
}

/** The postmaster an earlier server left on these data, if it can be used; one that cannot is stopped first. */
export async function adopt(data: string): Promise<Postmaster | undefined> {
  let impatientAt: number | undefined;
  for (;;) {
    const file = readPostmasterFile(data);
    if (!file || !isPostgresIn(file.pid, data)) return undefined;
    const address = addressOf(file);
    if (file.status === "ready" && (await answers(address))) {
      return { pid: file.pid, address, adopted: true, exited: watchForeign(file.pid) };
    }
    // A crash recovery may take minutes; any other state must lead somewhere soon.
    if (file.status !== "starting") impatientAt ??= performance.now() + SOCKET_ANSWER_MS;
    if (impatientAt !== undefined && performance.now() > impatientAt) await stopPostmaster(file.pid, data, SOCKET_ANSWER_MS);
    await pause(POLL_MS);
  }
}

const MEMORY_IN_USE = /pre-existing shared memory block|lock file "postmaster\.pid" already exists/;

/**
 * Starts a postmaster and waits until it accepts connections (a recovery after a crash may take its time).
 *
 * @param stopping gives up when it aborts
 * @throws UserFacingError DATABASE_UNREACHABLE with the end of its log when it does not start
 */
export async function bringUp(cluster: Cluster, address: Address, stopping?: AbortSignal): Promise<Postmaster> {
  const since = performance.now();
  for (;;) {
    clearSocket(address);
    disarmStaleFile(cluster.data);
    const outcome = await launch(cluster, address, stopping);
    if ("postmaster" in outcome) return outcome.postmaster;
    const waited = performance.now() - since;
    if (stopping?.aborted || !MEMORY_IN_USE.test(outcome.failed) || waited > MEMORY_IN_USE_MS)
      throw didNotStart(cluster, outcome.failed);
    if (waited > PATIENCE_MS)
      for (const pid of processesIn(cluster.data)) signal(pid, waited > 5 * PATIENCE_MS ? "SIGKILL" : "SIGQUIT");
    await pause(5 * POLL_MS);
  }
}

function didNotStart({ logFile }: Cluster, failed: string): UserFacingError {
  return new UserFacingError(
    "DATABASE_UNREACHABLE",
    `The embedded PostgreSQL did not start: ${failed}`,
    `Its whole log is ${logFile}. A server of yours can be used with DATABASE_URL.`,
  );
}

async function goneWithin(pid: number, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  while (birthOf(pid) !== undefined) {
    if (performance.now() > until) return false;
    await pause(POLL_MS);
  }
  return true;
}

/** Stops it: sessions are cut and everything is flushed; if that takes longer than `fastMs`, at once, leaving recovery to the next start. */
export async function stopPostmaster(pid: number, data: string, fastMs: number): Promise<void> {
  const steps = [["SIGINT", fastMs] as const, ["SIGQUIT", 7_000] as const];
  for (const [name, ms] of steps) {
    signal(pid, name);
    if (await goneWithin(pid, ms)) break;
  }
  for (const left of processesIn(data)) signal(left, "SIGKILL");
  if (!(await goneWithin(pid, 2_000))) signal(pid, "SIGKILL");
}

/** How long the children of a dead postmaster may take to see that it is gone. */
const ORPHANS_MS = 5_000;

/** Resolves when no process works on the data any more: the children of a postmaster that was killed outlive it for a moment. */
export async function orphansGone(data: string): Promise<void> {
  const until = performance.now() + ORPHANS_MS;
  for (let left = processesIn(data); left.length > 0 && performance.now() < until + ORPHANS_MS; left = processesIn(data)) {
    if (performance.now() > until) for (const pid of left) signal(pid, "SIGKILL");
    await pause(POLL_MS);
  }
}
