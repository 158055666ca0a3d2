// Apps on platforms that give a call little time, by the published SDK and by ours: what was cut off goes on where it was, and is then kept from being cut.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyApp, type Mounting, removeCopiedApps } from "./harness/copied-app.ts";
import { startPlatform } from "./harness/platform.ts";
import { cleanUp, freshDirectory } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";

/** v2's SDK does not yield within 10 s, whatever it is told. */
const SCENES: [Mounting, { limitMs: number; legs: number; legMs: number }][] = [
  ["published", { limitMs: 11_000, legs: 30, legMs: 800 }],
  ["ours-by-push", { limitMs: 3_000, legs: 20, legMs: 400 }],
];
const PATIENT = { withinMs: 60_000 };
const LONG = { timeout: 120_000 };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

describe.each(SCENES)("calls with a time limit, SDK %s", (mounting, { limitMs, legs, legMs }) => {
  test(
    "what is cut off goes on where it was, and from then on yields in time; what never fits ends TIMED_OUT",
    LONG,
    async () => {
      const diary = join(freshDirectory(), "diary");
      const start = copyApp({ mounting, files: ["tests/published/long-haul.ts"], env: { ...server.appEnv, DIARY: diary } });
      const platform = await startPlatform(limitMs, (PUBLIC_URL, again) =>
        start({ PUBLIC_URL, ...(again ? { IS_REGISTERED: "1" } : {}) }),
      );
      await server.api.knowsJob("haul");
      const run = await server.api.runOnce("haul", { name: "haul", payload: { legs, legMs } }, PATIENT);
      expect(run.output, JSON.stringify(run.errorDetail)).toEqual({ done: Array.from({ length: legs }, (_, leg) => leg) });
      const cutOff = platform.calls.filter((ended) => ended === "cut off").length;
      expect(cutOff).toBeGreaterThan(0);
      expect(platform.calls.length - cutOff, "one that yielded and one that ended the run").toBeGreaterThanOrEqual(2);
      const begun = readFileSync(diary, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("begin"));
      expect(begun.length, "only the leg under way is begun again").toBeLessThanOrEqual(legs + cutOff);

      if (mounting === "ours-by-push") expect(await hopeless()).toMatch(/ended after \d+ s by the time limit of the platform/);
      await platform.close();
    },
  );
});

/** What is said of a run whose only leg never fits. */
async function hopeless(): Promise<string | undefined> {
  const run = await server.api.runOnce("haul", { name: "haul", payload: { legs: 1, legMs: 60_000 } }, PATIENT);
  expect(run.status).toBe("TIMED_OUT");
  return run.error ?? undefined;
}
