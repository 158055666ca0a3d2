// Room: store. Group commit: items of one kind that arrive while a batch is being flushed form the next one, so that many callers share one statement and
// one fsync, and a lone caller waits for nobody. Called by the store's write paths, one batcher each.
// Promises: every item settles, within its patience; one bad item never fails its neighbours; two items with one key are never in one statement.
import { UserFacingError } from "@holdfast/protocol";
import type { Cancel, World } from "../../platform/world.ts";
import type { Counters } from "./counters.ts";
import { FIRST_PAUSE_MS, failureOf, LONGEST_PAUSE_MS, refused, unreachable } from "./failures.ts";

/** The statement could not tell yet (a concurrent server is at the same row): the item joins a later batch. */
export const AGAIN = Symbol("again");

export interface BatchKind<Item, Result> {
  kind: string;
  maxItems: number;
  maxBytes: number;
  /** How long an item may wait for a database that does not answer. */
  patienceMs: number;
  /** Batches under way at once; the flush gets the number of its lane. */
  lanes: number;
  /** Only items of one group share a statement. */
  groupOf(item: Item): number;
  /** Items with the same key never share one: the later waits for the next batch. */
  keyOf(item: Item): string | null;
  bytesOf(item: Item): number;
  flush(items: Item[], group: number, lane: number): Promise<(Result | typeof AGAIN)[]>;
  /** The group's tables are missing: make them and answer true, or answer the result every item gets. */
  missing(items: Item[]): Promise<{ result: Result } | "made">;
  /** Corrects the result of an item whose earlier attempt had an unknown outcome. */
  confirm(item: Item, result: Result): Promise<Result>;
}

interface Entry<Item, Result> {
  item: Item;
  bytes: number;
  deadline: number;
  /** An attempt failed after it may have been committed. */
  unsure: boolean;
  settled: boolean;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const MOST_WAITING = 100_000;
const MOST_WAITING_BYTES = 256 * 1024 * 1024;
const SWEEP_MS = 1_000;

export class Batcher<Item, Result> {
  #waiting: Entry<Item, Result>[] = [];
  #bytes = 0;
  readonly #freeLanes: number[];
  readonly #open = new Set<Entry<Item, Result>>();
  #scheduled = false;
  #cancelSweep: Cancel | null = null;
  #lastError: unknown = new Error("no answer");
  readonly #idle: (() => void)[] = [];

  constructor(
    private readonly kind: BatchKind<Item, Result>,
    private readonly world: Pick<World, "monotonic" | "after" | "turn">,
    private readonly counters: Counters,
  ) {
    this.#freeLanes = Array.from({ length: kind.lanes }, (_, lane) => lane);
  }

  /**
   * Adds an item to the next batch; settles once that batch is on disk.
   *
   * @throws UserFacingError OVERLOADED, DATABASE_UNREACHABLE, UNPROCESSABLE
   */
  add(item: Item): Promise<Result> {
    const bytes = this.kind.bytesOf(item);
    if (this.#waiting.length >= MOST_WAITING || this.#bytes + bytes > MOST_WAITING_BYTES) return Promise.reject(overloaded());
    return new Promise<Result>((resolve, reject) => {
      const deadline = this.world.monotonic() + this.kind.patienceMs;
      const entry: Entry<Item, Result> = { item, bytes, deadline, unsure: false, settled: false, resolve, reject };
      this.#open.add(entry);
      this.#enqueue([entry]);
      this.#cancelSweep ??= this.world.after(SWEEP_MS, () => this.#sweep());
    });
  }

  /** Resolves when nothing waits or is under way. */
  async idle(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#cancelSweep?.();
    this.#cancelSweep = null;
  }

  #enqueue(entries: Entry<Item, Result>[]): void {
    for (const entry of entries) this.#bytes += entry.bytes;
    this.#waiting.push(...entries);
    this.#schedule();
  }

  /** One turn of the event loop gathers what arrives together, for instance all frames of one socket read. */
  #schedule(): void {
    if (this.#scheduled || this.#freeLanes.length === 0) return;
    this.#scheduled = true;
    this.world.turn(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#freeLanes.pop();
      if (lane === undefined) return;
      const { entries, group } = this.#take();
      this.#fly(entries, group, lane)
        .catch((error: unknown) => this.#rejectAll(entries, error))
        .finally(() => {
          this.#freeLanes.push(lane);
          if (this.#waiting.length > 0) this.#pump();
        });
    }
  }

  /** The next batch: the oldest item, and those after it that may share its statement. */
  #take(): { entries: Entry<Item, Result>[]; group: number } {
    const entries: Entry<Item, Result>[] = [];
    const left: Entry<Item, Result>[] = [];
    const keys = new Set<string>();
    const group = this.#waiting[0] ? this.kind.groupOf(this.#waiting[0].item) : 0;
    let bytes = 0;
    let i = 0;
    for (; i < this.#waiting.length && entries.length < this.kind.maxItems; i++) {
      const entry = this.#waiting[i] as Entry<Item, Result>;
      if (entries.length > 0 && bytes + entry.bytes > this.kind.maxBytes) break;
      const key = this.kind.keyOf(entry.item);
      const apart = this.kind.groupOf(entry.item) !== group || (key !== null && keys.has(key));
      if (key !== null) keys.add(key);
      if (apart) left.push(entry);
      else entries.push(entry);
      if (!apart) bytes += entry.bytes;
    }
    this.#waiting = left.length === 0 && i === this.#waiting.length ? [] : [...left, ...this.#waiting.slice(i)];
    this.#bytes -= bytes;
    return { entries, group };
  }

  async #fly(entries: Entry<Item, Result>[], group: number, lane: number): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    let made = false;
    for (;;) {
      const alive = entries.filter((entry) => !entry.settled);
      if (alive.length === 0) return;
      const items = alive.map(({ item }) => item);
      try {
        const results = await this.kind.flush(items, group, lane);
        this.counters.batch(this.kind.kind, items.length);
        return await this.#settle(alive, results);
      } catch (error) {
        const failure = failureOf(error);
        if (failure === "bug" || (failure === "no-week" && made)) return this.#rejectAll(alive, error);
        if (failure === "data") return await this.#isolate(alive, error, group, lane);
        if (failure === "no-week") {
          const missing = await this.kind.missing(items);
          if (missing !== "made")
            return await this.#settle(
              alive,
              items.map(() => missing.result),
            );
          made = true;
          continue;
        }
        this.#lastError = error;
        for (const entry of alive) entry.unsure = true;
        this.#sweepLate();
      }
      await new Promise<void>((resolve) => void this.world.after(pause, resolve));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  /** One item of the batch is bad: halves are tried until it stands alone, so the others are stored. */
  async #isolate(entries: Entry<Item, Result>[], error: unknown, group: number, lane: number): Promise<void> {
    if (entries.length === 1) return this.#rejectAll(entries, refused(error));
    const middle = entries.length >> 1;
    await this.#fly(entries.slice(0, middle), group, lane);
    await this.#fly(entries.slice(middle), group, lane);
  }

  async #settle(entries: Entry<Item, Result>[], results: (Result | typeof AGAIN)[]): Promise<void> {
    const again: Entry<Item, Result>[] = [];
    for (const [i, entry] of entries.entries()) {
      const result = results[i];
      if (result === AGAIN || result === undefined) again.push(entry);
      else if (!entry.unsure) this.#resolve(entry, result);
      else await this.#confirm(entry, result);
    }
    if (again.length > 0) this.#enqueue(again);
  }

  async #confirm(entry: Entry<Item, Result>, result: Result): Promise<void> {
    try {
      this.#resolve(entry, await this.kind.confirm(entry.item, result));
    } catch (error) {
      this.#rejectAll([entry], error);
    }
  }

  #resolve(entry: Entry<Item, Result>, result: Result): void {
    this.#close(entry);
    entry.resolve(result);
  }

  #close(entry: Entry<Item, Result>): void {
    entry.settled = true;
    this.#open.delete(entry);
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #rejectAll(entries: Entry<Item, Result>[], error: unknown): void {
    for (const entry of entries) {
      if (entry.settled) continue;
      this.#close(entry);
      entry.reject(error);
    }
  }

  /** Nothing hangs: items past their deadline are given up even while their statement is still under way. */
  #sweep(): void {
    this.#cancelSweep = null;
    this.#sweepLate();
    if (this.#open.size > 0) this.#cancelSweep = this.world.after(SWEEP_MS, () => this.#sweep());
  }

  #sweepLate(): void {
    const now = this.world.monotonic();
    const late = [...this.#open].filter(({ deadline }) => deadline <= now);
    if (late.length === 0) return;
    this.#rejectAll(late, unreachable(this.#lastError));
    this.#waiting = this.#waiting.filter((entry) => {
      if (entry.settled) this.#bytes -= entry.bytes;
      return !entry.settled;
    });
  }
}

function overloaded(): UserFacingError {
  return new UserFacingError("OVERLOADED", "Too much is waiting to be stored.", "Try again in a few seconds.");
}
