// The judge judged: one clean history passes, and each kind of damage done to it is found and named.
import { expect, test } from "vitest";
import { type AppEntry, type History, violations } from "./checker.ts";

const clean: History = {
  sent: ["msg_1", "msg_2"],
  acknowledged: [{ svixId: "msg_1" }],
  jobs: ["welcome"],
  runs: [{ id: "run_1", job: "welcome", status: "SUCCESS" }],
  app: [
    { what: "entered", run: "run_1", job: "welcome", svixId: "msg_1" },
    { what: "started", run: "run_1", task: "fetch", idempotencyKey: "k" },
    // Killed before it heard that the task was recorded: starting it again is allowed.
    { what: "entered", run: "run_1", job: "welcome", svixId: "msg_1" },
    { what: "started", run: "run_1", task: "fetch", idempotencyKey: "k" },
    { what: "acknowledged", run: "run_1", task: "fetch", output: "a" },
    { what: "entered", run: "run_1", job: "welcome", svixId: "msg_1" },
    { what: "acknowledged", run: "run_1", task: "fetch", output: "a" },
    { what: "returned", run: "run_1", output: "x" },
  ],
};
const after = (...entries: AppEntry[]): History => ({ ...clean, app: [...clean.app, ...entries] });

test("a history in which every promise was kept has no violation", () => {
  expect(violations(clean)).toEqual([]);
});

test.each<[string, History, RegExp]>([
  ["a lost request", { ...clean, acknowledged: [{ svixId: "msg_1" }, { svixId: "msg_2" }] }, /msg_2 was acknowledged and no run/],
  [
    "a request with two runs",
    {
      ...after(
        { what: "entered", run: "run_2", job: "welcome", svixId: "msg_1" },
        { what: "returned", run: "run_2", output: "x" },
      ),
      runs: [...clean.runs, { id: "run_2", job: "welcome", status: "SUCCESS" }],
    },
    /started 2 runs/,
  ],
  ["a run that never ended", { ...clean, runs: [{ id: "run_1", job: "welcome", status: "EXECUTING" }] }, /ended as EXECUTING/],
  ["a run that failed", { ...clean, runs: [{ id: "run_1", job: "welcome", status: "FAILURE" }] }, /ended as FAILURE/],
  ["a run that vanished", { ...clean, runs: [] }, /executed and is gone/],
  ["a success nobody returned", { ...clean, app: clean.app.filter(({ what }) => what !== "returned") }, /without returning/],
  ["two results of a run", after({ what: "returned", run: "run_1", output: "y" }), /different outputs/],
  ["a changed output", after({ what: "acknowledged", run: "run_1", task: "fetch", output: "b" }), /changed its output/],
  ["a changed key", after({ what: "started", run: "run_1", task: "fetch", idempotencyKey: "other" }), /idempotency key/],
  ["a start after its completion", after({ what: "started", run: "run_1", task: "fetch", idempotencyKey: "k" }), /started again/],
])("%s is found", (_, history, sentence) => {
  expect(violations(history).join("\n")).toMatch(sentence);
});
