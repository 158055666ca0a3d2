// Room: store. What becomes of an intake's runs at their doors, the same in PostgreSQL and in memory. Called by both stores, with the doors locked.
import { type DoorState, knockAt } from "@holdfast/engine";
import type { SkipRow } from "./kept-rows.ts";
import type { Intake, NewWork, PlannedRun, RunRow } from "./store.ts";

export interface Knocking {
  run: PlannedRun & { door: NonNullable<PlannedRun["door"]> };
  intake: Intake;
}

/** A debounced run that is another event's now. */
export interface Replacement {
  id: string;
  by: RunRow;
  dueAt: number;
}

export interface Outcomes {
  /** Runs to be stored, by id, as they are then. */
  entered: Map<string, { run: RunRow; dueAt: number }>;
  /** By the id of the run that was put off. */
  replaced: Map<string, Replacement>;
  skips: SkipRow[];
  /** Doors as they stand then. */
  states: Map<string, DoorState>;
}

/** Runs that ask at doors, in the order in which they do. */
export function knockingIn(intakes: readonly Intake[]): Knocking[] {
  return intakes.flatMap((intake) =>
    intake.runs.flatMap((run) => (run.door ? [{ run: { ...run, door: run.door }, intake }] : [])),
  );
}

/** A new run that is due later has no reason to ask for slots before. */
export function isPutOff({ door }: PlannedRun): boolean {
  return door?.kind === "debounce";
}

/** The intake without its runs that ask at doors, or with none but those that may come in. */
export function withoutDoors(intake: Intake): Intake {
  const asking = new Set(intake.runs.filter(({ door }) => door).map(({ id }) => id));
  return { ...intake, runs: intake.runs.filter(({ door }) => !door), work: intake.work.filter(({ id }) => !asking.has(id)) };
}
export function onlyEntered(intake: Intake, entered: Outcomes["entered"]): Intake {
  const runs = intake.runs.flatMap(({ id }) => entered.get(id)?.run ?? []);
  const work = intake.work.flatMap((row): NewWork[] => {
    const dueAt = entered.get(row.id)?.dueAt;
    return dueAt === undefined ? [] : [{ ...row, dueAt }];
  });
  return { ...intake, delivery: null, done: null, runs, work };
}

/** Asks for each in turn. */
export function askAll(knocking: readonly Knocking[], states: ReadonlyMap<string, DoorState>): Outcomes {
  const outcomes: Outcomes = { entered: new Map(), replaced: new Map(), skips: [], states: new Map(states) };
  for (const { run } of knocking) ask(outcomes, run);
  return outcomes;
}

function ask({ entered, replaced, skips, states }: Outcomes, run: Knocking["run"]): void {
  const { door, id, eventRowId, createdAt } = run;
  const before = states.get(door.id) ?? NEW_DOOR;
  const { answer, state } = knockAt(before, { run: id, event: eventRowId, at: Math.ceil(createdAt), door });
  states.set(door.id, state);
  const skip = { jobId: run.jobId, environmentId: run.environmentId, at: Math.ceil(createdAt) };
  if (answer.type === "enters") {
    const { dueAt } = answer;
    const stored: PlannedRun = { ...run, state: { kind: "queued", cause: "created", dueAt } };
    entered.set(id, { run: stored, dueAt });
  } else if (answer.type === "refused") {
    skips.push({ ...skip, eventRowId, reason: "rate-limited", until: answer.until, byEventRowId: null });
  } else {
    replaced.set(answer.run, { id: answer.run, by: run, dueAt: answer.dueAt });
    skips.push({ ...skip, eventRowId: answer.former, reason: "debounced", until: null, byEventRowId: eventRowId });
  }
}

export const NEW_DOOR: DoorState = { starts: 0, times: new Map(), putOff: null };

/** Of the runs of an intake those that are not stored. */
export function absentIn(intake: Intake, entered: Outcomes["entered"]): string[] {
  return intake.runs.flatMap(({ id, door }) => (door && !entered.has(id) ? [id] : []));
}

/** From when on nothing of a door counts. */
export function idleAt({ run: { door, createdAt } }: Knocking, { putOff }: DoorState): number {
  return Math.max(Math.ceil(createdAt) + door.period, putOff?.dueAt ?? 0);
}
