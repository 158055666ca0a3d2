// Room: execute. Apps that are called are asked for their jobs again: soon after a deployment told their hook, and once an hour where they serve people
// (wire §2.12, §4.12). Made by main; http takes the hooks, upkeep calls `ensure`. Connected apps tell their jobs by themselves.
// Promises: however often a hook is called, an app is asked once in five seconds; one that does not answer keeps the jobs it had.
import { createHash, timingSafeEqual } from "node:crypto";
import type { Registry } from "../dispatch/registry.ts";
import type { Cancel, World } from "../platform/world.ts";
import type { AppRow, EnvironmentRow } from "../store/store.ts";
import type { Registration } from "./register.ts";

/** A platform tells of a deployment a moment before it serves it. */
const AFTER_HOOK_MS = 5_000;
const HOUR_MS = 3_600_000;
/** Hex digits of a hook: 80 bits nobody guesses. */
const HOOK_DIGITS = 20;

export interface ReindexingNeeds {
  world: Pick<World, "now" | "after" | "log">;
  registry: Pick<Registry, "app" | "apps" | "environment">;
  registration: Pick<Registration, "refresh">;
}

export class Reindexing {
  readonly #soon = new Map<string, Cancel>();
  /** When this server last asked an app by itself. */
  readonly #asked = new Map<string, number>();

  constructor(private readonly needs: ReindexingNeeds) {}

  /** The secret part of an app's hook; it changes with its environment's key. Null: the app connects, and needs none. */
  hookOf(app: AppRow): string | null {
    const environment = this.needs.registry.environment(app.environmentId);
    if (app.transport !== "push" || !environment) return null;
    return createHash("sha256").update(`index hook ${app.id} ${environment.secretKeyHash}`).digest("hex").slice(0, HOOK_DIGITS);
  }

  /** Somebody called a hook. False: there is none of that name. */
  called(environment: EnvironmentRow, slug: string, hook: string): boolean {
    const app = this.needs.registry.apps(environment.id).find((one) => one.slug === slug);
    const own = app && this.hookOf(app);
    if (!app || !own || !isSame(own, hook)) return false;
    if (!this.#soon.has(app.id))
      this.#soon.set(
        app.id,
        this.needs.world.after(AFTER_HOOK_MS, () => void this.#askSoon(app.id)),
      );
    return true;
  }

  /** Asks apps outside of development whose index is older than an hour. Call every few minutes. */
  async ensure(): Promise<void> {
    for (const app of this.needs.registry.apps()) if (this.#isStale(app)) await this.#ask(app.id);
  }

  /** Hooks that were called and not yet followed are dropped: the next start, or the next hour, asks. */
  stop(): void {
    for (const cancel of this.#soon.values()) cancel();
    this.#soon.clear();
  }

  #isStale({ id, environmentId, transport, url, indexedAt }: AppRow): boolean {
    if (transport !== "push" || !url || this.needs.registry.environment(environmentId)?.type === "DEVELOPMENT") return false;
    return Math.max(indexedAt ?? 0, this.#asked.get(id) ?? 0) <= this.needs.world.now() - HOUR_MS;
  }

  async #askSoon(appId: string): Promise<void> {
    this.#soon.delete(appId);
    await this.#ask(appId);
  }

  async #ask(appId: string): Promise<void> {
    const { world, registration } = this.needs;
    this.#asked.set(appId, world.now());
    try {
      await registration.refresh(appId);
    } catch (error) {
      // The registration has noted it with the app.
      world.log.info("an app did not say what jobs it has; it keeps those it had", { app: appId, error });
    }
  }
}

/** Without telling by its time how much of it is right. */
function isSame(own: string, given: string): boolean {
  const [a, b] = [Buffer.from(own), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
