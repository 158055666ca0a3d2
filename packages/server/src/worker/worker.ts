// Room: worker. The loop: claims due work, hands each piece to the room that does it, renews leases, drains on stop.
// Woken by a change on this server, by the bus, by the time the next work is due; polling is only the safety net. One instance a server.
import type { Outbound } from "../deliver/outbound.ts";
import type { Waiters } from "../deliver/waiters.ts";
import type { Registry } from "../dispatch/registry.ts";
import { TICK } from "../dispatch/schedule.ts";
import type { Events } from "../dispatch/send.ts";
import type { AppCalls } from "../execute/app-calls.ts";
import type { Executor } from "../execute/executor.ts";
import { LEASE_MS } from "../execute/lease.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { Schedules } from "../schedule/schedules.ts";
import { eventQueue, notifyQueue, serverQueues, verifyQueue } from "../store/queues.ts";
import type { Bus, Claim, Claimed, EventRow, Store } from "../store/store.ts";
import { makeToken } from "../tasks/report.ts";

const RENEW_EVERY_MS = 5_000;
const POLL_EVERY_MS = 1_000;
/** Most pieces claimed at once from one queue. */
const CLAIM_AT_ONCE = 200;
/** Questions to one app under way at once, of each kind: whether requests are genuine, and how its runs ended. */
const ASKED_AT_ONCE = 50;
/** Pieces in hand at once of any other queue: what one environment's events and requests keep in memory while they are answered slowly, or never. */
const HELD_AT_ONCE = 300;
/** The database did not answer a claim for so long, or this process stood still: leases may have expired though their holders are well. */
const OUTAGE_MS = 10_000;
/** After an outage nothing is claimed for so long: first everyone, on every server, renews what it holds. */
const REST_MS = 2_000;
/** A verification the app could not answer is tried again after this, doubled each time up to the maximum. */
const VERIFY_AGAIN_MS = { first: 500, most: 30_000 };
/** How long a stop waits for executions to end by themselves. */
const DRAIN_MS = 20_000;

export interface WorkerNeeds {
  world: World;
  store: Store;
  bus: Bus;
  registry: Registry;
  runs: Runs;
  events: Events;
  schedules: Schedules;
  executor: Executor;
  apps: AppCalls;
  ingest: Ingest;
  waiters: Waiters;
  outbound: Outbound;
  /** Names this server in leases. */
  owner: string;
}

export class Worker {
  #stopping = false;
  #claiming = false;
  #again = false;
  #cancelTimer: () => void = () => {};
  /** When the timer looks for work again. */
  #lookAt = Number.POSITIVE_INFINITY;
  /** When the last claim was asked for that was answered. */
  #answeredAt = 0;
  #restUntil = 0;
  #cancelRenew: () => void = () => {};
  #unsubscribe: () => void = () => {};
  #claimed: Promise<void> = Promise.resolve();
  /** What was claimed and is in hand, runs apart: token → its queue. */
  readonly #inHand = new Map<string, string>();
  /** How much of each queue is. */
  readonly #held = new Map<string, number>();
  /** Queues of which less was asked for because of that: there is more to ask for once something of them is done. */
  readonly #short = new Set<string>();

  constructor(private readonly needs: WorkerNeeds) {}

  get stopping(): boolean {
    return this.#stopping;
  }

  start(): void {
    this.#answeredAt = this.needs.world.now();
    this.#unsubscribe = this.needs.bus.subscribe((message) => {
      if (message.type === "work") this.wake();
    });
    this.#renewLater();
    this.wake();
  }

  /** There may be something to do. Cheap to call; calls during a claim make one more claim. */
  wake(): void {
    if (this.#stopping) return;
    if (this.#claiming) {
      this.#again = true;
      return;
    }
    this.#claiming = true;
    this.#cancelTimer();
    this.#claimed = this.#claimAll();
  }

  /** Work of this queue is due then. If that is later, other servers find out when they next look. */
  wakeAt(queue: string, dueAt: number): void {
    if (dueAt <= this.needs.world.now()) this.needs.bus.publish({ type: "work", queues: [queue] });
    else this.#lookBy(dueAt);
  }

  #lookBy(dueAt: number): void {
    if (this.#stopping) return;
    if (this.#claiming) this.#again = true;
    else if (dueAt < this.#lookAt) this.#lookLater(dueAt);
  }

  #lookLater(at: number): void {
    this.#cancelTimer();
    this.#lookAt = at;
    this.#cancelTimer = this.needs.world.after(Math.max(0, at - this.needs.world.now()), () => this.wake());
  }

  async #claimAll(): Promise<void> {
    let nextDueAt: number | null = null;
    do {
      this.#again = false;
      try {
        nextDueAt = await this.#claim();
      } catch (error) {
        this.needs.world.log.warn("claiming work failed; trying again", { error });
        nextDueAt = this.needs.world.now() + POLL_EVERY_MS;
      }
    } while (this.#again && !this.#stopping);
    this.#claiming = false;
    const now = this.needs.world.now();
    if (!this.#stopping) this.#lookLater(Math.min(now + POLL_EVERY_MS, nextDueAt ?? Number.POSITIVE_INFINITY));
  }

  /** One claim. Answers when the next work is due: at once, if more was due than fits into one claim. */
  async #claim(): Promise<number | null> {
    const { world, store, runs, executor, owner } = this.needs;
    const rest = await this.#restAfterOutage();
    if (rest !== null) return rest;
    const queues = this.#queues();
    const asked = world.now();
    const until = world.now() + LEASE_MS;
    for (const { queue, limit } of queues) executor.reserve(queue, limit);
    const claim: Claim = await store
      .claim({ queues, now: world.now(), leaseUntil: until, owner, newToken: (id) => makeToken(world, id) }, (run, token) =>
        runs.claimed(run, { token, owner, until }, { type: "claimed", token }),
      )
      .finally(() => {
        for (const { queue, limit } of queues) executor.release(queue, limit);
      });
    if (claim.invited) this.needs.bus.publish({ type: "work", queues: claim.invited });
    for (const change of claim.changes) runs.told(change);
    for (const item of await this.#fresh(claim.items, asked)) this.#begin(item);
    this.#answeredAt = asked;
    return claim.nextDueAt;
  }

  /** Renews before anything is claimed after an outage: what expired meanwhile is still carried out. Answers until when to rest; null: there was none. */
  async #restAfterOutage(): Promise<number | null> {
    const { world } = this.needs;
    if (world.now() - this.#answeredAt >= OUTAGE_MS) {
      for (let took = Number.POSITIVE_INFINITY; took >= OUTAGE_MS; ) {
        const asked = world.now();
        await this.#renew();
        took = world.now() - asked;
      }
      this.#answeredAt = world.now();
      this.#restUntil = this.#answeredAt + REST_MS;
    }
    return world.now() < this.#restUntil && world.now() >= this.#restUntil - REST_MS ? this.#restUntil : null;
  }

  /** A claim that was answered late has short leases: those still held get whole ones. */
  async #fresh(items: Claimed[], asked: number): Promise<Claimed[]> {
    const { world, store, owner } = this.needs;
    if (items.length === 0 || world.now() - asked < LEASE_MS / 3) return items;
    const tokens = items.map(({ token }) => token);
    const held = await store.renew(tokens, world.now() + LEASE_MS, owner);
    return items.filter(({ token }) => held.has(token));
  }

  /** What this server can do now, and how much of it. */
  #queues(): { queue: string; limit: number }[] {
    const { registry, executor, apps } = this.needs;
    const queues = serverQueues(registry.environments()).map((queue) => ({ queue, limit: this.#roomIn(queue) }));
    for (const app of registry.apps()) {
      // Half of the room is left to runs that are stored meanwhile: they need no claim.
      const limit = Math.min(CLAIM_AT_ONCE, Math.ceil(executor.room(app) / 2));
      if (limit > 0) queues.push({ queue: app.id, limit });
      if (!apps.reachable(app)) continue;
      for (const queue of [verifyQueue(app.id), notifyQueue(app.id)])
        queues.push({ queue, limit: this.#roomIn(queue, ASKED_AT_ONCE) });
    }
    return queues.filter(({ limit }) => limit > 0);
  }

  #roomIn(queue: string, most = HELD_AT_ONCE): number {
    const atOnce = Math.min(CLAIM_AT_ONCE, most);
    const room = Math.min(atOnce, most - (this.#held.get(queue) ?? 0));
    if (room < atOnce) this.#short.add(queue);
    else this.#short.delete(queue);
    return room;
  }

  #begin(item: Claimed): void {
    if (item.kind === "run") this.needs.executor.begin(item.run, item.token);
    else this.#hold(item).catch((error: unknown) => this.#failed(item.kind, error));
  }

  #failed(kind: string, error: unknown): void {
    this.needs.world.log.error("a piece of work failed; its lease will expire and it is tried again", { kind, error });
  }

  async #hold(item: Exclude<Claimed, { kind: "run" }>): Promise<void> {
    const queue = this.#queueOf(item);
    this.#inHand.set(item.token, queue);
    this.#held.set(queue, (this.#held.get(queue) ?? 0) + 1);
    try {
      if (item.kind === "event") await this.#deliver(item.event, item.token);
      else if (item.kind === "waiters")
        await this.needs.waiters.tell(item.event, { id: `${item.event.rowId}:waiters`, token: item.token });
      else if (item.kind === "outbound") await this.needs.outbound.perform(item.outbound, item);
      else await this.#verify(item);
    } finally {
      this.#letGo(item.token, queue);
    }
  }

  #queueOf(item: Exclude<Claimed, { kind: "run" }>): string {
    if (item.kind === "outbound") return item.outbound.queue;
    if (item.kind !== "delivery") return eventQueue(item.event.environmentId);
    return verifyQueue(this.needs.registry.endpoint(item.delivery.endpointId ?? "")?.app.id ?? "");
  }

  #letGo(token: string, queue: string): void {
    this.#inHand.delete(token);
    const left = (this.#held.get(queue) ?? 0) - 1;
    if (left > 0) this.#held.set(queue, left);
    else this.#held.delete(queue);
    if (this.#short.has(queue)) this.wake();
  }

  #deliver(event: EventRow, token: string): Promise<void> {
    const { events, schedules } = this.needs;
    return event.name === TICK ? schedules.deliver(event, token) : events.deliver(event, token);
  }

  async #verify({ delivery, token, attempts }: Claimed & { kind: "delivery" }): Promise<void> {
    const { ingest, store, world, owner } = this.needs;
    const settled = await ingest.verify(delivery, token);
    if (settled !== "no-answer") return;
    const pause = Math.min(VERIFY_AGAIN_MS.most, VERIFY_AGAIN_MS.first * 2 ** Math.min(attempts, 10));
    await store.renew([token], world.now() + pause, owner);
    this.#lookBy(world.now() + pause);
  }

  #renewLater(): void {
    this.#cancelRenew = this.needs.world.after(RENEW_EVERY_MS, () => {
      this.#renew()
        .catch((error: unknown) => this.needs.world.log.warn("leases could not be renewed", { error }))
        .finally(() => {
          if (!this.#stopping || this.needs.executor.live.size > 0) this.#renewLater();
        });
    });
  }

  async #renew(): Promise<void> {
    const { executor, store, world, owner } = this.needs;
    const mine = executor.live.all();
    if (mine.length === 0 && this.#inHand.size === 0) return;
    const tokens = [...mine.map(({ token }) => token), ...this.#inHand.keys()];
    const held = await store.renew(tokens, world.now() + LEASE_MS, owner);
    // One that was adopted again meanwhile is another entry by now.
    for (const execution of mine) {
      const { token } = execution;
      if (!held.has(token) && executor.live.get(token) === execution) executor.live.drop(token, "superseded");
    }
  }

  /** Stops claiming, lets executions end, bounded; what is left is given back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTimer();
    this.#unsubscribe();
    await this.#claimed;
    const { executor, ingest, world } = this.needs;
    executor.drain();
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = world.after(DRAIN_MS, resolve);
    });
    // In this order: a verdict that is being written may start runs.
    await Promise.race([ingest.idle().then(() => executor.idle()), late]);
    cancel();
    await executor.giveBack();
    this.#cancelRenew();
    executor.hub.close();
  }
}
