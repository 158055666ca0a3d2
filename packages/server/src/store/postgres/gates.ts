// Room: store. The statements by which slots at gates are taken and freed, and parked work is invited. Called by claim.ts, change-run.ts, intake.ts and
// gate-keeper.ts, each inside its own transaction. The order of locks is: work, gates by id, runs; all rows of a gate change only under its lock.
import { type Flow, type Gate, waitingPlaces } from "@holdfast/engine";
import { gatesAskedBy } from "../slots.ts";
import type { RunChange, RunRow } from "../store.ts";
import { byId, weekOfRun } from "./groups.ts";
import { statement, statementOfWeek } from "./statements.ts";
import type { Query } from "./transaction.ts";

/** A gate as it was locked: `used` slots of `capacity` are held, and it has come to `turn`. */
export interface LockedGate {
  id: string;
  capacity: number;
  used: number;
  turn: number;
}
export interface Parked {
  run_id: string;
  gate: string;
  queue: string;
  priority: number;
  turn: number;
  /** It has executed before. */
  began: boolean;
}

/** The gates of these runs, each once, in the order of locks. */
export function gatesOf(runs: readonly { flow?: Flow }[]): Gate[] {
  const gates = new Map(runs.flatMap(({ flow }) => flow?.gates ?? []).map((gate) => [gate.id, gate]));
  return [...gates.values()].sort(byId(({ id }) => id));
}

export function roomsOf(locked: readonly LockedGate[]): Map<string, number> {
  return new Map(locked.map(({ id, capacity, used }) => [id, capacity - used]));
}

/** New runs, each where it waits and with its turn. */
export function parkedNew(runs: readonly RunRow[], locked: readonly LockedGate[]): (Parked & { turn_of: string | null })[] {
  const asking = runs.flatMap(({ id, flow }) => (flow ? [{ id, flow }] : []));
  const places = waitingPlaces(asking, roomsOf(locked), new Map(locked.map(({ id, turn }) => [id, turn])));
  return runs.flatMap((run) => {
    const place = places.get(run.id);
    return place ? [{ ...parkedAt(run, place), turn_of: place.of }] : [];
  });
}

export function lockGates(gates: readonly Gate[], now: number): Query {
  const rows = gates.map(({ id, rule, limit, pace }) => ({
    id,
    rule,
    capacity: limit,
    period_ms: pace?.period,
    burst: pace?.burst,
  }));
  return { prepared: statement("lock-gates"), values: [JSON.stringify(rows), Math.floor(now)] };
}

export function lockWork(changes: readonly RunChange[]): Query {
  return { prepared: statement("lock-work"), values: [changes.map(({ before }) => before.id)] };
}

/** For runs that begin to execute. Nothing if there is nobody to give one. */
export function takeSlots(runs: readonly RunRow[], now: number): Query[] {
  const taken = runs.flatMap((run) =>
    gatesAskedBy(run).map((gate) => ({ run_id: run.id, gate: gate.id, paced: gate.pace !== undefined })),
  );
  const slots = taken.filter(({ paced }) => !paced).map(({ run_id, gate }) => ({ run_id, gate }));
  const starts = new Map<string, number>();
  for (const { gate, paced } of taken) if (paced) starts.set(gate, (starts.get(gate) ?? 0) + 1);
  const counted = [...starts].map(([gate, count]) => ({ gate, count }));
  const began = runs.filter(({ flow }) => flow).map(({ id }) => id);
  return [
    ...(began.length > 0 ? [{ prepared: statement("take-slots"), values: [JSON.stringify(slots), began] }] : []),
    ...(counted.length > 0 ? [{ prepared: statement("start-paced"), values: [JSON.stringify(counted), Math.floor(now)] }] : []),
  ];
}

/** Nothing where no gate has a pace. */
export function watchGates(gates: readonly Gate[], now: number): Query[] {
  const paced = gates.filter(({ pace }) => pace).map(({ id }) => id);
  return paced.length > 0 ? [{ prepared: statement("watch-gates"), values: [paced, Math.floor(now)] }] : [];
}

export function park(parked: readonly Parked[], how: "park" | "park-new"): Query[] {
  return parked.length > 0 ? [{ prepared: statement(how), values: [JSON.stringify(parked)] }] : [];
}

export function parkedAt({ id, appId, flow, startedAt }: RunRow, { gate, turn }: Pick<Parked, "gate" | "turn">): Parked {
  return { run_id: id, gate, queue: appId, priority: flow?.priority ?? 0, turn, began: startedAt !== null };
}

/** For changes of one week, after they were written. */
export function freeSlots(changes: readonly RunChange[], week: number): Query {
  return { prepared: statementOfWeek("free-slots", week), values: [changes.map(({ before }) => before.id)] };
}

export function inviteParked(gates: readonly Pick<Gate, "id">[], now: number): Query {
  return { prepared: statement("invite"), values: [gates.map(({ id }) => id), Math.ceil(now)] };
}

/** Runs of a claim's changes, by week. */
export function byWeek(changes: readonly RunChange[]): Map<number, RunChange[]> {
  const weeks = new Map<number, RunChange[]>();
  for (const change of changes) {
    const week = weekOfRun(change.before.id);
    weeks.set(week, [...(weeks.get(week) ?? []), change]);
  }
  return weeks;
}
