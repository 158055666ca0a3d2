// Room: store. The memory store's claim, step by step what claim.ts does in PostgreSQL. Called by MemoryStore.claim only.
import type { Claim, ClaimRequest, RunChange, RunRow, WorkRow } from "../store.ts";
import type { Tables } from "./memory-store.ts";

interface Writer {
  decide(run: RunRow, token: string): RunChange | null;
  apply(change: RunChange): boolean;
}

export function claimWork(tables: Tables, request: ClaimRequest, writer: Writer): Claim {
  const { queues, now } = request;
  const before = new Map(queues.map(({ queue }) => [queue, inQueue(tables, queue)]));
  const claim: Claim = { items: [], changes: [], nextDueAt: null };
  const times: number[] = [];
  let more = false;
  for (const { queue, limit } of queues) {
    const all = before.get(queue) ?? [];
    const due = all.filter(({ dueAt }) => dueAt <= now);
    more ||= limit > 0 && due.length > limit;
    const future = all.find(({ dueAt }) => dueAt > now);
    if (future) times.push(future.dueAt);
    for (const work of due.slice(0, limit)) times.push(...claimOne(tables, work, { request, writer, claim }));
  }
  claim.nextDueAt = more ? now : times.length > 0 ? Math.min(...times) : null;
  return claim;
}

function inQueue(tables: Tables, queue: string): WorkRow[] {
  return [...tables.work.values()].filter((work) => work.queue === queue).sort((a, b) => a.dueAt - b.dueAt);
}

/** Answers when this work is due next, if it still is. */
function claimOne(tables: Tables, work: WorkRow, context: { request: ClaimRequest; writer: Writer; claim: Claim }): number[] {
  const { request, claim } = context;
  const { id, kind } = work;
  const known = kind === "run" ? tables.runs.has(id) : kind === "event" ? tables.events.has(id) : tables.deliveries.has(id);
  if (!known) {
    tables.work.delete(id);
    return [];
  }
  const token = request.newToken(id);
  const attempts = work.attempts + 1;
  if (kind === "run") return claimRun(tables, work, { ...context, token });
  tables.work.set(id, { ...work, token, owner: request.owner, dueAt: request.leaseUntil, attempts });
  const event = tables.events.get(id);
  const delivery = tables.deliveries.get(id);
  if (kind === "event" && event) claim.items.push({ kind, token, attempts, event });
  if (kind === "delivery" && delivery) claim.items.push({ kind, token, attempts, delivery });
  return [request.leaseUntil];
}

function claimRun(
  tables: Tables,
  work: WorkRow,
  { request, writer, claim, token }: { request: ClaimRequest; writer: Writer; claim: Claim; token: string },
): number[] {
  const run = tables.runs.get(work.id);
  const change = run ? writer.decide(run, token) : null;
  if (!change) {
    tables.work.set(work.id, { ...work, dueAt: request.leaseUntil });
    return [request.leaseUntil];
  }
  if (!writer.apply(change)) return [];
  claim.changes.push(change);
  const now = tables.runs.get(work.id);
  const leased = change.work && "token" in change.work && change.work.token === token;
  if (leased && now) claim.items.push({ kind: "run", token, run: now, attempts: work.attempts + 1 });
  const next = tables.work.get(work.id);
  return next ? [next.dueAt] : [];
}
