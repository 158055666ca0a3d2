// The one place where the engine's four inner states become the status names of the v2 wire. Called by the store (written along with the state) and by
// everything that shows a run. Promises: every state has exactly one name.
import type { RunStatus } from "@holdfast/protocol";
import type { Run } from "./run.ts";

/**
 * The v2 status of a run.
 *
 * @example statusOf(newRun("run_1", 0)) // "QUEUED"
 */
export function statusOf(run: Pick<Run, "state">): RunStatus {
  const { state } = run;
  switch (state.kind) {
    case "queued":
      return state.cause === "created" ? "QUEUED" : "WAITING_TO_EXECUTE";
    case "executing":
      return "EXECUTING";
    case "waiting":
      return state.on === "connections" ? "WAITING_ON_CONNECTIONS" : "WAITING_TO_CONTINUE";
    case "finished":
      return state.outcome.status;
  }
}
