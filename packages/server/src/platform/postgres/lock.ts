// Room: platform/postgres. One server a data directory: a lock file that names its holder and outlives nobody.
// Called by startEmbeddedPostgres. Promises: of two living servers on one directory, one gets the lock and the other a clear error; a lock whose holder
// died (even if its pid is in use again) is taken over.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { UserFacingError } from "@holdfast/protocol";
import { birthOf } from "./processes.ts";

export interface DirectoryLock {
  /** False when somebody else took the lock since. */
  held(): boolean;
  release(): void;
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function livingHolder(text: string): number | undefined {
  try {
    const { pid, birth } = JSON.parse(text) as { pid: number; birth: string };
    return birthOf(pid) === birth ? pid : undefined;
  } catch {
    return undefined;
  }
}

// link() makes the file and its content appear in one step, and fails when there is one already.
function place(path: string, own: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    linkSync(draft, path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

// Between reading a stale lock and moving it away another starter may have replaced it: then it is put back.
function clearStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (readLock(aside) !== stale) linkSync(aside, path);
  } catch {
    // Somebody else was faster; the next look at the lock tells.
  }
  rmSync(aside, { force: true });
}

/**
 * Takes the lock, or says who holds it.
 *
 * @param path of the lock file
 * @param directory named in the error
 * @throws UserFacingError CONFLICT when a living process holds it
 * @example const lock = takeLock("/var/lib/holdfast/postgres/lock", "/var/lib/holdfast"); lock.release()
 */
export function takeLock(path: string, directory: string): DirectoryLock {
  const own = JSON.stringify({ pid: process.pid, birth: birthOf(process.pid), since: new Date().toISOString() });
  for (let tries = 0; tries < 20; tries++) {
    if (place(path, own)) return lockOf(path, own);
    const found = readLock(path);
    const holder = found === undefined ? undefined : livingHolder(found);
    if (holder !== undefined) throw inUse(directory, holder);
    if (found !== undefined) clearStale(path, found);
  }
  throw new UserFacingError(
    "CONFLICT",
    `The lock file ${path} can be neither taken nor read.`,
    "Check who may write to that directory.",
  );
}

function lockOf(path: string, own: string): DirectoryLock {
  const held = (): boolean => readLock(path) === own;
  return {
    held,
    release: () => {
      if (held()) rmSync(path, { force: true });
    },
  };
}

function inUse(directory: string, holder: number): UserFacingError {
  const who = holder === process.pid ? "this very process" : `process ${holder}`;
  return new UserFacingError(
    "CONFLICT",
    `The data directory ${directory} is already in use by ${who}.`,
    "Stop that server, or give this one its own --data-dir. To run several servers on the same data, use DATABASE_URL.",
  );
}
