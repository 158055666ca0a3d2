// Room: store. What a change means for the slots of its run, the same in PostgreSQL and in memory. Called by both stores.
import type { Asking } from "@holdfast/engine";
import type { RunChange } from "./store.ts";

/** True when the run needs a slot it does not have. One whose lease expired still has its own. */
export function beginsExecuting({ before, after }: RunChange): boolean {
  return after.state.kind === "executing" && before.state.kind !== "executing";
}

/** Who asks for slots among a claim's changes. */
export function askingIn(changes: readonly RunChange[]): Asking[] {
  return changes.flatMap((change) => {
    const { id, flow } = change.before;
    return flow && beginsExecuting(change) ? [{ id, flow }] : [];
  });
}
