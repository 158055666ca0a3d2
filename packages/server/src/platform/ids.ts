// Room: platform. Ids from the real clock and real chance, for the World and for nobody else.
import { type Id, type IdKind, makeId } from "@holdfast/protocol";
import { chanceSource } from "./chance.ts";

const CHANCE_BYTES = 16;

/** Makes a typed, time-sortable id. */
export type NewId = <K extends IdKind>(kind: K) => Id<K>;

/**
 * A source of ids.
 *
 * @param now epoch milliseconds; ids sort by it
 * @example const newId = idSource(() => 1767225600000); newId("run") // "run_01kdvsf400…"
 */
export function idSource(now: () => number): NewId {
  const random = chanceSource();
  return (kind) => makeId(kind, now(), random(CHANCE_BYTES));
}
