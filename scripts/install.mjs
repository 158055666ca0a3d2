// Makes sure the dependencies are there. Called by start.mjs, test.mjs and check.mjs, so that each works on a fresh clone. A folder with a package-lock.json of
// its own is installed by `node scripts/install.mjs tests/frameworks`, say, and by test.mjs.
// Promises: installs only when node_modules is missing or does not belong to the present package-lock.json; never runs install scripts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's directory. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a program in the project's directory, or `cwd`, with our stdin, stdout and stderr (stdout joins stderr when `toStderr`); the exit code. */
export function run(command, args, { toStderr = false, env = process.env, cwd = root } = {}) {
  const stdio = ["ignore", toStderr ? 2 : "inherit", "inherit"];
  // npm is a .cmd file on Windows, which only a shell can start.
  const shell = process.platform === "win32";
  return spawnSync(command, args, { cwd, stdio, env, shell }).status ?? 1;
}

const lockFile = (directory) => join(directory, "package-lock.json");
const stamp = (directory) => join(directory, "node_modules", ".holdfast-lock");

function isCurrent(directory, hash) {
  const installed = join(directory, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  if (existsSync(stamp(directory))) return readFileSync(stamp(directory), "utf8") === hash;
  return statSync(installed).mtimeMs >= statSync(lockFile(directory)).mtimeMs;
}

/** Installs if need be, in the project's directory or another one. Returns false when that failed. */
export function ensureInstalled(directory = root) {
  const hash = createHash("sha256")
    .update(readFileSync(lockFile(directory)))
    .digest("hex");
  if (!isCurrent(directory, hash)) {
    process.stderr.write("Installing dependencies (npm ci --ignore-scripts) …\n");
    const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    if (run("npm", words, { toStderr: true, cwd: directory }) !== 0) return false;
  }
  if (!existsSync(stamp(directory)) || readFileSync(stamp(directory), "utf8") !== hash) writeFileSync(stamp(directory), hash);
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = ensureInstalled(resolve(root, process.argv[2] ?? ".")) ? 0 : 1;
}
