// Makes sure the dependencies are there. Called by start.mjs, test.mjs and check.mjs, so that each works on a fresh clone, and with a folder that has a lock of its
// own by its tests: `node scripts/install.mjs tests/vendors`.
// Promises: installs only when node_modules is missing or does not belong to the present package-lock.json; never runs install scripts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's directory. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a program in the project's directory with our stdin, stdout and stderr (stdout joins stderr when `toStderr`); the exit code. */
export function run(command, args, { toStderr = false, env = process.env, cwd = root } = {}) {
  const stdio = ["ignore", toStderr ? 2 : "inherit", "inherit"];
  // npm is a .cmd file on Windows, which only a shell can start.
  const shell = process.platform === "win32";
  return spawnSync(command, args, { cwd, stdio, env, shell }).status ?? 1;
}

function isCurrent(hash, { installed, stamp, lockFile }) {
  if (!existsSync(installed)) return false;
  if (existsSync(stamp)) return readFileSync(stamp, "utf8") === hash;
  return statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs;
}

/** Installs if need be. Returns false when that failed. */
export function ensureInstalled(directory = root) {
  const lockFile = join(directory, "package-lock.json");
  const installed = join(directory, "node_modules", ".package-lock.json");
  const stamp = join(directory, "node_modules", ".holdfast-lock");
  const hash = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
  if (!isCurrent(hash, { installed, stamp, lockFile })) {
    process.stderr.write("Installing dependencies (npm ci --ignore-scripts) …\n");
    if (run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { toStderr: true, cwd: directory }) !== 0) return false;
  }
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== hash) writeFileSync(stamp, hash);
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = ensureInstalled(join(root, process.argv[2] ?? ".")) ? 0 : 1;
}
