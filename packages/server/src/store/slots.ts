// Room: store. What a change means for the slots of its run, the same in PostgreSQL and in memory. Called by both stores.
import { type Asking, type Gate, laterFlow } from "@holdfast/engine";
import type { RunChange, RunRow } from "./store.ts";

/** True when the run needs a slot it does not have. One whose lease expired still has its own. */
export function beginsExecuting({ before, after }: RunChange): boolean {
  return after.state.kind === "executing" && before.state.kind !== "executing";
}

/** Who asks for slots among a claim's changes. */
export function askingIn(changes: readonly RunChange[]): Asking[] {
  return changes.flatMap((change) => {
    const { id, flow, startedAt } = change.before;
    if (!flow || !beginsExecuting(change)) return [];
    return [{ id, flow: startedAt === null ? flow : laterFlow(flow) }];
  });
}

/** The gates at which a run asks that is about to execute. */
export function gatesAskedBy({ flow, startedAt }: RunRow): readonly Gate[] {
  if (!flow) return [];
  return startedAt === null ? flow.gates : laterFlow(flow).gates;
}

const GATE = "gate:";

/** The gate that a row of work of kind "gate" is about. */
export function gateOfWork(id: string): string {
  return id.slice(GATE.length);
}
export function workOfGate(gate: string): string {
  return GATE + gate;
}
