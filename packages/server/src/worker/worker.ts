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
import { serverQueues, verifyQueue } from "../store/queues.ts";
import type { Bus, Claim, Claimed, EventRow, Store } from "../store/store.ts";
import { makeToken } from "../tasks/report.ts";

const RENEW_EVERY_MS = 5_000;
const POLL_EVERY_MS = 1_000;
/** Most pieces claimed at once from one queue. */
const CLAIM_AT_ONCE = 200;
/** Verifications under way at once for one app. */
const VERIFY_AT_ONCE = 50;
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
  #cancelRenew: () => void = () => {};
  #unsubscribe: () => void = () => {};
  #claimed: Promise<void> = Promise.resolve();
  /** Claimed deliveries and events in hand: token → nothing else to know. */
  readonly #inHand = new Set<string>();
  /** Verifications under way, by app. */
  readonly #verifying = new Map<string, number>();

  constructor(private readonly needs: WorkerNeeds) {}

  get stopping(): boolean {
    return this.#stopping;
  }

  start(): void {
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
    else if (this.#stopping) return;
    else if (this.#claiming) this.#again = true;
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
    const queues = this.#queues();
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
    for (const item of claim.items) this.#begin(item);
    return claim.nextDueAt;
  }

  /** What this server can do now, and how much of it. */
  #queues(): { queue: string; limit: number }[] {
    const { registry, executor, apps } = this.needs;
    const queues = serverQueues(registry.environments()).map((queue) => ({ queue, limit: CLAIM_AT_ONCE }));
    for (const app of registry.apps()) {
      // Half of the room is left to runs that are stored meanwhile: they need no claim.
      const limit = Math.min(CLAIM_AT_ONCE, Math.ceil(executor.room(app) / 2));
      if (limit > 0) queues.push({ queue: app.id, limit });
      const verifications = VERIFY_AT_ONCE - (this.#verifying.get(app.id) ?? 0);
      if (verifications > 0 && apps.reachable(app)) queues.push({ queue: verifyQueue(app.id), limit: verifications });
    }
    return queues;
  }

  #begin(item: Claimed): void {
    if (item.kind === "run") this.needs.executor.begin(item.run, item.token);
    else this.#hold(item).catch((error: unknown) => this.#failed(item.kind, error));
  }

  #failed(kind: string, error: unknown): void {
    this.needs.world.log.error("a piece of work failed; its lease will expire and it is tried again", { kind, error });
  }

  async #hold(item: Exclude<Claimed, { kind: "run" }>): Promise<void> {
    this.#inHand.add(item.token);
    try {
      if (item.kind === "event") await this.#deliver(item.event, item.token);
      else if (item.kind === "waiters")
        await this.needs.waiters.tell(item.event, { id: `${item.event.rowId}:waiters`, token: item.token });
      else if (item.kind === "outbound") await this.needs.outbound.perform(item.outbound, item);
      else await this.#verify(item);
    } finally {
      this.#inHand.delete(item.token);
    }
  }

  #deliver(event: EventRow, token: string): Promise<void> {
    const { events, schedules } = this.needs;
    return event.name === TICK ? schedules.deliver(event, token) : events.deliver(event, token);
  }

  async #verify({ delivery, token, attempts }: Claimed & { kind: "delivery" }): Promise<void> {
    const { ingest, registry, store, world, owner } = this.needs;
    const appId = registry.endpoint(delivery.endpointId ?? "")?.app.id;
    this.#verifies(appId, 1);
    try {
      const settled = await ingest.verify(delivery, token);
      if (settled === "no-answer") {
        const pause = Math.min(VERIFY_AGAIN_MS.most, VERIFY_AGAIN_MS.first * 2 ** Math.min(attempts, 10));
        await store.renew([token], world.now() + pause, owner);
      }
    } finally {
      this.#verifies(appId, -1);
      this.wake();
    }
  }

  #verifies(appId: string | undefined, more: number): void {
    if (appId !== undefined) this.#verifying.set(appId, (this.#verifying.get(appId) ?? 0) + more);
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
    const tokens = [...mine.map(({ token }) => token), ...this.#inHand];
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
