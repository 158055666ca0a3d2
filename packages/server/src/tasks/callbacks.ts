// Room: tasks. Tasks that something outside completes: whoever calls their callback URL, an event, a run that was waited for, a request the server made.
// Called by http for the URL, and by deliver for everything else. Promises: the first answer counts; a run that waits for it is woken, and one that is just
// about to wait notices, because waking it changes its revision.
import { timingSafeEqual } from "node:crypto";
import { awaitsCallback } from "@holdfast/engine";
import { isId, type TaskDetails } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { Store, TaskRow } from "../store/store.ts";

/** How a task ended outside of its run, as JSON text; null: undefined. */
export type OutsideEnd = { status: "COMPLETED"; outputText: string | null } | { status: "ERRORED"; errorText: string };

const PATH = /^\/api\/v1\/runs\/([^/]+)\/tasks\/([^/]+)\/callback\/([0-9a-f]{24})$/;
const SECRET_BYTES = 12;

export interface CallbacksNeeds {
  world: World;
  store: Store;
  runs: Runs;
  /** True for the app of a published v2 SDK: it calls a waiting task's callback again in every execution. */
  isPublished: (appId: string) => boolean;
}

/** A fresh address that completes a task. @param origin where the one who asked reaches this server */
export function callbackUrl(world: World, origin: string, task: { runId: string; id: string }): string {
  const secret = Buffer.from(world.random(SECRET_BYTES)).toString("hex");
  return `${origin}/api/v1/runs/${task.runId}/tasks/${task.id}/callback/${secret}`;
}

/** A wake of a run; once it has looked at the run, what is recorded from then on needs another one. */
interface Wake {
  hasLooked: boolean;
  done: Promise<void>;
}

export class Callbacks {
  /** The last wake of each run that is under way. */
  readonly #wakes = new Map<string, Wake>();

  constructor(private readonly needs: CallbacksNeeds) {}

  /**
   * Somebody calls a callback URL.
   *
   * @param url whole or its path
   * @returns "foreign": it is none of ours; "late": the task has ended already, and stays as it is
   */
  async called(url: string, end: OutsideEnd): Promise<"taken" | "late" | "foreign"> {
    const found = await this.#find(url);
    if (!found) return "foreign";
    return this.settle(found.runId, found.id, end);
  }

  /** True when it is the callback URL of a task. */
  async isOurs(url: string): Promise<boolean> {
    return (await this.#find(url)) !== null;
  }

  async #find(url: string): Promise<TaskRow | null> {
    const path = URL.canParse(url) ? new URL(url).pathname : url;
    const [, runId = "", taskId = ""] = PATH.exec(path) ?? [];
    if (!isId("run", runId)) return null;
    const [task] = await this.needs.store.tasks(runId, { ids: [taskId] });
    const own = task?.detailsText && (JSON.parse(task.detailsText) as TaskDetails).callbackUrl;
    return task && own && isSame(new URL(own).pathname, path) ? task : null;
  }

  /** Ends a task of a run from outside and wakes the run. Safe to repeat. */
  async settle(runId: string, taskId: string, end: OutsideEnd): Promise<"taken" | "late" | "foreign"> {
    const { store, world } = this.needs;
    const [row] = await store.tasks(runId, { ids: [taskId] });
    if (!row) return "foreign";
    const task: TaskRow = { ...row, ...end, completedAt: world.now(), failuresText: null };
    const verdict = await store.recordTask({ task, token: null, failureText: null });
    if (verdict !== "stale" && !(await this.#isEarly(row))) await this.#wake(runId);
    return verdict === "recorded" ? "taken" : "late";
  }

  /**
   * Whoever comes before the next wake of the run has looked at it joins that one, and one is under way at a time: a hundred answers at once, each trying
   * to change the same revision, would hold up each other and the end of its execution for seconds.
   */
  #wake(runId: string): Promise<void> {
    const former = this.#wakes.get(runId);
    if (former && !former.hasLooked) return former.done;
    const wake: Wake = { hasLooked: false, done: Promise.resolve() };
    const perform = async (): Promise<void> => {
      await former?.done.catch(() => {});
      wake.hasLooked = true;
      const { store, runs } = this.needs;
      const run = await store.run(null, runId);
      if (run) await runs.apply(run, { type: "woken" });
    };
    this.#wakes.set(runId, wake);
    wake.done = perform().finally(() => {
      if (this.#wakes.get(runId) === wake) this.#wakes.delete(runId);
    });
    return wake.done;
  }

  /** A published SDK would hand out the URLs of the branches that still wait a second time, so it is woken when none does any more. v2 did so, too. */
  async #isEarly(task: TaskRow): Promise<boolean> {
    if (task.parentId === null) return false;
    const run = await this.needs.store.run(null, task.runId);
    if (!run || !this.needs.isPublished(run.appId)) return false;
    const waiting = await this.needs.store.tasks(run.id, { statuses: ["WAITING"] });
    const now = this.needs.world.now();
    return waiting.some(
      (other) => other.parentId === task.parentId && awaitsCallback(other) && (other.delayUntil ?? now + 1) > now,
    );
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
