// Room: store. Intakes with runs that ask at doors: a transaction that stores the events, locks the doors, and then stores who is let in and notes why others
// are not. Called by intake.ts. The order of locks is: finished work, event keys, doors by id, work of debounced runs, gates.
import type { DoorState } from "@holdfast/engine";
import { askAll, idleAt, type Knocking, type Outcomes, type Replacement } from "../doors.ts";
import { weekOfRun } from "./groups.ts";
import { runColumns, skipColumns } from "./rows.ts";
import { statement, statementOfWeek } from "./statements.ts";
import { inOrder, type Query, type Send } from "./transaction.ts";

interface DoorRow {
  id: string;
  starts: number;
  last_at: number | null;
  run_id: string | null;
  event_id: string | null;
  since: number | null;
}
interface Start {
  door: string;
  n: number;
  at: number;
}
interface Work {
  id: string;
  due_at: number;
}
interface Known {
  event: string;
  job: string;
}

/** Doors as they were locked, and which of those who ask had their answer before. */
export interface Locked {
  states: Map<string, DoorState>;
  isKnown(knocking: Knocking): boolean;
}

/** Sends at once what it has to, so that it travels with what was sent before. */
export async function lockDoors(knocking: readonly Knocking[], send: Send): Promise<Locked> {
  const doors = [...new Set(knocking.map(({ run }) => run.door.id))].sort();
  const asked = knocking.map(({ run }) => ({ event: run.eventRowId, job: run.jobId }));
  const [rows, starts, , works, known] = (await inOrder<object[]>([
    send<DoorRow>({ prepared: statement("lock-doors"), values: [doors] }),
    send<Start>({ prepared: statement("door-times"), values: [JSON.stringify(asking(knocking))] }),
    send({ prepared: statement("lock-put-off"), values: [doors] }),
    send<Work>({ prepared: statement("put-off"), values: [doors] }),
    send<Known>({ prepared: statement("known-outcomes"), values: [JSON.stringify(asked)] }),
  ])) as [DoorRow[], Start[], object[], Work[], Known[]];
  const due = new Map(works.map(({ id, due_at }) => [id, due_at]));
  const states = new Map(rows.map((row) => [row.id, stateOf(row, { starts, due })]));
  const outcomes = new Set(known.map(({ event, job }) => `${event} ${job}`));
  return { states, isKnown: ({ run }) => outcomes.has(`${run.eventRowId} ${run.jobId}`) };
}

/** Of each door with a limit: how many ask. Should two limits be given for it, by two versions of an app, the higher says how far back to look. */
function asking(knocking: readonly Knocking[]): { door: string; most: number; asking: number }[] {
  const rates = new Map<string, { door: string; most: number; least: number; count: number }>();
  for (const { run } of knocking) {
    if (run.door.kind !== "rate") continue;
    const { id: door, limit } = run.door;
    const { most, least, count } = rates.get(door) ?? { most: limit, least: limit, count: 0 };
    rates.set(door, { door, most: Math.max(most, limit), least: Math.min(least, limit), count: count + 1 });
  }
  return [...rates.values()].map(({ door, most, least, count }) => ({ door, most, asking: most - least + count }));
}

function stateOf(row: DoorRow, { starts, due }: { starts: Start[]; due: ReadonlyMap<string, number> }): DoorState {
  const times = new Map(starts.flatMap(({ door, n, at }) => (door === row.id ? [[n, at] as const] : [])));
  if (row.last_at !== null) times.set(row.starts - 1, row.last_at);
  const { run_id: run, event_id: event, since } = row;
  const dueAt = run === null ? undefined : due.get(run);
  const putOff = run === null || event === null || since === null || dueAt === undefined ? null : { run, event, since, dueAt };
  return { starts: row.starts, times, putOff };
}

/** Answers what comes of those who ask, and the statements that note it, once the runs that were let in are stored. */
export function decideAtDoors(knocking: readonly Knocking[], states: Locked["states"]): { outcomes: Outcomes; notes: Query[] } {
  const outcomes = askAll(knocking, states);
  const last = new Map(knocking.map((one) => [one.run.door.id, one]));
  const doors = [...last].map(([id, one]) => doorColumns(id, outcomes.states.get(id) as DoorState, one));
  const starts = [...last].flatMap(([id, { run }]) => newStarts(run.door, states.get(id)?.starts ?? 0, outcomes.states.get(id)));
  const notes: Query[] = [{ prepared: statement("write-doors"), values: [JSON.stringify(doors)] }];
  if (starts.length > 0) notes.push({ prepared: statement("add-starts"), values: [JSON.stringify(starts)] });
  if (outcomes.skips.length > 0)
    notes.push({ prepared: statement("add-skips"), values: [JSON.stringify(outcomes.skips.map(skipColumns))] });
  for (const [week, rows] of replacementsByWeek(outcomes))
    notes.push({ prepared: statementOfWeek("replace-runs", week), values: [JSON.stringify(rows)] });
  return { outcomes, notes };
}

function doorColumns(id: string, state: DoorState, knocking: Knocking): object {
  const { run, event, since, dueAt } = state.putOff ?? {};
  return {
    id,
    starts: state.starts,
    last_at: state.times.get(state.starts - 1),
    run_id: run,
    event_id: event,
    since,
    due_at: dueAt,
    idle_at: idleAt(knocking, state),
  };
}

function newStarts(door: Knocking["run"]["door"], first: number, state: DoorState | undefined): object[] {
  if (door.kind !== "rate" || !state) return [];
  const { id, limit: most, period } = door;
  const numbers = Array.from({ length: state.starts - first }, (_, i) => first + i);
  return numbers.map((n) => ({ door: id, n, at: state.times.get(n), most, period }));
}

function replacementsByWeek({ replaced }: Outcomes): Map<number, object[]> {
  const weeks = new Map<number, object[]>();
  for (const { id, by, dueAt } of [...replaced.values()].sort((a: Replacement, b) => (a.id < b.id ? -1 : 1))) {
    const week = weekOfRun(id);
    weeks.set(week, [...(weeks.get(week) ?? []), { ...runColumns(by), id, due_at: dueAt }]);
  }
  return weeks;
}
