// `npm test [-- vitest arguments]`: installs if need be, builds, runs the tests. Works on a fresh clone.
// Promises: the last line on stdout is `N passed, N failed` (with `, N skipped` if any), and the exit code is 0 only when nothing failed:
// a file that cannot be loaded and an error outside of any test count as failures.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { ensureInstalled, root, run } from "./install.mjs";

function countsOf(report, code) {
  const failedFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = report.numFailedTests + failedFiles.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}

function runVitest(args) {
  const work = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  const file = join(work, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const code = run("npx", ["--no-install", "vitest", "run", ...reporters, ...args]);
    return existsSync(file) ? countsOf(JSON.parse(readFileSync(file, "utf8")), code) : { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where installs are that some tests need, below the folder their names begin with. */
const OWN = {
  "tests/frameworks": [".", "next-14", "react-router-7", "cloudflare"],
  "tests/jest": ["."],
  "tests/v2-integrations": ["."],
  "tests/vendors": ["."],
};

/** Folders of tests with a lock of their own, which weigh as much as everything else: only for those who run their tests, which tell if it failed. */
function ensureOwn(args) {
  const words = args.filter((word) => !word.startsWith("-"));
  for (const [folder, below] of Object.entries(OWN)) {
    if (words.length > 0 && !words.some((word) => word.includes(folder) || folder.includes(word))) continue;
    for (const each of below) ensureInstalled(join(root, folder, each));
  }
}

const args = process.argv.slice(2);
const ready = ensureInstalled() && build();
if (ready) ensureOwn(args);
const { passed, failed, skipped } = ready ? runVitest(args) : { passed: 0, failed: 1, skipped: 0 };
process.stdout.write(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}\n`);
process.exitCode = failed === 0 ? 0 : 1;
