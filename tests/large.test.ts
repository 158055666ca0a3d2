// Large things, whole: payloads of nearly 10 MB, and outputs of as many (3 MB with the published SDK, which takes no more), kept through a wait and shown.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";

const LONG = { timeout: 180_000 };
const PIECES = 4;
const PAYLOAD = "p".repeat(9_500_000);
const SCENES: [Mounting, number][] = [
  ["published", 2_900_000],
  ["ours", 9_500_000],
  ["ours-by-push", 9_500_000],
];

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

describe.each(SCENES)("large things, SDK %s", (mounting, size) => {
  test("a run carries them through a wait, and its tasks are read in pages that fit", LONG, async () => {
    const app = await startCopiedApp({ mounting, files: ["tests/published/large.ts"], env: server.appEnv });
    await server.api.knowsJob("carry");
    const payload = { text: PAYLOAD, pieces: PIECES, size };
    const run = await server.api.runOnce("carry", { name: "carry", payload }, { withinMs: 60_000 });
    expect(run.errorDetail).toBeNull();
    expect(run.executions).toBe(2);
    const { got, last } = run.output as { got: number; last: string };
    expect([got, last === `${PIECES} ${"a".repeat(size)}`]).toEqual([PAYLOAD.length, true]);

    const pages: string[][] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const answer = await fetch(
        `${server.url}/api/v1/environments/dev/runs/${run.id}/tasks?limit=1000&cursor=${encodeURIComponent(cursor)}`,
        {
          headers: { authorization: `Bearer ${DEV_KEY}` },
        },
      );
      const page = (await answer.json()) as { items: { key: string; output?: string }[]; nextCursor?: string };
      for (const { output } of page.items.filter(({ key }) => key.startsWith("piece"))) expect(output).toHaveLength(size + 2);
      pages.push(page.items.map(({ key }) => key));
      cursor = page.nextCursor;
    }
    expect(pages.flat().filter((key) => key.startsWith("piece"))).toEqual(
      Array.from({ length: PIECES + 1 }, (_, i) => `piece-${i}`),
    );
    expect(pages.length).toBeGreaterThan(2);
    await app.stop();
  });
});
