// `npm run build`: compiles every package and the dashboard into their dist folders. Also called by start.mjs and test.mjs.
// Promises: takes well under a second when nothing changed (a hash of all inputs is kept beside the output), compiles only what changed otherwise,
// and writes to stderr only. `--force` builds everything anew.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run } from "./install.mjs";

const LIBRARIES = ["packages/protocol", "packages/engine", "catalogue", "packages/server", "packages/sdk", "packages/cli"];
const DASHBOARD = "packages/dashboard";
const SKIPPED = new Set(["node_modules", "dist", ".holdfast", "coverage"]);

function filesIn(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !SKIPPED.has(entry.name) && !/\.test\.[a-z]+$/.test(entry.name))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(directory, entry.name)) : [join(directory, entry.name)]))
    .sort();
}

function hashOf(directories) {
  const hash = createHash("sha256").update(process.version);
  const top = ["package-lock.json", "tsconfig.json", "tsconfig.base.json", "scripts/build.mjs"].map((name) => join(root, name));
  for (const file of [...top, ...directories.flatMap((name) => filesIn(join(root, name)))]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

// Each output has its own stamp, inside the output: deleting a dist folder makes the next build make it again.
function isBuilt(outputs, hash) {
  return outputs.every((output) => existsSync(output) && readFileSync(output, "utf8") === hash);
}

function stamp(outputs, hash) {
  for (const output of outputs) {
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, hash);
  }
}

// Statements and migrations are files of their own; the server reads them beside its compiled code.
function copySql() {
  const source = join(root, "packages/server/src");
  for (const file of filesIn(source).filter((name) => name.endsWith(".sql"))) {
    cpSync(file, join(root, "packages/server/dist", relative(source, file)));
  }
}

function buildLibraries(force) {
  const stamps = LIBRARIES.map((name) => join(root, name, "dist", ".build"));
  const hash = hashOf(LIBRARIES);
  if (!force && isBuilt(stamps, hash)) return true;
  process.stderr.write("Compiling the packages …\n");
  const code = run("npx", ["--no-install", "tsc", "-b", ...(force ? ["--force"] : [])], { toStderr: true });
  if (code !== 0) return false;
  rmSync(join(root, "packages/server/dist/store/postgres/sql"), { recursive: true, force: true });
  rmSync(join(root, "packages/server/dist/store/postgres/migrations"), { recursive: true, force: true });
  copySql();
  stamp(stamps, hash);
  return true;
}

// The server's package carries the dashboard's files, so that an installed server has them.
function buildDashboard(force) {
  if (!existsSync(join(root, DASHBOARD, "index.html"))) return true;
  const shipped = join(root, "packages/server/dist/dashboard");
  const hash = hashOf([DASHBOARD, "packages/protocol"]);
  const stamps = [join(root, DASHBOARD, "dist", ".build"), join(shipped, ".build")];
  if (!force && isBuilt(stamps, hash)) return true;
  process.stderr.write("Building the dashboard …\n");
  if (run("npm", ["run", "build", "-w", DASHBOARD, "--", "--logLevel", "warn"], { toStderr: true }) !== 0) return false;
  rmSync(shipped, { recursive: true, force: true });
  cpSync(join(root, DASHBOARD, "dist"), shipped, { recursive: true });
  stamp(stamps, hash);
  return true;
}

/** Builds what changed. Returns false when something does not compile; the compiler has said what by then. */
export function build({ force = false } = {}) {
  return buildLibraries(force) && buildDashboard(force);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = build({ force: process.argv.includes("--force") }) ? 0 : 1;
}
