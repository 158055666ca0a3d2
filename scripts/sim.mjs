// `npm run sim -- --seed N [--runs N] [--minutes M] [--about <id>] [--verbose] [--points]`: installs if need be and simulates; see docs/simulation.md.
// Runs on the sources, so that what is simulated is what is in the tree.
import { ensureInstalled, run } from "./install.mjs";

process.exitCode = ensureInstalled()
  ? run("node", ["--conditions=holdfast-source", "--import", "tsx", "tests/simulation/main.ts", ...process.argv.slice(2)])
  : 1;
