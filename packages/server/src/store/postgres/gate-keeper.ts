// Room: store. What is done to gates beside the runs that pass them: their limits are set, idle ones are forgotten, and parked work that nobody invited is
// found. Called by catalog.ts and by main's upkeep, seldom. Promises: one transaction at a time, on a connection made only if it is needed.
import type { RuleLimit } from "@holdfast/engine";
import type { World } from "../../platform/world.ts";
import { persist } from "./failures.ts";
import { inviteParked, lockGates } from "./gates.ts";
import { byId } from "./groups.ts";
import type { Link } from "./link.ts";
import { statement } from "./statements.ts";
import { BEGIN, COMMIT, inOrder, type Query, type Send, withClient } from "./transaction.ts";

const PATIENCE_MS = 10_000;
const GATES_AT_ONCE = 500;
/** A gate nobody used for this long is forgotten; it is made again when a run needs it. */
const IDLE_MS = 3_600_000;

interface GateRow {
  id: string;
  rule: string;
  capacity: number;
  open: boolean;
}

export class GateKeeper {
  #last: Promise<unknown> = Promise.resolve();
  /** Where the next look for uninvited work begins. */
  #after = "";

  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  /** Answers the queues in which parked work became due. */
  saveLimits(limits: readonly RuleLimit[], now: number): Promise<string[]> {
    const rows = limits.map(({ rule, limit }) => ({ rule, capacity: limit }));
    const find = { prepared: statement("save-limits"), values: [JSON.stringify(rows)] };
    return this.#alone((send) => inviteAt(find, send, now));
  }

  /** The safety net: some of the gates at which work waits, in turn. Answers the queues in which parked work became due: none, if all is as it should be. */
  inviteForgotten(now: number): Promise<string[]> {
    const find = { prepared: statement("waiting-gates"), values: [this.#after, GATES_AT_ONCE] };
    return this.#alone(async (send) => {
      const found: GateRow[] = [];
      const queues = await inviteAt(find, send, now, (gates) => found.push(...gates));
      this.#after =
        found.length < GATES_AT_ONCE
          ? ""
          : (found
              .map(({ id }) => id)
              .sort(byId((id) => id))
              .at(-1) ?? "");
      return queues;
    });
  }

  /** Forgets gates that were idle for long. */
  async forgetIdle(now: number): Promise<void> {
    while ((await this.#forgetSome(now)) >= GATES_AT_ONCE);
  }

  /** Answers how many were looked at. */
  #forgetSome(now: number): Promise<number> {
    const find = { prepared: statement("idle-gates"), values: [now - IDLE_MS, GATES_AT_ONCE] };
    return this.#alone(async (send) => {
      const [, idle] = await inOrder([send(BEGIN), send<GateRow>(find)]);
      const ids = (idle as GateRow[]).map(({ id }) => id);
      await inOrder([send({ prepared: statement("drop-gates"), values: [ids] }), send(COMMIT)]);
      return ids.length;
    });
  }

  #alone<T>(work: (send: Send) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => persist(this.world, PATIENCE_MS, () => withClient(this.link, work)));
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** One transaction: finds gates, locks them, invites who waits there. */
async function inviteAt(find: Query, send: Send, now: number, seen: (gates: GateRow[]) => void = () => {}): Promise<string[]> {
  const [, found] = await inOrder([send(BEGIN), send<GateRow>(find)]);
  const gates = found as GateRow[];
  seen(gates);
  const open = gates.filter((gate) => gate.open);
  const locks = lockGates(
    open.map(({ id, rule, capacity }) => ({ id, rule, limit: capacity })),
    now,
  );
  const [, invited] = await inOrder([send(locks), send<{ queue: string }>(inviteParked(open, now)), send(COMMIT)]);
  return [...new Set((invited as { queue: string }[]).map(({ queue }) => queue))];
}
