// Tests and bench: how to look into a running server's embedded database from the side. postmaster.pid names port and socket, as for its own clients.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientConfig } from "pg";
import { DATABASE_USER, passwordOf } from "../../packages/server/src/platform/postgres/cluster.ts";
import { postmasterFile } from "./processes.ts";

export function embeddedConnection(dataDir: string): ClientConfig {
  const file = postmasterFile(dataDir);
  if (!file) throw new Error("the embedded PostgreSQL does not run");
  const [, , , port, directory, host] = readFileSync(file, "utf8").split("\n");
  return {
    host: directory || host || "127.0.0.1",
    port: Number(port),
    user: DATABASE_USER,
    password: passwordOf(join(dataDir, "postgres")),
    database: "postgres",
  };
}
