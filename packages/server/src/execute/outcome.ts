// Room: execute. What an app says at the end of an execution, as an input of the run machine. Two dialects: our SDK's outcomes and v2's responses.
import type { RunInput } from "@holdfast/engine";
import type { ExecutionOutcome } from "@holdfast/protocol";

/** @param now epoch milliseconds the frame arrived at: waits count from it, so none ends early */
export function inputOf(token: string, outcome: ExecutionOutcome, now: number): RunInput {
  switch (outcome.status) {
    case "SUCCESS":
      return { type: "succeeded", token, output: outcome.output ?? null };
    case "ERROR":
      return { type: "failed", token, error: outcome.error };
    case "SUSPENDED":
      return { type: "suspended", token, dueAt: outcome.wakeMs === undefined ? null : Math.ceil(now + outcome.wakeMs) };
    case "YIELDED":
      return { type: "yielded", token, key: outcome.key ?? null, dueAt: null };
    case "INVALID_PAYLOAD":
      return { type: "invalidPayload", token, errors: outcome.errors };
    case "UNRESOLVED_AUTH":
      return { type: "unresolvedAuth", token, issues: outcome.issues };
  }
}
