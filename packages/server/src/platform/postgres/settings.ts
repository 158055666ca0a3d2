// Room: platform/postgres. The settings an embedded server runs with. They go on its command line, so no file of the cluster has to be edited.
// Called by postmaster.ts. Promises: everything durability rests on is switched on here, whatever postgresql.conf says.
import { totalmem } from "node:os";
import type { Address } from "./address.ts";

const MEGABYTE = 1024 * 1024;

function sharedBuffers(): string {
  const eighth = Math.floor(totalmem() / 8 / MEGABYTE);
  return `${Math.max(32, Math.min(256, eighth))}MB`;
}

function whereToListen({ directory, port }: Address): Record<string, string> {
  const socket = directory === undefined ? "" : `"${directory.replaceAll('"', '""')}"`;
  return {
    listen_addresses: directory === undefined ? "127.0.0.1" : "",
    unix_socket_directories: socket,
    unix_socket_permissions: "0700",
    port: String(port),
  };
}

/** Arguments for the postmaster. */
export function serverArguments(data: string, address: Address): string[] {
  const settings: Record<string, string> = {
    ...whereToListen(address),
    fsync: "on",
    full_page_writes: "on",
    synchronous_commit: "on",
    timezone: "UTC",
    log_timezone: "UTC",
    max_connections: "60",
    shared_buffers: sharedBuffers(),
    max_wal_size: "1GB",
    min_wal_size: "128MB",
    checkpoint_timeout: "15min",
    // Queue tables turn over quickly; dead rows must not pile up in front of live ones.
    autovacuum_naptime: "10s",
    autovacuum_vacuum_scale_factor: "0.05",
    // Statements here are short: compiling them or spreading them over processes costs more than it saves, and containers have little /dev/shm.
    jit: "off",
    max_parallel_workers_per_gather: "0",
    random_page_cost: "1.1",
    log_checkpoints: "off",
    logging_collector: "off",
    log_destination: "stderr",
  };
  return ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}
