// Room: store. Claims: takes due work for this server, lets `decide` turn runs into their changes, and writes both in one transaction.
// Called by Store.claim, one at a time on a connection of its own. Promises: two claims never hold the same work; what `decide` saw is what is changed.
import type { World } from "../../platform/world.ts";
import type { Claim, Claimed, ClaimRequest, RunChange, RunRow } from "../store.ts";
import { changeStatement } from "./change-run.ts";
import { failureOf, persist } from "./failures.ts";
import { weekOfRun } from "./groups.ts";
import type { Link } from "./link.ts";
import { type DbRow, deliveryOf, eventOf, runOf } from "./rows.ts";
import { type Prepared, statement, statementOfWeek } from "./statements.ts";
import { type WeeklyTable, weekOf } from "./weeks.ts";

type Decide = (run: RunRow, token: string) => RunChange | null;
interface Taken {
  id: string;
  kind: Claimed["kind"];
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
type Query = { prepared: Prepared; values: unknown[] };
type Send = <Row extends object>(query: Query) => Promise<Row[]>;

/** What a claim is going to write, and what it will answer then. */
interface Plan {
  claim: Claim;
  leases: Lease[];
  gone: string[];
  /** When the work of this claim is due next, each. */
  dues: number[];
}

const BEGIN = { prepared: { name: "", text: "begin" }, values: [] };
const COMMIT = { prepared: { name: "", text: "commit" }, values: [] };
const ROLLBACK = { prepared: { name: "", text: "rollback" }, values: [] };
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

  async #once(request: ClaimRequest, decide: Decide, committing: (plan: Plan) => void): Promise<Claim> {
    const client = await this.link.client();
    const send: Send = ({ prepared, values }) => this.link.send(client, prepared, values);
    try {
      const [taken, next] = await takeWork(send, request);
      if (taken.length === 0) {
        await send(ROLLBACK);
        return { items: [], changes: [], nextDueAt: nextDue(request, { taken, next, dues: [] }) };
      }
      const plan = decideAll(request, decide, taken, await readSubjects(send, taken));
      plan.claim.nextDueAt = nextDue(request, { taken, next, dues: plan.dues });
      committing(plan);
      await inOrder([...writesOf(plan), COMMIT].map((query) => send(query)));
      return plan.claim;
    } catch (error) {
      if (failureOf(error) !== "again") await send(ROLLBACK).catch(() => undefined);
      else this.link.drop(client);
      throw error;
    }
  }
}

/** Queries of one pipeline fail in order: the first failure is the cause of those after it. */
async function inOrder<T>(queries: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(queries);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
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
  ];
  for (const [kind, table] of kinds) {
    const byWeek = new Map<number, string[]>();
    for (const { id } of taken.filter((work) => work.kind === kind)) {
      const week = weekOf(table, id) ?? 0;
      byWeek.set(week, [...(byWeek.get(week) ?? []), id]);
    }
    for (const [week, ids] of byWeek)
      queries.push(send<DbRow>({ prepared: statementOfWeek(`${table}-by-id`, week), values: [ids] }));
  }
  return new Map((await inOrder(queries)).flat().map((row) => [row.id as string, row]));
}

function decideAll(request: ClaimRequest, decide: Decide, taken: Taken[], subjects: Map<string, DbRow>): Plan {
  const { owner, leaseUntil, newToken } = request;
  const plan: Plan = { claim: { items: [], changes: [], nextDueAt: null }, leases: [], gone: [], dues: [] };
  for (const { id, kind, attempts } of taken) {
    const row = subjects.get(id);
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
    plan.dues.push(leaseUntil);
    const claimed = { token, attempts: attempts + 1 };
    plan.claim.items.push(
      kind === "event" ? { kind, ...claimed, event: eventOf(row) } : { kind, ...claimed, delivery: deliveryOf(row) },
    );
  }
  return plan;
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
    plan.dues.push(postponed.due_at);
    return;
  }
  plan.claim.changes.push(change);
  if (change.work) plan.dues.push("token" in change.work ? change.work.until : Math.ceil(change.work.dueAt));
  if (change.work && "token" in change.work && change.work.token === claimed.token) {
    const run: RunRow = { ...change.before, ...change.after, updatedAt: change.at, revision: change.before.revision + 1 };
    plan.claim.items.push({ kind: "run", ...claimed, run });
  }
}

function writesOf({ claim, leases, gone }: Plan): Query[] {
  const byWeek = new Map<number, RunChange[]>();
  for (const change of claim.changes) {
    const week = weekOfRun(change.before.id);
    byWeek.set(week, [...(byWeek.get(week) ?? []), change]);
  }
  const queries: Query[] = [...byWeek].map(([week, changes]) => changeStatement(changes, week, true));
  if (leases.length > 0) queries.push({ prepared: statement("lease-work"), values: [JSON.stringify(leases)] });
  if (gone.length > 0) queries.push({ prepared: statement("drop-work"), values: [gone] });
  return queries;
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
