// Room: deliver. Callers that wait for a run's end in their own request. Made by main; called by http for `Prefer: wait` (RFC 7240, section 4.3).
// Promises: answered within the time given; a run that ended before anyone listened, or whose news was lost, is found all the same; whoever has gone is
// not waited for; a server that stops answers all of them at once. A run that executes elsewhere costs two words on the bus: the other servers are told once that
// its end is awaited, and the one that ends it tells at once. Of all other ends they hear with the news for dashboards, later.
import { isFinalRunStatus, UserFacingError } from "@holdfast/protocol";
import type { Cancel, World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { Bus, BusMessage, RunRow, Store } from "../store/store.ts";

/** Looked at once in a while though no news came: the bus is best effort. */
const LOOK_MS = 5_000;
const MOST_WAITING = 10_000;
/** Runs awaited on other servers that are remembered; the oldest is forgotten first, and its end heard of a little later. */
const MOST_AWAITED = 10_000;

export interface RunEndsNeeds {
  world: Pick<World, "after" | "newId">;
  store: Pick<Store, "run">;
  runs: Pick<Runs, "onChange">;
  bus: Bus;
  /** Whether this server executes the run, so that it will hear of its end by itself. */
  executes: (runId: string) => boolean;
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
  /** Those of them of which the other servers know. */
  readonly #told = new Set<string>();
  /** What other servers wait for, oldest first. */
  readonly #awaited = new Set<string>();
  readonly #name: string;
  readonly #unsubscribe: () => void;
  #waitingCalls = 0;
  #stopped = false;

  constructor(private readonly needs: RunEndsNeeds) {
    this.#name = needs.world.newId("server");
    needs.runs.onChange((run) => this.#changed(run));
    this.#unsubscribe = needs.bus.subscribe((news) => this.#hear(news));
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
      if (!this.needs.executes(run.id)) this.#tellOthers(run.id);
      if (!isNew) this.#look(waiting);
    });
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    for (const all of [...this.#waiting.values()]) for (const waiting of [...all]) waiting.tell(null);
  }

  /** What ends here is at hand whole; what goes on may do so on another server. */
  #changed(run: RunRow): void {
    const ends = run.state.kind === "finished";
    if (ends && this.#awaited.delete(run.id)) this.needs.bus.publish({ type: "ended", runId: run.id });
    const all = this.#waiting.get(run.id);
    if (all && ends) for (const waiting of all) waiting.tell(run);
    else if (all && run.state.kind !== "executing") this.#tellOthers(run.id);
  }

  #hear(news: BusMessage): void {
    if (news.type === "awaited") {
      if (news.by !== this.#name) this.#remember(news.runId);
      return;
    }
    const ended = endedIn(news);
    if (ended === null) return;
    // Of one that ends here `#changed` tells.
    if (news.type === "ended") this.#awaited.delete(ended);
    for (const waiting of this.#waiting.get(ended) ?? []) this.#lookSoon(waiting);
  }

  #remember(runId: string): void {
    this.#awaited.add(runId);
    const [oldest] = this.#awaited;
    if (this.#awaited.size > MOST_AWAITED && oldest !== undefined) this.#awaited.delete(oldest);
  }

  #tellOthers(runId: string): void {
    if (this.#told.has(runId)) return;
    this.#told.add(runId);
    this.needs.bus.publish({ type: "awaited", runId, by: this.#name });
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
    if (all.size > 0) return;
    this.#waiting.delete(waiting.run.id);
    this.#told.delete(waiting.run.id);
  }
}

/** The run of which it says that it has ended. */
function endedIn(news: BusMessage): string | null {
  if (news.type === "ended") return news.runId;
  return news.type === "live" && news.message.type === "run" && isFinalRunStatus(news.message.status) ? news.message.id : null;
}
