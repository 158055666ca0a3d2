// Room: store. The three commonest intakes, by narrow statements over the tables of one week: a request to be verified, a new event with its runs, and the
// verdict of a request with both. Called by intake.ts before its own statement, which knows every case and does what is left over here.
import { storableText } from "../storable.ts";
import type { DeliveryRow, EventRow, Intake, IntakeResult, NewWork, RunRow } from "../store.ts";
import { binaryArray } from "./arrays.ts";
import { byId } from "./groups.ts";
import type { Link } from "./link.ts";
import { type DbRow, deliveryColumns, eventColumns, runColumns } from "./rows.ts";
import { statementOfWeek } from "./statements.ts";
import { weekOf } from "./weeks.ts";

const SHAPES = ["request", "event", "verified"] as const;
type Shape = (typeof SHAPES)[number];
type Request = Intake & { delivery: DeliveryRow; work: [NewWork] };
type WithEvent = Intake & { event: EventRow };

/** Of any shape: only intake.sql can store it. */
export const GENERAL = 0;

/** Intakes with the same number may share a statement. It names the shape and the week. */
export function quickGroup(intake: Intake): number {
  const shape = shapeOf(intake);
  if (shape === null) return GENERAL;
  const weeks = weeksIn(intake);
  const [week] = weeks;
  return week === null || week === undefined || weeks.size > 1 ? GENERAL : week * (SHAPES.length + 1) + 1 + SHAPES.indexOf(shape);
}

/** Stores what it can of a group; answers which intakes are stored now, and how. */
export async function quickIntake(link: Link, intakes: Intake[], group: number): Promise<Map<Intake, IntakeResult>> {
  const week = Math.floor(group / (SHAPES.length + 1));
  const shape = SHAPES[(group % (SHAPES.length + 1)) - 1] as Shape;
  if (shape === "request") return storeRequests(link, intakes as Request[], week);
  return storeEvents(link, intakes as WithEvent[], { shape, week });
}

function shapeOf({ delivery, event, runs, work, done }: Intake): Shape | null {
  if (event === null) {
    const asked = delivery?.verdict === "pending" && done === null && work.length === 1 && work[0]?.id === delivery.id;
    return asked && runs.length === 0 ? "request" : null;
  }
  if (event.deliveredAt === null || event.canceledAt !== null || event.deliverAt !== null || event.sourceText) return null;
  if (work.length !== runs.length || !runs.every((run, i) => isFresh(run, work[i]))) return null;
  if (delivery === null) return done === null ? "event" : null;
  return delivery.verdict === "verified" && done?.id === delivery.id ? "verified" : null;
}

/** Just made, and its work is what follows from it. */
function isFresh(run: RunRow, work: NewWork | undefined): boolean {
  const { state } = run;
  if (run.revision !== 0 || work?.id !== run.id || work.queue !== run.appId) return false;
  return state.kind === "executing" ? work.token === state.token : state.kind === "queued" && work.token === undefined;
}

function weeksIn({ delivery, event, runs }: Intake): Set<number | null> {
  const weeks = new Set(runs.map(({ id }) => weekOf("runs", id)));
  if (delivery) weeks.add(weekOf("deliveries", delivery.id));
  if (event) weeks.add(weekOf("events", event.rowId));
  return weeks;
}

async function storeRequests(link: Link, requests: Request[], week: number): Promise<Map<Intake, IntakeResult>> {
  const rows = requests.map(({ delivery, work: [asking] }, i): DbRow => {
    const { queue, dueAt, token, owner } = asking;
    return Object.assign(deliveryColumns(delivery), { n: i + 1, queue, due_at: Math.ceil(dueAt), token, owner });
  });
  const bodies = requests.map(({ delivery }) => delivery.body);
  await link.query(statementOfWeek("intake-request", week), [JSON.stringify(rows), binaryArray("bytea", bodies)]);
  return new Map(requests.map((request) => [request, { type: "stored" }]));
}

async function storeEvents(
  link: Link,
  given: WithEvent[],
  { shape, week }: { shape: Shape; week: number },
): Promise<Map<Intake, IntakeResult>> {
  const intakes = [...given].sort(byId(({ event }) => `${event.environmentId} ${event.id}`));
  const payloads = intakes.map(({ event }) => storableText(event.payloadText));
  const contexts = intakes.map(({ event }) => (event.contextText === null ? null : storableText(event.contextText)));
  const values = [
    JSON.stringify(intakes.map(eventRow)),
    binaryArray("text", payloads),
    binaryArray("text", contexts),
    JSON.stringify(intakes.flatMap(runRows)),
  ];
  const answers = await link.query<{ id: string; awaited: boolean }>(statementOfWeek(`intake-${shape}`, week), values);
  const stored = new Map(answers.map(({ id, awaited }) => [id, awaited]));
  const results = new Map<Intake, IntakeResult>();
  for (const intake of intakes) {
    const awaited = stored.get(intake.event.rowId);
    if (awaited !== undefined) results.set(intake, storedResult(awaited));
  }
  return results;
}

export function storedResult(awaited: boolean): IntakeResult {
  return awaited ? { type: "stored", awaited } : { type: "stored" };
}

function eventRow({ event, delivery, done }: WithEvent, i: number): DbRow {
  const row = Object.assign(eventColumns(event), { n: i + 1 });
  if (!delivery) return row;
  const { reason, status } = deliveryColumns(delivery);
  return Object.assign(row, { request_id: delivery.id, done_token: done?.token, reason, status });
}

function runRows({ runs, work }: WithEvent): DbRow[] {
  return runs.map((run, i) =>
    Object.assign(runColumns(run), { work_due_at: Math.ceil(work[i]?.dueAt ?? 0), owner: work[i]?.owner }),
  );
}
