// Room: main. Who this server is in leases. Its predecessor on the same data directory is dead (the directory's lock says so), hence its leases can be
// given back at once instead of waiting until they expire.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../platform/world.ts";

export function takeIdentity(dataDir: string, world: World): { owner: string; predecessor: string | null } {
  const file = join(dataDir, "server-id");
  let predecessor: string | null = null;
  try {
    predecessor = readFileSync(file, "utf8").trim() || null;
  } catch {
    // First start in this directory.
  }
  const owner = world.newId("server");
  writeFileSync(file, `${owner}\n`);
  return { owner, predecessor };
}
