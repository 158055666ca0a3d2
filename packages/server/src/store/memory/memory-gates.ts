// Room: store. The memory store's gates, step by step what the statements of postgres/gates.ts do. Called by MemoryStore and memory-claim.ts only.
import {
  type Admission,
  admit,
  type Flow,
  type Gate,
  type Pace,
  pacedLook,
  pacedNext,
  pacedRoom,
  pacedStep,
  type RuleLimit,
  URGENCY_MS,
  waitingPlaces,
} from "@holdfast/engine";
import { askingIn, gatesAskedBy, workOfGate } from "../slots.ts";
import type { RunChange, RunRow } from "../store.ts";
import type { Tables } from "./memory-store.ts";

export interface Parked {
  gate: string;
  queue: string;
  priority: number;
  turn: number;
  invited: boolean;
}

/** `limits`: by rule; `capacities`: by gate, with its rule; `turns`: by gate; `next`: by gate with a pace, microseconds; `slots` and `parked`: by run. */
export interface GateTables {
  limits: Map<string, number>;
  capacities: Map<string, { rule: string; capacity: number; pace?: Pace | undefined }>;
  turns: Map<string, number>;
  next: Map<string, number>;
  slots: Map<string, readonly string[]>;
  parked: Map<string, Parked>;
}

export function noGates(): GateTables {
  return { limits: new Map(), capacities: new Map(), turns: new Map(), next: new Map(), slots: new Map(), parked: new Map() };
}

function gatesOf(runs: readonly { flow?: Flow }[]): Gate[] {
  return runs.flatMap(({ flow }) => flow?.gates ?? []);
}

/** Free slots of these gates, made if they are missing; a limit set for the rule counts from here on. */
function roomsOf({ gates }: Tables, asked: readonly Gate[], now: number): Map<string, number> {
  for (const { id, rule, limit, pace } of asked) {
    const known = gates.capacities.get(id);
    const capacity = gates.limits.get(known?.rule ?? rule) ?? known?.capacity ?? limit;
    gates.capacities.set(id, { rule, capacity, pace: known?.pace ?? pace });
  }
  return new Map(asked.map(({ id }) => [id, roomAt(gates, id, now)]));
}

function roomAt(gates: GateTables, id: string, now: number): number {
  const { capacity = 0, pace } = gates.capacities.get(id) ?? {};
  if (!pace) return capacity - held(gates, id);
  return pacedRoom(pacedStep(capacity, pace), pace, gates.next.get(id) ?? 0, Math.floor(now));
}

function held(gates: GateTables, gate: string): number {
  return [...gates.slots.values()].filter((some) => some.includes(gate)).length;
}

/** Decides who of a claim gets a slot. */
export function admitAll(tables: Tables, changes: readonly RunChange[], now: number): Admission {
  const asking = askingIn(changes);
  return admit(asking, roomsOf(tables, gatesOf(asking), now));
}

export function takeSlots({ gates }: Tables, run: RunRow, now: number): void {
  if (!run.flow) return;
  const asked = gatesAskedBy(run);
  gates.slots.set(
    run.id,
    asked.filter(({ pace }) => !pace).map((gate) => gate.id),
  );
  for (const { id, pace } of asked) {
    const step = pace && pacedStep(gates.capacities.get(id)?.capacity ?? 1, pace);
    if (step) gates.next.set(id, pacedNext(step, gates.next.get(id) ?? 0, { now: Math.floor(now), count: 1 }));
  }
  gates.parked.delete(run.id);
}

/** Makes a row of work for each gate with a pace at which runs wait uninvited. Answers when they are due. */
export function watchGates({ gates, work }: Tables, asked: readonly Gate[], now: number): number[] {
  return [...new Set(asked.map(({ id }) => id))].sort().flatMap((gate) => {
    const { capacity = 1, pace } = gates.capacities.get(gate) ?? {};
    const here = [...gates.parked.values()].filter((parked) => parked.gate === gate);
    const queue = here
      .filter(({ invited }) => !invited)
      .map((parked) => parked.queue)
      .sort()[0];
    const id = workOfGate(gate);
    if (!pace || queue === undefined || work.has(id)) return [];
    const invited = here.filter((parked) => parked.queue === queue && parked.invited).length;
    const dueAt = pacedLook(pacedStep(capacity, pace), pace, gates.next.get(gate) ?? 0, { now: Math.floor(now), invited });
    if (dueAt === null) return [];
    work.set(id, { id, kind: "gate", queue, dueAt, token: null, owner: null, attempts: 0 });
    return [dueAt];
  });
}

export function parkClaimed(tables: Tables, run: RunRow, gate: string): void {
  tables.work.delete(run.id);
  const former = tables.gates.parked.get(run.id);
  const present = tables.gates.turns.get(gate) ?? 0;
  park(tables, run, {
    gate,
    turn: former === undefined && run.startedAt !== null ? 0 : former?.gate === gate ? former.turn : present,
  });
}

function park({ gates }: Tables, { id, appId: queue, flow }: RunRow, { gate, turn }: { gate: string; turn: number }): void {
  gates.parked.set(id, { gate, queue, priority: flow?.priority ?? 0, turn, invited: false });
}

function advance({ turns }: GateTables, gate: string, turn: number): void {
  turns.set(gate, Math.max(turns.get(gate) ?? 0, turn));
}

/** Parks runs stored just now, and invites whom there is room for. */
export function parkNew(tables: Tables, runs: readonly RunRow[], now: number): void {
  const asking = runs.flatMap(({ id, flow }) => (flow ? [{ id, flow }] : []));
  const places = waitingPlaces(asking, roomsOf(tables, gatesOf(runs), now), tables.gates.turns);
  for (const run of runs) {
    const place = places.get(run.id);
    if (place) park(tables, run, place);
    if (place?.of) advance(tables.gates, place.of, place.turn);
  }
  inviteParked(tables, gatesOf(runs), now);
  watchGates(tables, gatesOf(runs), now);
}

/** After a change of a run with gates was written. */
export function freeSlots(tables: Tables, { id }: RunRow): void {
  const { gates, runs, work } = tables;
  const kind = runs.get(id)?.state.kind;
  if (kind !== "executing") gates.slots.delete(id);
  const parked = gates.parked.get(id);
  if (parked && (kind === "finished" || (!parked.invited && work.has(id)))) gates.parked.delete(id);
}

/** Makes parked work due where there is room. Answers the queues. */
export function inviteParked(tables: Tables, asked: readonly Gate[], now: number): string[] {
  const { gates, work } = tables;
  const queues = new Set<string>();
  for (const [gate, room] of roomsOf(tables, asked, now)) {
    const here = [...gates.parked].filter(([, parked]) => parked.gate === gate);
    for (const queue of new Set(here.map(([, parked]) => parked.queue))) {
      const mine = here.filter(([, parked]) => parked.queue === queue).sort(inOrder);
      const free = Math.max(0, room - mine.filter(([, { invited }]) => invited).length);
      for (const [id, parked] of mine.filter(([, { invited }]) => !invited).slice(0, free)) {
        gates.parked.set(id, { ...parked, invited: true });
        advance(gates, gate, parked.turn);
        if (work.has(id)) continue;
        work.set(id, {
          id,
          kind: "run",
          queue,
          dueAt: Math.ceil(now) - Math.max(0, parked.priority) * URGENCY_MS,
          token: null,
          owner: null,
          attempts: 0,
        });
        queues.add(queue);
      }
    }
  }
  return [...queues];
}

function inOrder([a, first]: [string, Parked], [b, second]: [string, Parked]): number {
  return second.priority - first.priority || first.turn - second.turn || (a < b ? -1 : 1);
}

/** As one transaction: gates at which parked work waits get their limits, and invite. Answers the queues. */
export function saveLimits(tables: Tables, limits: readonly RuleLimit[], now: number): string[] {
  const changed = new Set(limits.filter(({ rule, limit }) => tables.gates.limits.get(rule) !== limit).map(({ rule }) => rule));
  for (const { rule, limit } of limits) tables.gates.limits.set(rule, limit);
  const concerned = [...tables.gates.capacities].filter(([, { rule }]) => changed.has(rule));
  return inviteParked(
    tables,
    concerned.map(([id, { rule, capacity }]) => ({ id, rule, limit: capacity })),
    now,
  );
}
