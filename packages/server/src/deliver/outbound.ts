// Room: deliver. Requests to be made, one after the other until they are answered or given up: tasks the server performs, notifications of runs that have
// ended, events sent to URLs. Called by the worker for work of kind "outbound". Promises: at least once; what was given up is logged, with the reason.
import type { RunNotification } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import { notifiedApp, notifyQueue, outsideQueue } from "../store/queues.ts";
import type { AppRow, OutboundRow, RunRow, Store } from "../store/store.ts";
import type { Callbacks } from "../tasks/callbacks.ts";
import { notificationOf } from "./notification.ts";
import { OPERATIONS, type Operations } from "./operations.ts";

const POST_TIMEOUT_MS = 30_000;
/** v2's numbers: 13 tries, e^n seconds apart; the last about 6 hours after the one before. */
const TRIES = 13;
const SLOWEST = 10;

/** What the end of a run is told to its app for. */
export interface Listens {
  success?: boolean | undefined;
  failure?: boolean | undefined;
}

/** What deliver asks of apps; execute's AppCalls fits. */
export interface NotifiedApps {
  /** True once the app has taken it. */
  notify(app: AppRow, notification: RunNotification): Promise<{ type: "taken" } | { type: "no-answer"; message: string }>;
}

export interface OutboundNeeds {
  world: World;
  store: Store;
  registry: Registry;
  callbacks: Callbacks;
  operations: Operations;
  apps: NotifiedApps;
  /** The environment's secret key, which signs what is sent. */
  keyOf: (environmentId: string) => string;
  owner: string;
}

type Done = { type: "done" } | { type: "again"; at: number } | { type: "failed"; message: string };

export class Outbound {
  constructor(private readonly needs: OutboundNeeds) {}

  /** The app wants to hear how this run ends. Safe to repeat. */
  async whenEnded(run: Pick<RunRow, "id" | "environmentId" | "appId">, listens: Listens): Promise<void> {
    await this.#await(run, { id: `out_app_${run.id}`, kind: "run-to-app", queue: notifyQueue(run.appId), request: listens });
  }

  /** This URL is told how the run ends. Answers the id, to take it back with. */
  async callWhenEnded(run: Pick<RunRow, "id" | "environmentId">, url: string): Promise<string> {
    const id = `out_url_${run.id}`;
    await this.#await(run, { id, kind: "run-to-url", queue: outsideQueue(run.environmentId), request: { url } });
    return id;
  }

  async #await(
    run: Pick<RunRow, "id" | "environmentId">,
    { request, ...rest }: Pick<OutboundRow, "id" | "kind" | "queue"> & { request: object },
  ): Promise<void> {
    const createdAt = this.needs.world.now();
    const { id: runId, environmentId } = run;
    const row = { ...rest, environmentId, runId, requestText: JSON.stringify(request), createdAt, awaitsEnd: true };
    await this.needs.store.outside.addOutbound(row, createdAt);
  }

  /** @param attempts how often this work was claimed, this time included */
  async perform(row: OutboundRow, { token, attempts }: { token: string; attempts: number }): Promise<void> {
    const { world, store, owner } = this.needs;
    const done = await this.#try(row, attempts);
    const { id, kind } = row;
    if (done.type === "failed" && attempts < TRIES) {
      world.log.info("a request to the outside failed; it is tried again", { id, kind, why: done.message });
      await store.renew([token], world.now() + Math.exp(Math.min(attempts, SLOWEST)) * 1000, owner);
    } else if (done.type === "again") await store.renew([token], done.at, owner);
    else {
      if (done.type === "failed") world.log.warn("a request to the outside was given up", { id, kind, why: done.message });
      await store.outside.finish({ id, token });
    }
  }

  async #try(row: OutboundRow, attempts: number): Promise<Done> {
    const { operations } = this.needs;
    if (OPERATIONS.includes(row.kind)) {
      const at = await operations.perform(row, attempts);
      return at === null ? { type: "done" } : { type: "again", at };
    }
    if (row.kind === "run-to-app") return this.#toApp(row);
    if (row.kind === "run-to-url") return this.#toUrl(row);
    const { url, body } = JSON.parse(row.requestText) as { url: string; body: string };
    return this.#post(row.environmentId, url, body);
  }

  async #toApp(row: OutboundRow): Promise<Done> {
    const { store, registry, apps } = this.needs;
    const app = registry.app(notifiedApp(row.queue));
    const notification = row.runId && (await notificationOf(store, registry, row.runId));
    const { success, failure } = JSON.parse(row.requestText) as Listens;
    if (!app || !notification || !(notification.ok ? success : failure)) return { type: "done" };
    const answer = await apps.notify(app, notification);
    return answer.type === "taken" ? { type: "done" } : { type: "failed", message: answer.message };
  }

  async #toUrl(row: OutboundRow): Promise<Done> {
    const { store, registry, callbacks } = this.needs;
    const { url } = JSON.parse(row.requestText) as { url: string };
    const notification = row.runId && (await notificationOf(store, registry, row.runId));
    if (!notification) return { type: "done" };
    const body = JSON.stringify(notification);
    const own = await callbacks.called(url, { status: "COMPLETED", outputText: body });
    return own === "foreign" ? this.#post(row.environmentId, url, body) : { type: "done" };
  }

  /** Signed with the environment's secret key, as v2 does: X-Trigger-Signature-256 is the hex HMAC-SHA256 of the body. */
  async #post(environmentId: string, url: string, body: string): Promise<Done> {
    const { world, keyOf } = this.needs;
    const signature = world.sign(keyOf(environmentId), body);
    const headers = { "content-type": "application/json", "x-trigger-signature-256": Buffer.from(signature).toString("hex") };
    const outcome = await world.fetch({ url, method: "POST", headers, body, timeoutMs: POST_TIMEOUT_MS, line: environmentId });
    if (!outcome.ok) return { type: "failed", message: outcome.message };
    if (outcome.status >= 200 && outcome.status < 300) return { type: "done" };
    return { type: "failed", message: `${url} answered ${outcome.status}.` };
  }
}
