// One test run for the whole workspace. Packages resolve to their sources (export condition `holdfast-source`), so tests need no build
// of ours; tests that start real programs (CLI, `npm start`) use dist, which `npm test` builds first.
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files whose tests take long though there are few of them: begun last they would be waited for with nothing beside them. */
const LONG = /[\\/](?:frameworks|simulation|corners|call-limit|embedded)\.test\.ts$/;

class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(({ moduleId }) => LONG.test(moduleId)), ...sorted.filter(({ moduleId }) => !LONG.test(moduleId))];
  }
}

export default defineConfig({
  resolve: { conditions: ["holdfast-source", "module", "browser", "development|production"] },
  ssr: {
    resolve: {
      conditions: ["holdfast-source", "module", "node", "development|production"],
      externalConditions: ["holdfast-source", "node"],
    },
  },
  test: {
    include: [
      "packages/*/src/**/*.test.{ts,tsx}",
      "catalogue/**/*.test.ts",
      "tests/**/*.test.ts",
      "scripts/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**", "tests/**/.work/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongOnesFirst },
    coverage: { provider: "v8", include: ["packages/*/src/**/*.ts"], exclude: ["**/*.test.ts", "**/*.conformance.ts"] },
  },
});
