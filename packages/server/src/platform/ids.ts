// Room: platform. Ids from the real clock and real chance, for the World and for nobody else.
// Chance is drawn from the system in blocks, so an id costs well under a microsecond instead of a system call.
import { randomFillSync } from "node:crypto";
import { type Id, type IdKind, makeId } from "@holdfast/protocol";

const CHANCE_BYTES = 16;
const BLOCK_BYTES = CHANCE_BYTES * 512;

/** Makes a typed, time-sortable id. */
export type NewId = <K extends IdKind>(kind: K) => Id<K>;

/**
 * A source of ids.
 *
 * @param now epoch milliseconds; ids sort by it
 * @example const newId = idSource(() => 1767225600000); newId("run") // "run_01kdvsf400…"
 */
export function idSource(now: () => number): NewId {
  const block = new Uint8Array(BLOCK_BYTES);
  const chances = Array.from({ length: BLOCK_BYTES / CHANCE_BYTES }, (_, i) =>
    block.subarray(i * CHANCE_BYTES, (i + 1) * CHANCE_BYTES),
  );
  let next = chances.length;
  return (kind) => {
    if (next === chances.length) {
      randomFillSync(block);
      next = 0;
    }
    return makeId(kind, now(), chances[next++] ?? block);
  };
}
