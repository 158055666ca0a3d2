// What a step costs: one report, and the thousandth no more than the first.
import { expect, it } from "vitest";
import { executionStart } from "../../test-kit/run-model.ts";
import { ApiClient } from "../client/api.ts";
import { RunIO } from "../io/run-io.ts";
import { realRuntime } from "../runtime/real.ts";
import { Execution } from "./execution.ts";

const api = new ApiClient(() => ({ apiKey: undefined, apiUrl: "" }), realRuntime);

async function run(steps: number): Promise<{ msPerStep: number; reports: number }> {
  let reports = 0;
  const reporter = {
    report: async () => {
      reports += 1;
      return "recorded" as const;
    },
  };
  const execution = new Execution(executionStart(), reporter, realRuntime);
  const io = new RunIO(execution, { api: api, app: "app", setting: { level: "info", mirror: false } });
  const began = performance.now();
  await execution.run(io, async () => {
    for (let i = 0; i < steps; i++) await io.runTask(`step ${i}`, async () => ({ i }));
  });
  return { msPerStep: (performance.now() - began) / steps, reports };
}

it("10,000 steps in a row take 10,000 reports, and are linear", async () => {
  await run(2000);
  let best = Number.POSITIVE_INFINITY;
  // Another process may take the processor during one measurement, hardly during all of them.
  for (let i = 0; i < 8 && best > 3; i++) {
    const [few, many] = [await run(1000), await run(10_000)];
    expect(many.reports).toBe(10_000);
    best = Math.min(best, many.msPerStep / few.msPerStep);
  }
  expect(best).toBeLessThanOrEqual(3);
});
