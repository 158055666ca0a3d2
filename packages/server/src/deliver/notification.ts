// Room: deliver. How a run ended, as it is told to its app, to the run that waits for it, and to webhooks: v2's RunNotification (wire §4.9).
import { statusOf } from "@holdfast/engine";
import type { RunNotification, TaskDetails } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import type { RunRow, Store, TaskRow } from "../store/store.ts";
import { withoutSecrets } from "../views/hidden.ts";
import { statusesOf } from "../views/statuses.ts";
import { ORGANIZATION, PROJECT } from "../views/tenant.ts";

/** Null: the run or its event is no longer kept, or the run goes on again. */
export async function notificationOf(store: Store, registry: Registry, runId: string): Promise<RunNotification | null> {
  const run = await store.run(null, runId);
  const event = run && (await store.event(null, { rowId: run.eventRowId }));
  if (!run || !event || run.state.kind !== "finished") return null;
  const environment = registry.requireEnvironment(run.environmentId);
  return {
    id: run.id,
    status: statusOf(run),
    startedAt: iso(run.startedAt),
    updatedAt: iso(run.updatedAt),
    completedAt: iso(run.state.at),
    isTest: run.isTest,
    executionDurationInMs: Math.round(run.executionMs),
    executionCount: run.executions,
    job: { id: run.jobId, version: run.jobVersion },
    statuses: await statusesOf(store, run.id),
    environment: { id: environment.id, slug: environment.slug, type: environment.type },
    organization: ORGANIZATION,
    project: PROJECT,
    ...(event.accountId === null ? {} : { account: { id: event.accountId } }),
    invocation: {
      id: event.id,
      context: event.contextText === null ? {} : JSON.parse(event.contextText),
      timestamp: new Date(event.timestamp).toISOString(),
      payload: JSON.parse(event.payloadText),
    },
    ...(await outcomeOf(store, run)),
  };
}

/** What came of a finished run. */
export async function outcomeOf(
  store: Store,
  run: RunRow,
): Promise<{ ok: true; output?: unknown } | { ok: false; error: unknown; task?: object }> {
  if (run.state.kind !== "finished") return { ok: true };
  const { outcome } = run.state;
  if (outcome.status === "SUCCESS")
    return { ok: true, ...(outcome.output === null ? {} : { output: JSON.parse(outcome.output) }) };
  if (outcome.status === "CANCELED") return { ok: false, error: { message: "The run was canceled." } };
  if (outcome.status === "UNRESOLVED_AUTH") return { ok: false, error: outcome.issues };
  if (outcome.status === "INVALID_PAYLOAD") return { ok: false, error: outcome.errors };
  const [failed] = await store.tasks(run.id, { statuses: ["ERRORED"] }).then((tasks) => tasks.slice(-1));
  return { ok: false, error: outcome.error, ...(failed ? { task: taskShown(failed) } : {}) };
}

function taskShown(task: TaskRow): object {
  const details: TaskDetails = task.detailsText === null ? {} : JSON.parse(task.detailsText);
  return {
    id: task.key,
    cacheKey: task.displayKey,
    status: task.status,
    name: task.name,
    icon: details.icon ?? null,
    startedAt: iso(task.startedAt),
    error: task.errorText === null ? null : JSON.parse(task.errorText),
    params: withoutSecrets(details.params) ?? null,
  };
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
