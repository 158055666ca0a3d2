// Room: store. The memory store's doors, step by step what the statements of postgres/doors.ts do. Called by MemoryStore only.
import type { DoorState } from "@holdfast/engine";
import { absentIn, askAll, type Knocking, knockingIn, NEW_DOOR, onlyEntered, type Replacement, withoutDoors } from "../doors.ts";
import type { SkipRow } from "../kept-rows.ts";
import type { Intake } from "../store.ts";
import type { Tables } from "./memory-store.ts";

/** `skips`: by event and job. */
export interface DoorTables {
  states: Map<string, DoorState>;
  skips: Map<string, SkipRow>;
}

export function noDoors(): DoorTables {
  return { states: new Map(), skips: new Map() };
}

/** The intake with those of its runs that may come in, once its event is stored. `absent`: the others. */
export function passDoors(tables: Tables, intake: Intake): { passed: Intake; absent: string[] } {
  const knocking = knockingIn([intake]);
  if (knocking.length === 0) return { passed: intake, absent: [] };
  const { doors } = tables;
  const asking = knocking.filter((one) => !isKnown(tables, one));
  const ids = new Set(asking.map(({ run }) => run.door.id));
  const outcomes = askAll(asking, new Map([...ids].map((id) => [id, stateOf(tables, id)])));
  for (const [id, state] of outcomes.states) doors.states.set(id, state);
  for (const skip of outcomes.skips) doors.skips.set(skipKey(skip.eventRowId, skip.jobId), skip);
  for (const replacement of outcomes.replaced.values()) replace(tables, replacement);
  const open = withoutDoors(intake);
  const entered = onlyEntered(intake, outcomes.entered);
  const passed = { ...open, runs: [...open.runs, ...entered.runs], work: [...open.work, ...entered.work] };
  return { passed, absent: absentIn(intake, outcomes.entered) };
}

function isKnown({ doors, runs }: Tables, { run }: Knocking): boolean {
  if (doors.skips.has(skipKey(run.eventRowId, run.jobId))) return true;
  return [...runs.values()].some(({ eventRowId, jobId }) => eventRowId === run.eventRowId && jobId === run.jobId);
}

function skipKey(event: string, job: string): string {
  return `${event} ${job}`;
}

/** A run that was put off counts for as long as nobody has begun it. */
function stateOf({ doors, runs, work }: Tables, id: string): DoorState {
  const state = doors.states.get(id) ?? NEW_DOOR;
  const waiting = state.putOff && work.get(state.putOff.run);
  const untouched = state.putOff !== null && runs.get(state.putOff.run)?.revision === 0;
  const putOff = state.putOff && untouched && waiting?.token === null ? { ...state.putOff, dueAt: waiting.dueAt } : null;
  return { ...state, putOff };
}

function replace({ runs, work }: Tables, { id, by, dueAt }: Replacement): void {
  const run = runs.get(id);
  const waiting = work.get(id);
  if (!run || !waiting) return;
  const { flow: _former, ...rest } = run;
  const { appId, jobName, jobVersion, eventRowId, deliveryId, isTest, flow, updatedAt } = by;
  runs.set(id, {
    ...rest,
    ...{ appId, jobName, jobVersion, eventRowId, deliveryId, isTest },
    ...(flow ? { flow } : {}),
    state: { kind: "queued", cause: "created", dueAt },
    updatedAt: Math.max(run.updatedAt, updatedAt),
  });
  work.set(id, { ...waiting, queue: appId, dueAt });
}

export function skipsOfEvent({ doors }: Tables, eventRowId: string): SkipRow[] {
  const skips = [...doors.skips.values()].filter((skip) => skip.eventRowId === eventRowId);
  return skips.sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
}
