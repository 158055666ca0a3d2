// Room: store. The memory store's claim, step by step what claim.ts does in PostgreSQL. Called by MemoryStore.claim only.
import { pacedGate } from "@holdfast/engine";
import { beginsExecuting, gateOfWork } from "../slots.ts";
import type { Claim, Claimed, ClaimRequest, RunChange, RunRow, WorkRow } from "../store.ts";
import { admitAll, freeSlots, inviteParked, parkClaimed, takeSlots, watchGates } from "./memory-gates.ts";
import type { Tables } from "./memory-store.ts";

interface Writer {
  decide(run: RunRow, token: string): RunChange | null;
  apply(change: RunChange): boolean;
}

export function claimWork(tables: Tables, request: ClaimRequest, writer: Writer): Claim {
  const { queues, now } = request;
  const claim: Claim = { items: [], changes: [], nextDueAt: null };
  const taken: WorkRow[] = [];
  const times: number[] = [];
  let more = false;
  for (const { queue, limit } of queues) {
    const all = inQueue(tables, queue);
    const due = all.filter(({ dueAt }) => dueAt <= now);
    more ||= limit > 0 && due.length > limit;
    const future = all.find(({ dueAt }) => dueAt > now);
    if (future) times.push(future.dueAt);
    taken.push(...due.slice(0, limit));
  }
  const decided = taken
    .filter(({ kind, id }) => kind === "run" && tables.runs.has(id))
    .map((work) => decideRun(tables, work, { request, writer }));
  const changes = decided.flatMap(({ change }) => change ?? []);
  const { refused } = admitAll(tables, changes, now);
  for (const work of taken)
    if (work.kind !== "run" || !tables.runs.has(work.id)) times.push(...claimOne(tables, work, { request, claim }));
  for (const one of decided) times.push(...claimRun(tables, one, { request, writer, claim, gate: refused.get(one.work.id) }));
  const opened = taken.filter(({ kind }) => kind === "gate").map(({ id }) => pacedGate(gateOfWork(id)));
  const gates = [...changes.flatMap(({ before }) => before.flow?.gates ?? []), ...opened];
  const invited = inviteParked(tables, gates, now);
  times.push(...watchGates(tables, gates, now));
  if (invited.length > 0) claim.invited = invited;
  claim.nextDueAt = more ? now : times.length > 0 ? Math.min(...times) : null;
  return claim;
}

function inQueue(tables: Tables, queue: string): WorkRow[] {
  return [...tables.work.values()].filter((work) => work.queue === queue).sort((a, b) => a.dueAt - b.dueAt);
}

/** Answers when this work is due next, if it still is. */
function claimOne(tables: Tables, work: WorkRow, { request, claim }: { request: ClaimRequest; claim: Claim }): number[] {
  const { id } = work;
  const token = request.newToken(id);
  const attempts = work.attempts + 1;
  const item = claimedOf(tables, work, { token, attempts });
  if (!item) {
    tables.work.delete(id);
    return [];
  }
  tables.work.set(id, { ...work, token, owner: request.owner, dueAt: request.leaseUntil, attempts });
  claim.items.push(item);
  return [request.leaseUntil];
}

function claimedOf(tables: Tables, { id, kind }: WorkRow, claimed: { token: string; attempts: number }): Claimed | null {
  if (kind === "event" || kind === "waiters") {
    const event = tables.events.get(kind === "event" ? id : id.slice(0, id.indexOf(":")));
    return event ? { kind, ...claimed, event } : null;
  }
  const delivery = tables.deliveries.get(id);
  if (kind === "delivery") return delivery ? { kind, ...claimed, delivery } : null;
  const outbound = tables.outbound.get(id);
  return kind === "outbound" && outbound ? { kind, ...claimed, outbound } : null;
}

interface Decided {
  work: WorkRow;
  token: string;
  change: RunChange | null;
}

function decideRun(tables: Tables, work: WorkRow, { request, writer }: { request: ClaimRequest; writer: Writer }): Decided {
  const token = request.newToken(work.id);
  const run = tables.runs.get(work.id);
  return { work, token, change: run ? writer.decide(run, token) : null };
}

/** @param context `gate`: where the run found no slot */
function claimRun(
  tables: Tables,
  { work, token, change }: Decided,
  { request, writer, claim, gate }: { request: ClaimRequest; writer: Writer; claim: Claim; gate: string | undefined },
): number[] {
  if (!change) {
    tables.work.set(work.id, { ...work, dueAt: request.leaseUntil });
    return [request.leaseUntil];
  }
  if (gate !== undefined) {
    parkClaimed(tables, change.before, gate);
    return [];
  }
  if (beginsExecuting(change)) takeSlots(tables, change.before, request.now);
  if (!writer.apply(change)) return [];
  if (change.before.flow) freeSlots(tables, change.before);
  claim.changes.push(change);
  const now = tables.runs.get(work.id);
  const leased = change.work && "token" in change.work && change.work.token === token;
  if (leased && now) claim.items.push({ kind: "run", token, run: now, attempts: work.attempts + 1 });
  const next = tables.work.get(work.id);
  return next ? [next.dueAt] : [];
}
