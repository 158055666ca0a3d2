// Room: store. Changes of events that wait for their time: each one statement, in which the event's row of work is the fence. Called by postgres-store.ts.
import type { World } from "../../platform/world.ts";
import { storableText } from "../storable.ts";
import type { EventChange } from "../store.ts";
import { failureOf, persist } from "./failures.ts";
import type { Link } from "./link.ts";
import { statementOfWeek } from "./statements.ts";
import { weekOf } from "./weeks.ts";

const PATIENCE_MS = 10_000;

export async function changeWaitingEvent(
  { link, world }: { link: Link; world: World },
  rowId: string,
  change: EventChange,
): Promise<boolean> {
  const week = weekOf("events", rowId);
  if (week === null) return false;
  const [name, values] = statementOf(rowId, change);
  try {
    return (await persist(world, PATIENCE_MS, () => link.query(statementOfWeek(name, week), values))).length > 0;
  } catch (error) {
    if (failureOf(error) === "no-week") return false;
    throw error;
  }
}

function statementOf(rowId: string, change: EventChange): [name: string, values: unknown[]] {
  if (change.type === "cancel") return ["cancel-event", [rowId, change.at]];
  const { dueFrom, payloadText, contextText, deliverAt } = change;
  const context = contextText === null ? null : storableText(contextText);
  return ["replace-event", [rowId, dueFrom, storableText(payloadText), context, Math.ceil(deliverAt)]];
}
