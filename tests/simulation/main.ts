// Simulation: `npm run sim -- [--seed N] [--runs N] [--minutes M] [--about <id>] [--verbose] [--points]`. Simulates seeds from N on and says what it found;
// --verbose prints the whole history, --about the lines that name an id, --points where processes passed and died. Exit code 1 when a promise was broken, 2 for
// arguments that make no sense.
import { parseArgs } from "node:util";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string" },
    minutes: { type: "string" },
    about: { type: "string" },
    verbose: { type: "boolean", default: false },
    points: { type: "boolean", default: false },
  },
});

/** Violations shown of one seed. */
const MOST_LINES = 12;
const first = Number(values.seed);
const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
const runs = Number(values.runs ?? (values.minutes === undefined ? 1 : Number.POSITIVE_INFINITY));
if (![first, runs, minutes].every((number) => number > 0)) {
  process.stderr.write("--seed, --runs and --minutes take numbers above 0.\n");
  process.exit(2);
}
const began = performance.now();
const points = new Map<string, { passed: number; died: number }>();
let simulated = 0;
let broken = 0;
let steps = 0;
let longest = 0;

for (let seed = first; simulated < runs && performance.now() - began < minutes * 60_000; seed++) {
  const result = await simulate({ seed });
  simulated += 1;
  steps += result.steps;
  longest = Math.max(longest, result.recoveredAfter);
  for (const [point, { passed, died }] of result.scene.points) {
    const known = points.get(point) ?? { passed: 0, died: 0 };
    points.set(point, { passed: known.passed + passed, died: known.died + died });
  }
  if (values.verbose || values.about) process.stdout.write(`${result.scene.history.lines(values.about).join("\n")}\n`);
  if (runs === 1) process.stdout.write(`seed ${seed}: ${result.hash}, ${result.steps} events, ${result.runs} runs\n`);
  if (result.violations.length === 0) continue;
  broken += 1;
  process.stdout.write(
    `seed ${seed} (${result.hash}):\n${result.violations
      .slice(0, MOST_LINES)
      .map((line) => `  ${line}\n`)
      .join("")}`,
  );
}

if (values.points) {
  for (const [point, { passed, died }] of [...points].sort())
    process.stdout.write(`${point}: passed ${passed}, died there ${died}\n`);
}
const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  `${simulated} seeds from ${first}, ${steps} events, ${seconds.toFixed(1)} s: ${broken} broke a promise; longest recovery ${(longest / 1000).toFixed(1)} virtual s\n`,
);
process.exitCode = broken === 0 ? 0 : 1;
