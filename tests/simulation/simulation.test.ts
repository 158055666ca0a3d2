// The simulator in CI: some seeds keep every promise, each seed has one course, and every known bug is found. More seeds: `npm run sim -- --minutes 10`.
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulation.ts";

/** Stops beginning new seeds after this long, but not before the least number of them. */
const BUDGET = { ms: 10_000, least: 40, most: 300 };
/** A bug must be found within so many seeds. */
const SEEDS_A_MUTANT = 100;
const PATIENT = { timeout: 120_000 };

describe("servers, apps and their network under faults", () => {
  it("keep every promise, whatever the seed", PATIENT, async () => {
    const began = performance.now();
    for (let seed = 1; seed <= BUDGET.most; seed++) {
      const { violations } = await simulate({ seed });
      expect(violations, `npm run sim -- --seed ${seed} --verbose`).toEqual([]);
      if (seed >= BUDGET.least && performance.now() - began > BUDGET.ms) break;
    }
  });

  it("take the same course for the same seed, and another for another", PATIENT, async () => {
    const first = await simulate({ seed: 4 });
    const between = await simulate({ seed: 5 });
    const again = await simulate({ seed: 4 });
    expect([again.hash, again.steps]).toEqual([first.hash, first.steps]);
    expect(between.hash).not.toBe(first.hash);
  });
});

describe("the judge finds that", () => {
  it.each(Object.entries(MUTANTS))("%s", PATIENT, async (_name, mutant) => {
    let found: string[] = [];
    for (let seed = 1; seed <= SEEDS_A_MUTANT && found.length === 0; seed++)
      found = (await simulate({ seed, mutant })).violations;
    expect(found).not.toEqual([]);
  });
});
