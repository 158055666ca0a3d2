// Room: store. Claims: takes due work for this server, lets `decide` turn runs into their changes, and writes both in one transaction.
// Called by Store.claim, one at a time on a connection of its own. Promises: two claims never hold the same work; what `decide` saw is what is changed.
import { admit, type Gate, pacedGate } from "@holdfast/engine";
import type { World } from "../../platform/world.ts";
import { askingIn, beginsExecuting, gateOfWork } from "../slots.ts";
import type { Claim, Claimed, ClaimRequest, RunChange, RunRow } from "../store.ts";
import { changeStatement } from "./change-run.ts";
import { persist } from "./failures.ts";
import {
  byWeek,
  freeSlots,
  gatesOf,
  inviteParked,
  type LockedGate,
  lockGates,
  type Parked,
  park,
  parkedAt,
  roomsOf,
  takeSlots,
  watchGates,
} from "./gates.ts";
import type { Link } from "./link.ts";
import { type DbRow, deliveryOf, eventOf, outboundOf, runOf } from "./rows.ts";
import { statement, statementOfWeek } from "./statements.ts";
import { BEGIN, COMMIT, inOrder, type Query, ROLLBACK, type Send, withClient } from "./transaction.ts";
import { type WeeklyTable, weekOf } from "./weeks.ts";

type Decide = (run: RunRow, token: string) => RunChange | null;
interface Taken {
  id: string;
  kind: Claimed["kind"] | "gate";
  queue: string;
  attempts: number;
}
interface NextDue {
  queue: string;
  next_due_at: number | null;
  more: boolean | null;
}
interface Lease {
  id: string;
  token: string | null;
  owner: string;
  due_at: number;
}
/** What a claim is going to write, and what it will answer then. */
interface Plan {
  claim: Claim;
  leases: Lease[];
  gone: string[];
  /** Runs that found no slot, and gates whose slots may have changed hands. */
  parked: Parked[];
  gates: Gate[];
}

const PATIENCE_MS = 20_000;

export class Claims {
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  claim(request: ClaimRequest, decide: Decide): Promise<Claim> {
    const claim = this.#last.then(() => this.#persistently(request, decide));
    this.#last = claim.catch(() => undefined);
    return claim;
  }

  /** A claim whose commit got no answer is looked up before it is tried again: work leased to nobody would wait for its lease to end. */
  async #persistently(request: ClaimRequest, decide: Decide): Promise<Claim> {
    const unsure: Plan[] = [];
    return persist(this.world, PATIENCE_MS, async () => {
      const [former] = unsure;
      if (former && (await this.#wasCommitted(former))) return former.claim;
      unsure.length = 0;
      return this.#once(request, decide, (plan) => unsure.push(plan));
    });
  }

  async #wasCommitted({ leases, claim }: Plan): Promise<boolean> {
    const tokens = [...leases.map(({ token }) => token), ...claim.items.map(({ token }) => token)].filter(
      (token) => token !== null,
    );
    if (tokens.length === 0) return false;
    return (await this.link.query(statement("claimed-tokens"), [tokens])).length > 0;
  }

  #once(request: ClaimRequest, decide: Decide, committing: (plan: Plan) => void): Promise<Claim> {
    return withClient(this.link, async (send) => {
      const [taken, next] = await takeWork(send, request);
      if (taken.length === 0) {
        await send(ROLLBACK);
        return { items: [], changes: [], nextDueAt: nextDue(request, { taken, next, dues: [] }) };
      }
      const plan = decideAll(request, decide, taken, await readSubjects(send, taken));
      if (plan.gates.length > 0) admitAll(plan, await send<LockedGate>(lockGates(plan.gates, request.now)));
      plan.claim.nextDueAt = nextDue(request, { taken, next, dues: duesOf(plan) });
      committing(plan);
      await write(plan, request.now, send);
      return plan.claim;
    });
  }
}

async function takeWork(send: Send, { queues, now }: ClaimRequest): Promise<[Taken[], NextDue[]]> {
  const values = [JSON.stringify(queues.map(({ queue, limit }) => ({ queue, max: limit }))), now];
  const [, taken, next] = await inOrder<object[]>([
    send(BEGIN),
    send<Taken>({ prepared: statement("claim-work"), values }),
    send<NextDue>({ prepared: statement("next-due"), values }),
  ]);
  return [taken as Taken[], next as NextDue[]];
}

/** The subjects, read after their work was locked: nobody changes a run whose work row is held here. */
async function readSubjects(send: Send, taken: Taken[]): Promise<Map<string, DbRow>> {
  const queries: Promise<DbRow[]>[] = [];
  const kinds: [Taken["kind"], WeeklyTable][] = [
    ["run", "runs"],
    ["delivery", "deliveries"],
    ["event", "events"],
    ["waiters", "events"],
  ];
  for (const [kind, table] of kinds) {
    const byWeek = new Map<number, string[]>();
    for (const work of taken.filter((one) => one.kind === kind)) {
      const id = subjectOf(work);
      const week = weekOf(table, id) ?? 0;
      byWeek.set(week, [...(byWeek.get(week) ?? []), id]);
    }
    for (const [week, ids] of byWeek)
      queries.push(send<DbRow>({ prepared: statementOfWeek(`${table}-by-id`, week), values: [ids] }));
  }
  const outbound = taken.filter(({ kind }) => kind === "outbound").map(({ id }) => id);
  if (outbound.length > 0) queries.push(send<DbRow>({ prepared: statement("outbound-by-id"), values: [outbound] }));
  return new Map((await inOrder(queries)).flat().map((row) => [row.id as string, row]));
}

/** The id of the row the work is about. */
function subjectOf({ id, kind }: Taken): string {
  return kind === "waiters" ? id.slice(0, id.indexOf(":")) : id;
}

function decideAll(request: ClaimRequest, decide: Decide, taken: Taken[], subjects: Map<string, DbRow>): Plan {
  const { owner, leaseUntil, newToken } = request;
  const plan: Plan = { claim: { items: [], changes: [], nextDueAt: null }, leases: [], gone: [], parked: [], gates: [] };
  const opened: Gate[] = [];
  for (const work of taken) {
    const { id, kind, attempts } = work;
    if (kind === "gate") {
      opened.push(pacedGate(gateOfWork(id)));
      plan.gone.push(id);
      continue;
    }
    const row = subjects.get(subjectOf(work));
    if (!row) {
      plan.gone.push(id);
      continue;
    }
    const token = newToken(id);
    if (kind === "run") {
      decideRun(plan, decide, { run: runOf(row), token, attempts: attempts + 1 }, { id, token: null, owner, due_at: leaseUntil });
      continue;
    }
    plan.leases.push({ id, token, owner, due_at: leaseUntil });
    plan.claim.items.push(claimedOf(kind, { token, attempts: attempts + 1 }, row));
  }
  plan.gates = gatesOf([...plan.claim.changes.map(({ before }) => before), { flow: { gates: opened, priority: 0 } }]);
  return plan;
}

function claimedOf(kind: Exclude<Claimed["kind"], "run">, claimed: { token: string; attempts: number }, row: DbRow): Claimed {
  if (kind === "delivery") return { kind, ...claimed, delivery: deliveryOf(row) };
  if (kind === "outbound") return { kind, ...claimed, outbound: outboundOf(row) };
  return { kind, ...claimed, event: eventOf(row) };
}

function decideRun(
  plan: Plan,
  decide: Decide,
  claimed: { run: RunRow; token: string; attempts: number },
  postponed: Lease,
): void {
  const change = decide(claimed.run, claimed.token);
  if (!change) {
    plan.leases.push(postponed);
    return;
  }
  plan.claim.changes.push(change);
  if (change.work && "token" in change.work && change.work.token === claimed.token) {
    const run: RunRow = { ...change.before, ...change.after, updatedAt: change.at, revision: change.before.revision + 1 };
    plan.claim.items.push({ kind: "run", ...claimed, run });
  }
}

/** Runs that would begin to execute and have no slot at one of their gates are parked, and what was decided for them is dropped. */
function admitAll(plan: Plan, locked: LockedGate[]): void {
  const { claim } = plan;
  const { refused } = admit(askingIn(claim.changes), roomsOf(locked));
  const turns = new Map(locked.map(({ id, turn }) => [id, turn]));
  for (const { before } of claim.changes) {
    const gate = refused.get(before.id);
    if (gate !== undefined) plan.parked.push(parkedAt(before, { gate, turn: turns.get(gate) ?? 0 }));
  }
  claim.changes = claim.changes.filter(({ before }) => !refused.has(before.id));
  claim.items = claim.items.filter((item) => item.kind !== "run" || !refused.has(item.run.id));
}

/** When the work of this claim is due next, each. */
function duesOf({ claim, leases }: Plan): number[] {
  const works = claim.changes.flatMap(({ work }) => (work && !("held" in work) ? [work] : []));
  return [...leases.map((lease) => lease.due_at), ...works.map((work) => ("token" in work ? work.until : Math.ceil(work.dueAt)))];
}

/** Everything in one pipeline, the commit with it. */
async function write(plan: Plan, now: number, send: Send): Promise<void> {
  const { claim, leases, gone, parked, gates } = plan;
  const queries: Query[] = [...byWeek(claim.changes)].map(([week, changes]) => changeStatement(changes, week, true));
  if (leases.length > 0) queries.push({ prepared: statement("lease-work"), values: [JSON.stringify(leases)] });
  if (gone.length > 0) queries.push({ prepared: statement("drop-work"), values: [gone] });
  if (gates.length === 0) {
    await inOrder([...queries, COMMIT].map((query) => send(query)));
    return;
  }
  const starting = claim.changes.filter(beginsExecuting).map(({ before }) => before);
  const passing = [
    ...park(parked, "park"),
    ...takeSlots(starting, now),
    ...queries,
    ...[...byWeek(claim.changes.filter(({ before }) => before.flow))].map(([week, changes]) => freeSlots(changes, week)),
  ];
  const invite = [inviteParked(gates, now), ...watchGates(gates, now)];
  const answers = await inOrder([...passing, ...invite, COMMIT].map((query) => send<{ queue: string; due_at: number }>(query)));
  const [invited = [], watched = []] = answers.slice(passing.length, -1);
  if (invited.length > 0) claim.invited = [...new Set(invited.map(({ queue }) => queue))];
  for (const { due_at } of watched) claim.nextDueAt = Math.min(claim.nextDueAt ?? due_at, due_at);
}

/** Now, if a queue had more due work than it asked for; else the first due time of the future, that of the claimed work among them. */
function nextDue(
  { queues, now }: ClaimRequest,
  { taken, next, dues }: { taken: Taken[]; next: NextDue[]; dues: number[] },
): number | null {
  const full = (queue: string): boolean => {
    const limit = queues.find((asked) => asked.queue === queue)?.limit ?? 0;
    return limit > 0 && taken.filter((work) => work.queue === queue).length >= limit;
  };
  if (next.some(({ queue, more }) => more === true && full(queue))) return now;
  const times = [...next.map((row) => row.next_due_at).filter((time) => time !== null), ...dues];
  return times.length > 0 ? Math.min(...times) : null;
}
