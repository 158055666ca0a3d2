// Room: platform/postgres. What the operating system says about processes: alive, the same one as before, working in a directory.
// Called by the lock (is its holder still there?) and by the supervisor (is that postmaster ours, who still holds its memory?).
// Promises: a zombie counts as dead, and a reused pid is not mistaken for the process that had it before.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const onLinux = process.platform === "linux";

function signalReaches(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

// Fields of /proc/<pid>/stat from the third (the state) on; the second may hold spaces and brackets.
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function linuxBirth(pid: number): string | undefined {
  try {
    const [state, ...rest] = statFields(pid);
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return state === "Z" || state === "X" ? undefined : `${boot}/${rest[18]}`;
  } catch {
    return undefined;
  }
}

function otherBirth(pid: number): string | undefined {
  if (process.platform === "win32") return "alive";
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** A text that differs between two processes that had the same pid one after the other; undefined when the process is gone. */
export function birthOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0 || !signalReaches(pid)) return undefined;
  return onLinux ? linuxBirth(pid) : otherBirth(pid);
}

/** True when a living PostgreSQL process has this pid and works in this directory (elsewhere than on Linux: is a PostgreSQL process). */
export function isPostgresIn(pid: number, directory: string): boolean {
  if (birthOf(pid) === undefined) return false;
  if (onLinux) return processesIn(directory, [String(pid)]).length === 1;
  if (process.platform === "win32") return true;
  try {
    return execFileSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).includes("postgres");
  } catch {
    return false;
  }
}

/** Pids of all PostgreSQL processes working in a directory, postmaster and children alike. Linux only; elsewhere always empty. */
export function processesIn(directory: string, among?: readonly string[]): number[] {
  if (!onLinux) return [];
  return (among ?? readdirSync("/proc"))
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return (
          readlinkSync(`/proc/${name}/cwd`) === directory && readFileSync(`/proc/${name}/comm`, "utf8").startsWith("postgres")
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
