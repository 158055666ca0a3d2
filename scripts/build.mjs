// `npm run build`: compiles every package and the dashboard into their dist folders. Also called by start.mjs and test.mjs.
// Promises: takes well under a second when nothing changed (a hash of all inputs is kept), compiles only what changed otherwise,
// and writes to stderr only. `--force` builds everything anew.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run } from "./install.mjs";

const LIBRARIES = ["packages/protocol", "packages/engine", "catalogue", "packages/server", "packages/sdk", "packages/cli"];
/** What users' files import. */
const USERS_IMPORT = ["packages/protocol", "packages/sdk"];
const DASHBOARD = "packages/dashboard";
const SHIPPED_DASHBOARD = "packages/server/dist/dashboard";
const STAMPS = join(root, "node_modules", ".holdfast-build");
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

// What an output was made from is noted in node_modules, so that nothing of it is published; a deleted output counts as not built.
function isBuilt(name, outputs, hash) {
  const stamp = join(STAMPS, name);
  return outputs.every((output) => existsSync(join(root, output))) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
}

/** Before a build touches anything: one that is broken off must not count as done, even if its sources go back to what was built before. */
function forget(name) {
  rmSync(join(STAMPS, name), { force: true });
}

function remember(name, hash) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), hash);
}

// Statements and migrations are files of their own; the server reads them beside its compiled code.
function copySql() {
  const source = join(root, "packages/server/src");
  for (const file of filesIn(source).filter((name) => name.endsWith(".sql"))) {
    cpSync(file, join(root, "packages/server/dist", relative(source, file)));
  }
}

/**
 * Entries for `require`: each hands out the ES module, of which there is one, and has declarations of its own, since for CommonJS files under `module: node16`
 * (or `nodenext`, before TypeScript 5.8) the compiler believes that an ES module can be required of none but a CommonJS one.
 */
function writeEntriesForRequire() {
  for (const name of USERS_IMPORT) {
    const dist = join(root, name, "dist");
    const into = join(dist, "require");
    rmSync(into, { recursive: true, force: true });
    for (const file of readdirSync(dist, { recursive: true }).filter((each) => each.endsWith(".d.ts"))) {
      cpSync(join(dist, file), join(into, file));
    }
    const { exports } = JSON.parse(readFileSync(join(root, name, "package.json"), "utf8"));
    for (const entry of Object.values(exports).filter((each) => each.require)) {
      const file = join(root, name, entry.require.default);
      const module = relative(dirname(file), join(root, name, entry.default)).replaceAll("\\", "/");
      writeFileSync(file, `module.exports = require(${JSON.stringify(module)});\n`);
    }
    writeFileSync(join(into, "package.json"), '{ "type": "commonjs" }\n');
  }
}

function buildLibraries(force) {
  const hash = hashOf(LIBRARIES);
  const outputs = LIBRARIES.map((name) => `${name}/dist/.tsbuildinfo`);
  if (!force && isBuilt("libraries", outputs, hash)) return true;
  process.stderr.write("Compiling the packages …\n");
  forget("libraries");
  // Without this, the output of deleted sources would stay, and be published.
  if (force) for (const name of LIBRARIES) rmSync(join(root, name, "dist"), { recursive: true, force: true });
  if (run("npx", ["--no-install", "tsc", "-b"], { toStderr: true }) !== 0) return false;
  rmSync(join(root, "packages/server/dist/store/postgres/sql"), { recursive: true, force: true });
  rmSync(join(root, "packages/server/dist/store/postgres/migrations"), { recursive: true, force: true });
  copySql();
  writeEntriesForRequire();
  if (run("node", ["catalogue/copy-samples.mjs"], { toStderr: true }) !== 0) return false;
  remember("libraries", hash);
  return true;
}

// The server's package carries the dashboard's files, so that an installed server has them.
function buildDashboard(force) {
  if (!existsSync(join(root, DASHBOARD, "index.html"))) return true;
  const hash = hashOf([DASHBOARD, "packages/protocol"]);
  if (!force && isBuilt("dashboard", [`${SHIPPED_DASHBOARD}/index.html`], hash)) return true;
  process.stderr.write("Building the dashboard …\n");
  forget("dashboard");
  if (run("npm", ["run", "build", "-w", DASHBOARD, "--", "--logLevel", "warn"], { toStderr: true }) !== 0) return false;
  rmSync(join(root, SHIPPED_DASHBOARD), { recursive: true, force: true });
  cpSync(join(root, DASHBOARD, "dist"), join(root, SHIPPED_DASHBOARD), { recursive: true });
  remember("dashboard", hash);
  return true;
}

/** Builds what changed. Returns false when something does not compile; the compiler has said what by then. */
export function build({ force = false } = {}) {
  return buildLibraries(force) && buildDashboard(force);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = build({ force: process.argv.includes("--force") }) ? 0 : 1;
}
