// Bench: what a step costs an app reached by push, its reports streamed and posted, in turns in one run, beside the same step of a connected app.
// One of the measures of measures.ts.
import { startApp } from "../tests/harness/apps.ts";
import type { Figure } from "./figure.ts";
import { ONE_COMMIT } from "./raw-limits.ts";
import type { Stand } from "./stand.ts";
import { median } from "./statistics.ts";

const STEPS = 200;
const TURNS = 7;
const WARM_UP = 3;

type Ask = (payload: object) => Promise<number[]>;

/** Starts such an app; the answer runs its job and tells the milliseconds of each step. */
async function pushApp(stand: Stand, reports: "streamed" | "posted"): Promise<{ steps: Ask; stop: () => Promise<unknown> }> {
  const app = startApp(stand.server, "bench/push-app.ts", { BENCH_REPORTS: reports });
  await app.says(/registered/);
  let rest = "";
  let heard: (steps: number[]) => void = () => {};
  app.onStdout((chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) heard((JSON.parse(line) as { steps: number[] }).steps);
  });
  const steps: Ask = async (payload) => {
    const told = new Promise<number[]>((resolve) => {
      heard = resolve;
    });
    await stand.send(`push-${reports}`, payload);
    return told;
  };
  return { steps, stop: () => app.stop() };
}

export async function pushed(stand: Stand): Promise<Figure[]> {
  const streamed = await pushApp(stand, "streamed");
  const posted = await pushApp(stand, "posted");
  const connected: Ask = async (payload) => {
    await stand.send("steps", payload);
    const [told] = await stand.finished(1);
    return told?.steps ?? [];
  };
  const ways: [string, Ask][] = [
    ["a step, reports streamed, p50", streamed.steps],
    ["a step, reports posted, p50", posted.steps],
    ["a step of a connected app, p50", connected],
  ];
  const times = ways.map((): number[] => []);
  for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
    for (const [at, [, ask]] of ways.entries()) {
      const steps = await ask({ steps: STEPS });
      if (turn >= WARM_UP) times[at]?.push(...steps);
    }
  }
  await Promise.all([streamed.stop(), posted.stop()]);
  const figures = ways.map(([name], at): Figure => ({ name, value: median(times[at] ?? []), unit: "ms", against: ONE_COMMIT }));
  const [first, second] = figures;
  const share = ((first?.value ?? Number.NaN) / (second?.value ?? Number.NaN)) * 100;
  return [...figures, { name: "streamed against posted", value: share, unit: "%" }];
}
