// Room: main. Who this server is in leases. Its predecessor on the same data directory is dead when that directory's lock can be taken; then its leases are
// given back at once instead of waiting until they expire. With DATABASE_URL several living servers may share a directory: only the first is remembered.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserFacingError } from "@holdfast/protocol";
import { type DirectoryLock, takeLock } from "../platform/postgres/lock.ts";
import type { World } from "../platform/world.ts";

export interface Identity {
  owner: string;
  /** Owner of leases nobody holds any more. */
  predecessor: string | null;
  /** Lets another server be the one that is remembered. */
  release(): void;
}

export function takeIdentity(dataDir: string, world: World): Identity {
  const owner = world.newId("server");
  const lock = lockOf(dataDir);
  if (!lock) return { owner, predecessor: null, release: () => {} };
  const file = join(dataDir, "server-id");
  const predecessor = read(file);
  writeFileSync(file, `${owner}\n`);
  return { owner, predecessor, release: () => lock.release() };
}

/** Null when a living server has it. */
function lockOf(dataDir: string): DirectoryLock | null {
  try {
    return takeLock(join(dataDir, "server-id.lock"), dataDir);
  } catch (error) {
    if (error instanceof UserFacingError && error.code === "CONFLICT") return null;
    throw error;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}
