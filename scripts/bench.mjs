// `npm run bench [-- options]`: installs if need be, builds, and runs bench/bench.ts against the built packages. Options: see there and docs/performance.md.
import { build } from "./build.mjs";
import { ensureInstalled, run } from "./install.mjs";

process.exitCode =
  ensureInstalled() && build() ? run("node", ["--import", "tsx", "bench/bench.ts", ...process.argv.slice(2)]) : 1;
