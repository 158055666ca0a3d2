// Every inner state has its v2 name.
import { FINAL_RUN_STATUSES } from "@holdfast/protocol";
import { expect, it } from "vitest";
import { newRun, type Outcome, type RunState, statusOf } from "./index.ts";

const of = (state: RunState) => statusOf({ ...newRun("run_1", 0), state });

it("names the unfinished states", () => {
  expect(of({ kind: "queued", cause: "created", dueAt: 0 })).toBe("QUEUED");
  for (const cause of ["resumed", "retry", "yielded"] as const)
    expect(of({ kind: "queued", cause, dueAt: 0 })).toBe("WAITING_TO_EXECUTE");
  expect(of({ kind: "executing", token: "exe_1", since: 0 })).toBe("EXECUTING");
  expect(of({ kind: "waiting", dueAt: null })).toBe("WAITING_TO_CONTINUE");
  expect(of({ kind: "waiting", dueAt: null, on: "connections" })).toBe("WAITING_ON_CONNECTIONS");
});

it("names a finished run by its outcome", () => {
  for (const status of FINAL_RUN_STATUSES) expect(of({ kind: "finished", at: 0, outcome: { status } as Outcome })).toBe(status);
});
