// `npm run check`: everything beside the tests. Formatting and lint, types (tests and dashboard included), unused code, the project's own rules, what the
// published packages would look like to those who install them, the newer lines of Node, and the older ones of PostgreSQL. Says which checks failed; exit code
// 1 if any did.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { databaseLineFailures } from "./database-lines.mjs";
import { ensureInstalled, root } from "./install.mjs";
import { nodeLineFailures } from "./node-lines.mjs";

const PUBLISHED = ["packages/protocol", "packages/engine", "packages/server", "packages/sdk", "packages/cli", "catalogue"];

/** Runs a local program; what it said when it failed, nothing when it did not. */
function failureOf(program, args) {
  const shell = process.platform === "win32";
  const { status, stdout, stderr } = spawnSync("npx", ["--no-install", program, ...args], { cwd: root, encoding: "utf8", shell });
  return status === 0 ? [] : [`$ ${program} ${args.join(" ")}\n${stdout}${stderr}`.trim()];
}

function packed(workspace, into) {
  const before = new Set(readdirSync(into));
  const failures = failureOf("npm", ["pack", "--ignore-scripts", "--silent", "-w", workspace, "--pack-destination", into]);
  const name = readdirSync(into).find((file) => !before.has(file));
  return { failures, tarball: name && join(into, name) };
}

function packageFailures(workspace, into) {
  const { failures, tarball } = packed(workspace, into);
  if (!tarball) return failures;
  const hasTypes = workspace !== "packages/cli";
  return [
    ...failures,
    ...failureOf("publint", ["run", tarball, "--strict"]),
    ...(hasTypes ? failureOf("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--format", "ascii"]) : []),
  ];
}

function packages() {
  const into = mkdtempSync(join(tmpdir(), "holdfast-pack-"));
  try {
    return PUBLISHED.flatMap((workspace) => packageFailures(workspace, into));
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

function types() {
  const projects = ["tsconfig.tests.json", "packages/dashboard/tsconfig.json"].filter((name) => existsSync(join(root, name)));
  return projects.flatMap((project) => failureOf("tsc", ["--noEmit", "-p", project]));
}

const CHECKS = {
  build: () => (build() ? [] : ["The packages or the dashboard do not compile; see above."]),
  lint: () => failureOf("biome", ["ci", "--colors=off", "."]),
  types,
  tidy: () => failureOf("tsx", ["scripts/tidy.ts"]),
  unused: () => failureOf("knip", ["--no-progress"]),
  packages,
  nodes: nodeLineFailures,
  databases: databaseLineFailures,
};

function main() {
  if (!ensureInstalled()) return 1;
  const only = process.argv.slice(2);
  const failed = Object.entries(CHECKS).filter(([name, check]) => {
    if (only.length > 0 && !only.includes(name)) return false;
    const failures = check();
    process.stdout.write(`${failures.length === 0 ? "ok    " : "FAILED"} ${name}\n`);
    for (const failure of failures) process.stdout.write(`${failure.replace(/^/gm, "       ")}\n`);
    return failures.length > 0;
  });
  process.stdout.write(failed.length === 0 ? "all checks passed\n" : `failed: ${failed.map(([name]) => name).join(", ")}\n`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = main();
