// Rows for the store's tests: valid, small, unlike each other. Called by the conformance suite and the stores' own tests.
import { advance, newRun, type RunInput } from "@holdfast/engine";
import { realWorld } from "../platform/world.ts";
import type {
  Claim,
  DeliveryRow,
  EnvironmentRow,
  EventRow,
  Intake,
  PlannedRun,
  RunChange,
  RunRow,
  Store,
  TaskRow,
  TaskWrite,
} from "./store.ts";

export const world = realWorld({ log: { write: () => undefined } });
/** A whole minute in the current week. */
export const NOW = world.now();
export const ENVIRONMENT = world.newId("environment");

let counter = 0;
export function unique(prefix: string): string {
  counter += 1;
  return `${prefix}-${counter}-${world.newId("server").slice(-8)}`;
}

export function sampleEnvironment(): EnvironmentRow {
  return {
    id: world.newId("environment"),
    slug: unique("dev"),
    type: "DEVELOPMENT",
    secretKeyHash: unique("hash"),
    secretKeySealed: "sealed",
    secretKeyPreview: "tr_dev_…1234",
    publicKey: unique("pk_dev"),
    createdAt: NOW,
  };
}

export function sampleEvent(fields: Partial<EventRow> = {}): EventRow {
  const rowId = world.newId("event");
  return {
    rowId,
    environmentId: ENVIRONMENT,
    id: rowId,
    name: "user.created",
    source: "clerk.com",
    payloadText: '{"id":1.0,"__proto__":{"a":1}}',
    contextText: null,
    payloadType: "JSON",
    timestamp: NOW,
    createdAt: NOW,
    deliverAt: null,
    deliveredAt: NOW,
    canceledAt: null,
    accountId: null,
    isTest: false,
    deliveryId: null,
    ...fields,
  };
}

export function sampleDelivery(fields: Partial<DeliveryRow> = {}): DeliveryRow {
  return {
    id: world.newId("delivery"),
    environmentId: ENVIRONMENT,
    endpointId: world.newId("endpoint"),
    receivedAt: NOW,
    method: "POST",
    url: "http://localhost/x",
    headers: [["svix-id", "msg_1"]],
    body: new Uint8Array([0, 255, 10, 34, 92]),
    size: 5,
    verdict: "pending",
    reason: null,
    status: 200,
    senderId: "msg_1",
    eventRowId: null,
    ...fields,
  };
}

export function sampleRun(event: Pick<EventRow, "rowId" | "environmentId">, fields: Partial<RunRow> = {}): RunRow {
  return {
    ...newRun(world.newId("run"), NOW),
    environmentId: event.environmentId,
    appId: "app_sample",
    jobId: "job",
    jobName: "Job",
    jobVersion: "1.0.0",
    eventRowId: event.rowId,
    deliveryId: null,
    isTest: false,
    createdAt: NOW,
    updatedAt: NOW,
    revision: 0,
    ...fields,
  };
}

/** An event that starts these runs, each due at its creation. */
export function sampleIntake(event: EventRow, runs: PlannedRun[]): Intake {
  const work = runs.map((run) => ({ id: run.id, kind: "run" as const, queue: run.appId, dueAt: run.createdAt }));
  return { delivery: null, event, runs, work, done: null };
}

export function sampleTask(runId: string, fields: Partial<TaskRow> = {}): TaskRow {
  const key = unique("key");
  return {
    runId,
    key,
    id: `task_${key.slice(0, 26)}`,
    parentId: null,
    name: "step",
    displayKey: null,
    noop: false,
    status: "COMPLETED",
    attempts: 1,
    startedAt: NOW,
    completedAt: NOW + 1,
    delayUntil: null,
    outputText: '{"n":1.0}',
    errorText: null,
    detailsText: '{"icon":"bolt"}',
    failuresText: null,
    position: NOW * 1000 + counter,
    ...fields,
  };
}

export function report(task: TaskRow, token: string | null, failureText: string | null = null): TaskWrite {
  return { task, token, failureText };
}

/** What the runs room makes of an input, in small. */
export function changeOf(
  run: RunRow,
  input: RunInput,
  lease?: { token: string; owner: string; until: number },
  at = NOW,
): RunChange | null {
  const moved = advance(run, input, { now: at, jitter: 0 });
  if (moved.type === "ignored") return null;
  const change: RunChange = {
    before: run,
    after: moved.run,
    at,
    work: null,
    tasks: [],
    settleTasksAt: null,
    cancelTasksAt: null,
    reopenTasks: false,
  };
  for (const effect of moved.effects) {
    if (effect.type === "execute") change.work = { dueAt: effect.dueAt };
    if (effect.type === "settleTasks") change.settleTasksAt = effect.at;
    if (effect.type === "cancelTasks") change.cancelTasksAt = effect.at;
    if (effect.type === "reopenTasks") change.reopenTasks = true;
  }
  return moved.run.state.kind === "executing" && lease ? { ...change, work: lease } : change;
}

export interface ClaimOptions {
  limit?: number;
  now?: number;
  until?: number;
  owner?: string;
}

/** Claims with the engine as `decide`, as the worker does. */
export function claim(store: Store, queues: string[], options: ClaimOptions = {}): Promise<Claim> {
  const { limit = 100, now = NOW, until = now + 15_000, owner = "srv_1" } = options;
  const request = {
    queues: queues.map((queue) => ({ queue, limit })),
    now,
    leaseUntil: until,
    owner,
    newToken: (id: string) => `${world.newId("execution")}.${id}`,
  };
  return store.claim(request, (run, token) => changeOf(run, { type: "claimed", token }, { token, owner, until }, now));
}

/** A run that executes under a claim, alone in its queue. */
export async function executing(store: Store): Promise<{ run: RunRow; token: string; event: EventRow; queue: string }> {
  const event = sampleEvent();
  const queue = unique("app");
  await store.intake(sampleIntake(event, [sampleRun(event, { appId: queue })]));
  const { items } = await claim(store, [queue]);
  const [item] = items;
  if (item?.kind !== "run") throw new Error("the run was not claimed");
  return { run: item.run, token: item.token, event, queue };
}

/** Applies an input with the engine's decision; throws when the engine ignores it or the run has moved. */
export async function apply(
  store: Store,
  run: RunRow,
  input: RunInput,
  change: Partial<RunChange> = {},
  at = NOW,
): Promise<RunRow> {
  const made = changeOf(run, input, undefined, at);
  if (!made || !(await store.changeRun({ ...made, ...change }))) throw new Error(`${input.type} was not applied`);
  const now = await store.run(null, run.id);
  if (!now) throw new Error("the run is gone");
  return now;
}
