// Room: store. Requests, events and their runs, stored whole or not at all, many a commit. Called by Store.intake through the batcher.
// Promises: the first to bring an event id wins; an intake repeated with the same ids is "stored" again and revives nothing.

import { absentIn, isPutOff, knockingIn, onlyEntered, withoutDoors } from "../doors.ts";
import { storableText } from "../storable.ts";
import type { DeliveryRow, Intake, IntakeResult, PlannedRun, RunRow } from "../store.ts";
import { binaryArray } from "./arrays.ts";
import { AGAIN, type BatchKind } from "./batcher.ts";
import { decideAtDoors, lockDoors } from "./doors.ts";
import { gatesOf, inviteParked, type LockedGate, lockGates, park, parkedNew, watchGates } from "./gates.ts";
import { byId } from "./groups.ts";
import type { Link } from "./link.ts";
import { GENERAL, quickGroup, quickIntake, storedResult } from "./quick-intake.ts";
import { type DbRow, deliveryColumns, eventColumns, runColumns } from "./rows.ts";
import { statement } from "./statements.ts";
import { BEGIN, COMMIT, inOrder, type Query, type Send, withClient } from "./transaction.ts";

/** Intakes with runs that have gates: a transaction of several statements. */
const GATED = -1;
/** Intakes with runs that ask at doors first: another one. */
const WITH_DOORS = -2;

interface Answer {
  n: number;
  held: boolean;
  key_row: string | null;
  awaited: boolean;
}

const BULKY_BYTES = 512 * 1024;

/** A sender waits for its answer: sooner a clear "try again" than a late one. */
export const INTAKE_PATIENCE_MS = 5_000;

export interface IntakeNeeds {
  links: Link[];
  /** Makes the tables of the weeks these ids lie in. */
  makeWeeks(intakes: Intake[]): Promise<void>;
  delivery(id: string): Promise<DeliveryRow | null>;
  hasRun(id: string): Promise<boolean>;
}

export function intakes(needs: IntakeNeeds): BatchKind<Intake, IntakeResult> {
  return {
    kind: "intake",
    maxItems: 100,
    maxBytes: 16 * 1024 * 1024,
    patienceMs: INTAKE_PATIENCE_MS,
    lanes: needs.links.length,
    groupOf: (intake) => (asksAtDoors(intake) ? WITH_DOORS : isGated(intake) ? GATED : quickGroup(intake)),
    keyOf: ({ delivery, event, done }) => delivery?.id ?? event?.rowId ?? done?.id ?? null,
    bytesOf,
    flush: async (items, group, lane) => {
      const results = await storeAll(needs.links[lane] as Link, items, group);
      return Promise.all(results.map((result, i) => unlessStored(needs, items[i] as Intake, result)));
    },
    missing: async (items) => {
      await needs.makeWeeks(items);
      return "made";
    },
    confirm: (item, result) => confirm(needs, item, result),
  };
}

function bytesOf({ delivery, event, runs }: Intake): number {
  return (delivery?.body.length ?? 0) * 2 + (event?.payloadText.length ?? 0) + 1_000 * (1 + runs.length);
}

/** Takes so long to travel and to compress that others should not wait for it: such ones have a connection of their own. */
export function isBulky(intake: Intake): boolean {
  return bytesOf(intake) > BULKY_BYTES;
}

/** By the narrow statement of their group, and the rest by the one that knows every case. */
async function storeAll(link: Link, items: Intake[], group: number): Promise<(IntakeResult | typeof AGAIN)[]> {
  const send: Send = ({ prepared, values }) => link.query(prepared, values);
  if (group === WITH_DOORS) return storeAtDoors(link, items);
  if (group === GATED) return storeGated(link, items);
  if (group === GENERAL) return store(send, items);
  const stored = await quickIntake(link, items, group);
  const left = items.filter((item) => !stored.has(item));
  const results = left.length > 0 ? await store(send, left) : [];
  return items.map((item) => stored.get(item) ?? results[left.indexOf(item)] ?? AGAIN);
}

/** With the work of runs that have gates parked instead, and invited if there is room: two round trips before the commit, and one for it. */
function storeGated(link: Link, items: Intake[]): Promise<(IntakeResult | typeof AGAIN)[]> {
  const runs = waitingAtGates(items);
  const now = latest(runs);
  return withClient(link, async (send) => {
    const stored = Promise.all([send(BEGIN), store(send, items)]);
    const [[, results], locked] = (await inOrder<unknown>([stored, send(lockGates(gatesOf(runs), now))])) as [
      Awaited<typeof stored>,
      LockedGate[],
    ];
    await inOrder([...parkAndInvite(runs, locked, now), COMMIT].map((query) => send(query)));
    return results;
  });
}

/** First the events, then those of their runs which the doors let in; then as for other runs with gates. */
function storeAtDoors(link: Link, items: Intake[]): Promise<(IntakeResult | typeof AGAIN)[]> {
  const knocking = knockingIn(items);
  return withClient(link, async (send) => {
    const stored = Promise.all([send(BEGIN), store(send, items.map(withoutDoors))]);
    const [[, results], doors] = (await inOrder<unknown>([stored, lockDoors(knocking, send)])) as [
      Awaited<typeof stored>,
      Awaited<ReturnType<typeof lockDoors>>,
    ];
    const isStored = (intake: Intake): boolean => {
      const result = results[items.indexOf(intake)];
      return result !== AGAIN && result?.type === "stored";
    };
    const asking = knocking.filter((one) => isStored(one.intake) && !doors.isKnown(one));
    const { outcomes, notes } = decideAtDoors(asking, doors.states);
    const entering = items.map((intake) => onlyEntered(intake, outcomes.entered)).filter(({ runs }) => runs.length > 0);
    const runs = waitingAtGates([...items.filter(isStored).map(withoutDoors), ...entering]);
    const now = latest(runs);
    const entered = entering.length > 0 ? store(send, entering) : Promise.resolve([]);
    const locked = runs.length > 0 ? send<LockedGate>(lockGates(gatesOf(runs), now)) : Promise.resolve([]);
    const answers = await inOrder<unknown>([entered, ...notes.map((query) => send(query)), locked]);
    const parking = runs.length > 0 ? parkAndInvite(runs, answers.at(-1) as LockedGate[], now) : [];
    await inOrder([...parking, COMMIT].map((query) => send(query)));
    return results.map((result, i) => withAbsent(result, absentIn(items[i] as Intake, outcomes.entered)));
  });
}

function withAbsent(result: IntakeResult | typeof AGAIN, absent: string[]): IntakeResult | typeof AGAIN {
  return result === AGAIN || result.type !== "stored" || absent.length === 0 ? result : { ...result, absent };
}

/** New runs that ask for slots now. */
function waitingAtGates(items: readonly Intake[]): RunRow[] {
  return items.flatMap(({ runs, work }) => runs.filter((run) => isParked(run) && work.some(({ id }) => id === run.id)));
}

function latest(runs: readonly RunRow[]): number {
  return Math.max(...runs.map(({ createdAt }) => createdAt));
}

function parkAndInvite(runs: readonly RunRow[], locked: readonly LockedGate[], now: number): Query[] {
  const gates = gatesOf(runs);
  return [...park(parkedNew(runs, locked), "park-new"), inviteParked(gates, now), ...watchGates(gates, now)];
}

function asksAtDoors({ runs }: Intake): boolean {
  return runs.some(({ door }) => door);
}

function isParked(run: PlannedRun): boolean {
  return run.flow !== undefined && !isPutOff(run);
}

function isGated({ runs, work }: Intake): boolean {
  return runs.some(({ id, flow }) => flow && work.some((row) => row.id === id));
}

async function store(send: Send, given: Intake[]): Promise<(IntakeResult | typeof AGAIN)[]> {
  const items = given.map((intake, i) => ({ intake, i }));
  items.sort(byId(({ intake }) => (intake.event ? `${intake.event.environmentId} ${intake.event.id}` : "")));
  const payloads = items.map(({ intake }) => (intake.event ? storableText(intake.event.payloadText) : null));
  const contexts = items.map(({ intake }) => (intake.event?.contextText ? storableText(intake.event.contextText) : null));
  const bodies = items.map(({ intake }) => intake.delivery?.body ?? null);
  const rows = items.map(({ intake }, at) => intakeColumns(intake, at + 1));
  const runs = items.flatMap(({ intake }, at) => intake.runs.map((run) => ({ n: at + 1, ...runColumns(run) })));
  const gated = new Set(items.flatMap(({ intake }) => intake.runs.filter(isParked).map(({ id }) => id)));
  const work = items.flatMap(({ intake }, at) =>
    intake.work
      .filter(({ id }) => !gated.has(id))
      .map(({ id, kind, queue, dueAt, token, owner }) => ({
        n: at + 1,
        id,
        kind,
        queue,
        due_at: Math.ceil(dueAt),
        token,
        owner,
      })),
  );
  const large = [binaryArray("text", payloads), binaryArray("text", contexts), binaryArray("bytea", bodies)];
  const values = [JSON.stringify(rows), ...large, JSON.stringify(runs), JSON.stringify(work)];
  const answers = await send<Answer>({ prepared: statement("intake"), values });
  const results: (IntakeResult | typeof AGAIN)[] = given.map(() => AGAIN);
  for (const answer of answers) {
    const item = items[answer.n - 1];
    if (item) results[item.i] = resultOf(item.intake, answer);
  }
  return results;
}

function intakeColumns({ delivery, event, done }: Intake, n: number): DbRow {
  const request = delivery ? deliveryColumns(delivery) : {};
  const named = event ? eventColumns(event) : {};
  return {
    ...request,
    ...named,
    n,
    done_id: done?.id,
    done_token: done?.token,
    event_row_id: event?.rowId,
    environment_id: event?.environmentId,
    request_id: delivery?.id,
    request_environment_id: delivery?.environmentId,
    request_event_row_id: delivery?.eventRowId,
  };
}

function resultOf({ event, runs }: Intake, { held, key_row: keyRow, awaited }: Answer): IntakeResult | typeof AGAIN {
  const own = event !== null && keyRow === event.rowId;
  // A delayed event is its own long before it starts runs: whether this intake did shows by them.
  if (!held) return own && runs.length === 0 ? { type: "stored" } : { type: "stale" };
  if (event === null || own) return storedResult(awaited);
  return keyRow === null ? AGAIN : { type: "duplicate", eventRowId: keyRow };
}

/** An intake whose work is gone was either stored before or came too late: its runs tell. Whoever is told that it is stored begins them. */
async function unlessStored<T extends IntakeResult | typeof AGAIN>(
  needs: IntakeNeeds,
  { runs }: Intake,
  result: T,
): Promise<T | { type: "stored" }> {
  const [run] = runs;
  if (result === AGAIN || result.type !== "stale" || !run) return result;
  return (await needs.hasRun(run.id)) ? { type: "stored" } : result;
}

/** An earlier attempt may have been committed, and then its work is gone: what it left behind tells. */
async function confirm(needs: IntakeNeeds, { delivery, event, runs }: Intake, result: IntakeResult): Promise<IntakeResult> {
  if (result.type !== "stale") return result;
  if (delivery) {
    const now = await needs.delivery(delivery.id);
    if (event && now?.verdict === "duplicate" && now.eventRowId) return { type: "duplicate", eventRowId: now.eventRowId };
    if (runs.length > 0) return result;
    return now?.verdict === delivery.verdict && now.reason === delivery.reason ? { type: "stored" } : result;
  }
  return runs.length === 0 ? { type: "stored" } : result;
}
