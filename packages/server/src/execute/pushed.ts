// Room: execute. An execution inside one HTTP call to the app's URL: our SDK's EXECUTE or a v2 SDK's EXECUTE_JOB, and what the end of that call means for
// its run. Called by the executor. Promises: a call that the app's platform cut off teaches how long its calls may take, and costs no recorded step.
import type { RunInput } from "@holdfast/engine";
import type { ErrorShape, ExecuteJobBody, RecordedTask } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import type { Telling } from "../runs/change.ts";
import type { AppRow, RunRow, Store } from "../store/store.ts";
import { writeOf } from "../tasks/report.ts";
import { cachedTask } from "../tasks/v2-tasks.ts";
import { ORGANIZATION, PROJECT } from "../views/tenant.ts";
import { chunkLimitMs, learnedLimit, yieldAfterMs } from "./call-limit.ts";
import type { LiveExecutions } from "./live.ts";
import { inputOf, reading } from "./outcome.ts";
import { type Called, cacheOf, type Push } from "./push.ts";
import { connectionsGiven, executionStart, type Prepared, recordedPages, recordedTasks, sourceShown } from "./start.ts";
import { listensOf, V2Outcomes } from "./v2-outcome.ts";

interface Needs {
  world: World;
  store: Store;
  registry: Registry;
  push: Push;
  live: LiveExecutions;
  /** The app wants to hear how this run ends. */
  whenEnded: (run: RunRow, listens: { success?: boolean | undefined; failure?: boolean | undefined }) => Promise<void>;
}

type BadCall = Exclude<Called<never>, { type: "answered" }>;

export class PushedExecutions {
  readonly #v2: V2Outcomes;

  constructor(private readonly needs: Needs) {
    this.#v2 = new V2Outcomes(needs.store);
  }

  /** Resolves when the call is over, with how to read what came of it. */
  perform(prepared: Prepared): Promise<() => Promise<Telling>> {
    return prepared.app.index?.holdfast ? this.#own(prepared) : this.#foreign(prepared);
  }

  async #own(prepared: Prepared): Promise<() => Promise<Telling>> {
    const { run, token, app } = prepared;
    const { world, live, push } = this.needs;
    const tasks: RecordedTask[] = [];
    for await (const page of recordedTasks(this.needs, run)) tasks.push(...page);
    const start = executionStart(world, { ...prepared, tasks });
    const soonest = yieldAfterMs(app);
    if (soonest !== null) start.yieldAfterMs = soonest;
    const waits = live.get(token)?.waits ?? new Map<string, number>();
    const began = world.now();
    const called = await push.execute(app, start);
    if (called.type !== "answered") return this.#bad(prepared, called, began);
    const now = world.now();
    const writes = called.value.items.map((item) => writeOf(token, item, now));
    return reading(this.needs, run.id, inputOf(token, called.value.outcome, now, waits), writes);
  }

  async #foreign(prepared: Prepared): Promise<() => Promise<Telling>> {
    const { run, token, app } = prepared;
    const { world, push, whenEnded } = this.needs;
    const body = await this.#executeJobBody(prepared);
    const began = world.now();
    const called = await push.executeV2(app, body);
    if (called.type !== "answered") return this.#bad(prepared, called, began);
    const listens = listensOf(called.headers);
    if (listens) await whenEnded(run, listens);
    return () => this.#v2.read(run.id, token, called.value, world.now());
  }

  async #executeJobBody({ run, app, event, environment, connections }: Prepared): Promise<ExecuteJobBody> {
    const { store, world } = this.needs;
    const finished = [];
    for await (const rows of recordedPages(store, run)) finished.push(...rows.filter(({ status }) => status === "COMPLETED"));
    const cache = cacheOf(finished.map(cachedTask));
    const iso = (time: number) => new Date(time).toISOString();
    return {
      event: {
        id: event.id,
        name: event.name,
        payload: JSON.parse(event.payloadText),
        context: event.contextText === null ? null : JSON.parse(event.contextText),
        timestamp: iso(event.timestamp),
        deliveredAt: event.deliveredAt === null ? null : iso(event.deliveredAt),
      },
      job: { id: run.jobId, version: run.jobVersion },
      run: { id: run.id, isTest: run.isTest, isRetry: false, startedAt: iso(world.now()) },
      environment: { id: environment.id, slug: environment.slug, type: environment.type },
      organization: ORGANIZATION,
      project: PROJECT,
      ...(event.accountId ? { account: { id: event.accountId } } : {}),
      ...sourceShown(event),
      ...connectionsGiven({ connections }),
      tasks: cache.tasks,
      ...(cache.cursor ? { cachedTaskCursor: cache.cursor } : {}),
      yieldedExecutions: [...run.yields],
      runChunkExecutionLimit: chunkLimitMs(app),
    };
  }

  async #bad({ token, app }: Prepared, called: BadCall, began: number): Promise<() => Promise<Telling>> {
    const { world, live } = this.needs;
    const { progressed = false, heardAt } = live.get(token) ?? {};
    const now = world.now();
    if (called.type === "cutOff" && progressed && heardAt !== undefined) await this.#learn(app, now - heardAt);
    const input = inputOfBadCall(token, called, progressed, now - began);
    return async () => ({ input, tasks: [] });
  }

  /** A limit that cannot be kept is learned from the next call that is cut off. */
  async #learn(app: AppRow, heardMs: number): Promise<void> {
    const { registry, world } = this.needs;
    const limit = learnedLimit(registry.app(app.id) ?? app, heardMs);
    if (limit === null) return;
    try {
      await registry.noteCallLimit(app.id, limit);
    } catch (error) {
      world.log.warn("how long calls of this app may take could not be kept", { app: app.slug, error });
    }
  }
}

function inputOfBadCall(token: string, called: BadCall, progressed: boolean, tookMs: number): RunInput {
  const { error } = called;
  switch (called.type) {
    case "unreachable":
      return { type: "unreachable", token, error };
    case "rejected":
      return { type: "failed", token, error };
    case "broken":
      return { type: "callFailed", token, error, progressed };
    case "cutOff":
      return { type: "cutOff", token, error: progressed ? error : withoutProgress(error, tookMs), progressed };
  }
}

function withoutProgress({ message }: ErrorShape, tookMs: number): ErrorShape {
  const seconds = Math.round(tookMs / 1000);
  return {
    message:
      `The call was ended after ${seconds} s by the time limit of the platform that serves the app, and no task was finished in it (${message}). ` +
      "Raise the limit there, or split the work into smaller tasks, each well within it.",
  };
}
