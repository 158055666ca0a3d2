// Says when npm, which started a script, is gone: killed without a chance to tell us. Called by start.mjs.
// npm starts a script through a shell, and a shell that is told to end does not tell its child; so both are looked at, twice a second.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;

/** Pid of a process's parent, or null where the system does not say. */
function parentOf(pid) {
  try {
    if (process.platform === "linux") return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    return Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
  } catch {
    return null;
  }
}

function commandOf(pid) {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Our parent, and npm above it when the parent is npm's shell. Taken when the script begins. */
function family() {
  const parent = process.ppid;
  const above = parentOf(parent);
  return above && above > 1 && /\b(npm|pnpm|yarn)\b/.test(commandOf(above)) ? [parent, above] : [parent];
}

const watched = process.env.npm_lifecycle_event ? family() : [];

/** Calls `act` once npm or its shell is gone; does nothing when npm did not start us. */
export function whenNpmIsGone(act) {
  if (watched.length === 0) return;
  const look = setInterval(() => {
    if (process.ppid === watched[0] && watched.every(isAlive)) return;
    clearInterval(look);
    act();
  }, LOOK_EVERY_MS);
  look.unref();
}
