// The kill test of the promises in DESIGN §1: the server, the app, PostgreSQL or all three are killed with -9 at random moments while runs of the Clerk
// example are under way. Nothing acknowledged may be lost, nothing recorded may change, everything ends. The judge is harness/checker.ts.
// Short here; in full: HOLDFAST_KILL_ROUNDS=20 HOLDFAST_KILL_RUNS=200 npx vitest run tests/kill.test.ts (HOLDFAST_KILL_SEED repeats a plan).
import { afterAll, expect, test } from "vitest";
import { violations } from "./harness/checker.ts";
import { KillScene, VICTIMS } from "./harness/kill-scene.ts";
import { cleanUp } from "./harness/processes.ts";
import { randomFrom } from "./harness/random.ts";

const ROUNDS = Number(process.env.HOLDFAST_KILL_ROUNDS ?? 4);
const REQUESTS = Number(process.env.HOLDFAST_KILL_RUNS ?? 60);
const SEED = Number(process.env.HOLDFAST_KILL_SEED ?? Date.now() % 1_000_000);
const REST_MS = 90_000;

afterAll(cleanUp);

const title = `kill -9 in ${ROUNDS} rounds of ${REQUESTS} requests loses and changes nothing (seed ${SEED})`;

test(title, { timeout: 60_000 + ROUNDS * REST_MS }, async () => {
  const scene = await KillScene.open();
  const random = randomFrom(SEED);
  const victims = Array.from({ length: ROUNDS }, (_, i) => VICTIMS[i % VICTIMS.length] ?? "all");
  for (const [i, victim] of random.shuffled(victims).entries()) {
    // Requests go out for about a second, and each run waits for one more: any moment of that.
    const round = { victim, killAfter: random.between(0, 2_200), downFor: random.between(0, 400) };
    const since = performance.now();
    await scene.round({ ...round, requests: REQUESTS, restWithin: REST_MS });
    const took = Math.round(performance.now() - since);
    console.log(`round ${i + 1}/${ROUNDS}: kill -9 of ${victim} after ${round.killAfter} ms, at rest after ${took} ms`);
  }
  const history = await scene.history();
  const count = (what: string) => history.app.filter((entry) => entry.what === what).length;
  const told = `${count("entered")} executions, ${count("started")} tasks started, ${count("acknowledged")} times an output was given back`;
  console.log(`${history.runs.length} runs; the app saw ${told}`);
  expect(violations(history)).toEqual([]);
  expect(history.acknowledged).toHaveLength(ROUNDS * REQUESTS);
  // The receiver dropped repeats by the task's idempotency key: one message a user, however often the app was killed.
  expect(scene.welcomes()).toHaveLength(ROUNDS * REQUESTS);
  await scene.close();
});
