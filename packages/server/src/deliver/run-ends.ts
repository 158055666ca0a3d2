// Room: deliver. Callers that wait for a run's end in their own request. Made by main; called by http for `Prefer: wait` (RFC 7240, section 4.3).
// Promises: answered within the time given; a run that ended before anyone listened, or whose news was lost, is found all the same; whoever has gone is
// not waited for; a server that stops answers all of them at once.
import { isFinalRunStatus, UserFacingError } from "@holdfast/protocol";
import type { Cancel, World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { Bus, RunRow, Store } from "../store/store.ts";

/** Looked at once in a while though no news came: the bus is best effort. */
const LOOK_MS = 5_000;
const MOST_WAITING = 10_000;

export interface RunEndsNeeds {
  world: World;
  store: Pick<Store, "run">;
  runs: Pick<Runs, "onChange">;
  bus: Bus;
}

export interface Patience {
  /** Milliseconds. */
  withinMs: number;
  /** Aborted when the caller has left. */
  gone: AbortSignal;
  /** It was stored in this turn of the event loop, so that it cannot have ended unheard. */
  isNew: boolean;
}

interface Waiting {
  run: RunRow;
  looks: Cancel;
  tell(found: RunRow | null): void;
}

export class RunEnds {
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #unsubscribe: () => void;
  #waitingCalls = 0;
  #stopped = false;

  constructor(private readonly needs: RunEndsNeeds) {
    // What ends here is at hand whole; of what ends on another server only the news comes.
    needs.runs.onChange((run) => {
      if (run.state.kind === "finished") for (const waiting of this.#waiting.get(run.id) ?? []) waiting.tell(run);
    });
    this.#unsubscribe = needs.bus.subscribe((news) => {
      if (news.type !== "live" || news.message.type !== "run" || !isFinalRunStatus(news.message.status)) return;
      for (const waiting of this.#waiting.get(news.message.id) ?? []) this.#lookSoon(waiting);
    });
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#waitingCalls;
  }

  /**
   * The run once it has ended; null when that takes longer, or nobody waits any more.
   *
   * @param run as it was stored, or read
   * @throws UserFacingError OVERLOADED when too many wait
   */
  async of(run: RunRow, { withinMs, gone, isNew }: Patience): Promise<RunRow | null> {
    if (run.state.kind === "finished") return run;
    if (this.#stopped || gone.aborted) return null;
    if (this.#waitingCalls >= MOST_WAITING) throw new UserFacingError("OVERLOADED", "Too many calls wait for runs to end.");
    return new Promise((resolve) => {
      const cancelEnd = this.needs.world.after(withinMs, () => waiting.tell(null));
      const leave = (): void => waiting.tell(null);
      gone.addEventListener("abort", leave);
      const waiting: Waiting = {
        run,
        looks: this.#lookLater(() => waiting),
        tell: (found) => {
          waiting.looks();
          cancelEnd();
          gone.removeEventListener("abort", leave);
          this.#remove(waiting);
          resolve(found);
        },
      };
      this.#add(waiting);
      if (!isNew) this.#look(waiting);
    });
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    for (const all of [...this.#waiting.values()]) for (const waiting of [...all]) waiting.tell(null);
  }

  #lookLater(waiting: () => Waiting): Cancel {
    return this.needs.world.after(LOOK_MS, () => this.#look(waiting()));
  }

  /** After all that hear of a change here have: then whoever is told by the change itself needs no look. */
  #lookSoon(waiting: Waiting): void {
    void Promise.resolve().then(() => {
      if (this.#waiting.get(waiting.run.id)?.has(waiting)) this.#look(waiting);
    });
  }

  #look(waiting: Waiting): void {
    const { id, environmentId } = waiting.run;
    waiting.looks();
    waiting.looks = this.#lookLater(() => waiting);
    this.needs.store.run(environmentId, id).then(
      (now) => {
        if (now === null || now.state.kind === "finished") waiting.tell(now);
      },
      // The database is away for a moment: a later look may find it.
      () => {},
    );
  }

  #add(waiting: Waiting): void {
    this.#waitingCalls += 1;
    const others = this.#waiting.get(waiting.run.id);
    if (others) others.add(waiting);
    else this.#waiting.set(waiting.run.id, new Set([waiting]));
  }

  #remove(waiting: Waiting): void {
    const all = this.#waiting.get(waiting.run.id);
    if (!all?.delete(waiting)) return;
    this.#waitingCalls -= 1;
    if (all.size === 0) this.#waiting.delete(waiting.run.id);
  }
}
