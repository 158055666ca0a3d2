// Room: serve. Who listens on a TCP port, as far as this machine tells: on Linux, from /proc. Called to blame somebody by name.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface PortHolder {
  pid: number;
  name: string;
}

const LISTENING = "0A";

/** Null when the system does not say: another system, or another user's process. */
export function portHolder(port: number): PortHolder | null {
  const sockets = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeningSockets(read(table), port)));
  if (sockets.size === 0) return null;
  const pid = processIds().find((each) => openSockets(each).some((socket) => sockets.has(socket)));
  return pid === undefined ? null : { pid, name: read(`/proc/${pid}/comm`).trim() || "a process" };
}

/** Lines look like `sl local_address rem_address st … inode`; the port is hexadecimal. */
function listeningSockets(table: string, port: number): string[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  return rows.flatMap((row) => (row[1]?.endsWith(local) && row[3] === LISTENING && row[9] ? [`socket:[${row[9]}]`] : []));
}

function processIds(): number[] {
  return list("/proc").map(Number).filter(Number.isInteger);
}

function openSockets(pid: number): string[] {
  return list(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
}

function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}
const read = (path: string) => attempt(() => readFileSync(path, "utf8"), "");
const list = (path: string) => attempt(() => readdirSync(path), []);
const link = (path: string) => attempt(() => readlinkSync(path), "");
