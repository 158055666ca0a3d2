// What is wrong with the words themselves is said first, with its own exit code, whether or not a server runs.
import { afterAll, expect, test } from "vitest";
import { run } from "../program.ts";
import { testWorld } from "../testing/test-world.ts";

const here = testWorld({ env: {} });
afterAll(() => here.remove());

test.each([
  [["runs", "list", "--limit", "x"]],
  [["runs", "list", "--status", "HAPPY"]],
  [["runs", "tail", "--status", "HAPPY"]],
  [["deliveries", "list", "--verdict", "odd"]],
  [["events", "skipped", "--job", "j", "--limit", "0"]],
  [["send", "e", "--payload", "{"]],
  [["send", "e", "--deliver-after", "soon"]],
])("%j is a usage error also where no server is known", async (words) => {
  expect(await run(words, here)).toBe(2);
});
