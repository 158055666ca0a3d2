// Everything the store is asked while requests come in, runs are claimed, report, wait, wake and end, in small: each statement is sent at least once, a few rows at
// a time. Called by plans.test.ts, again and again on one store, so that statements keep the plans they were given the first time.
import type { Door, Flow, RunInput } from "@holdfast/engine";
import { idFloor } from "@holdfast/protocol";
import { eventQueue } from "../queues.ts";
import {
  changeOf,
  claim,
  ENVIRONMENT,
  executing,
  NOW,
  report,
  sampleDelivery,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  unique,
  world,
} from "../samples.conformance.ts";
import type { Claim, PlannedRun, RunRow, Store, TaskWrite } from "../store.ts";
import { CROWDED } from "./plan-crowd.conformance.ts";
import type { PostgresStore } from "./postgres-store.ts";

const LATE = NOW + 60_000;

export type ClaimedRun = { run: RunRow; token: string };
const runsIn = ({ items }: Claim): ClaimedRun[] => items.flatMap((item) => (item.kind === "run" ? [item] : []));

async function change(store: Store, run: RunRow, input: RunInput, tasks: TaskWrite[] = []): Promise<RunRow> {
  const token = "token" in input ? input.token : "";
  const made = changeOf(run, input, { token, owner: "srv_1", until: LATE }, NOW + 10);
  if (!made || !(await store.changeRun({ ...made, tasks }))) throw new Error(`${input.type} was not applied`);
  return { ...run, ...made.after, revision: run.revision + 1, updatedAt: made.at };
}

/** Requests, their verdicts, events, delayed ones and duplicates. */
async function receive(store: Store): Promise<void> {
  const delivery = sampleDelivery({ verdict: "pending" });
  const queue = unique("verify");
  const asking = { id: delivery.id, kind: "delivery" as const, queue, dueAt: NOW };
  await store.intake({ delivery, event: null, runs: [], work: [asking], done: null });
  const [held] = (await claim(store, [queue])).items;
  const event = sampleEvent({ deliveryId: delivery.id });
  const verified = { ...delivery, verdict: "verified" as const, eventRowId: event.rowId };
  const done = { id: delivery.id, token: held?.token ?? "" };
  await store.intake({ ...sampleIntake(event, [sampleRun(event)]), delivery: verified, done });
  await store.intake(sampleIntake(sampleEvent({ id: event.id }), []));
  for (const end of ["cancel", "replace", "deliver"] as const) {
    const later = sampleEvent({ deliveredAt: null, deliverAt: LATE });
    const work = [{ id: later.rowId, kind: "event" as const, queue, dueAt: LATE }];
    await store.intake({ delivery: null, event: later, runs: [], work, done: null });
    if (end === "cancel") await store.changeEvent(later.rowId, { type: end, at: NOW });
    if (end === "replace")
      await store.changeEvent(later.rowId, { type: end, dueFrom: NOW, payloadText: "2", contextText: null, deliverAt: LATE });
  }
  for (const item of (await claim(store, [queue], { now: LATE, limit: 1 })).items) {
    if (item.kind !== "event") continue;
    const delivered = { ...item.event, deliveredAt: LATE };
    const done = { id: item.event.rowId, token: item.token };
    await store.intake({ ...sampleIntake(delivered, [sampleRun(delivered)]), done });
  }
}

/** A run's reports, sleep, wake-up and end; another's of which nobody waits for the end. */
async function execute(store: Store): Promise<void> {
  const queue = unique("app");
  const events = [sampleEvent(), sampleEvent()];
  await Promise.all(events.map((event) => store.intake(sampleIntake(event, [sampleRun(event, { appId: queue })]))));
  const claimed = runsIn(await claim(store, [queue]));
  for (const [i, { run, token }] of claimed.entries()) {
    await store.recordTask(report(sampleTask(run.id), token));
    await Promise.all([1, 2].map(() => store.recordTask(report(sampleTask(run.id), token))));
    await store.recordTask(report(sampleTask(run.id), null));
    const opened = sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null });
    for (let again = 0; again < 2; again++) await store.openTask(ENVIRONMENT, opened);
    if (i === 0) await awaitEnd(store, run, queue);
    await sleepAndEnd(store, { run, token }, i === 0 ? [] : [report(sampleTask(run.id), null)]);
  }
}

/** Of a run that executes: it sleeps, wakes, is retried and ends; some of its tasks are open then. */
async function sleepAndEnd(store: Store, { run, token }: ClaimedRun, last: TaskWrite[] = []): Promise<RunRow> {
  const sleeps = sampleTask(run.id, { status: "WAITING", completedAt: null, delayUntil: NOW + 5, outputText: null });
  const asleep = await change(store, run, { type: "suspended", token, dueAt: NOW + 5 }, [report(sleeps, token)]);
  const again = `${world.newId("execution")}.${run.id}`;
  const awake = await change(store, asleep, { type: "claimed", token: again });
  await store.recordTask(report(sampleTask(run.id, { status: "RUNNING", completedAt: null, outputText: null }), again));
  return change(store, awake, { type: "succeeded", token: again, output: "1" }, last);
}

async function awaitEnd(store: Store, run: RunRow, queue: string): Promise<void> {
  const row = { environmentId: ENVIRONMENT, kind: "run-to-app", queue, requestText: "{}", createdAt: NOW };
  await store.outside.addOutbound({ ...row, id: unique("out"), runId: run.id, awaitsEnd: true }, NOW);
  const other = { ...row, id: unique("out"), runId: null, queue: unique("q"), awaitsEnd: false };
  await store.outside.addOutbound(other, NOW);
  for (const { token } of (await claim(store, [other.queue])).items) await store.outside.finish({ id: other.id, token });
  await store.outside.dropOutbound([other.id]);
}

async function waitForEvents(store: Store): Promise<void> {
  const waiter = {
    id: unique("wtr"),
    environmentId: ENVIRONMENT,
    names: [unique("paid"), CROWDED.event],
    ruleText: "{}",
    expiresAt: LATE,
  };
  await store.outside.addWaiter(waiter);
  for (const name of waiter.names) {
    await store.intake(sampleIntake(sampleEvent({ name }), []));
    await store.outside.waiters(ENVIRONMENT, name, "", 5);
    await store.outside.waiters(ENVIRONMENT, name, "wtr_crowd 0000100", 5);
  }
  for (const item of (await claim(store, [eventQueue(ENVIRONMENT)], { now: NOW + 1_000, limit: 5 })).items)
    await store.outside.finish({ id: item.kind === "waiters" ? `${item.event.rowId}:waiters` : "none", token: item.token });
  const sent = { environmentId: ENVIRONMENT, kind: "post", requestText: "{}", createdAt: NOW, runId: null, awaitsEnd: false };
  await store.outside.tellWaiter(waiter.id, { ...sent, id: unique("out"), queue: unique("q") }, NOW);
  await store.outside.dropWaiters([waiter.id]);
  await store.outside.forgetWaiters(NOW);
}

/** Two runs at a gate with one slot, at one with a pace, at the crowded one, and at two of which the second has no room for both. */
async function passGates(store: Store): Promise<void> {
  const queue = unique("app");
  const paced = JSON.stringify(["env", "throttle", queue, 1000, 1]);
  const flows: Flow[] = [
    { gates: [{ id: queue, rule: queue, limit: 1 }], priority: 0 },
    { gates: [{ id: paced, rule: paced, limit: 2, pace: { period: 1000, burst: 1 } }], priority: 0 },
    { gates: [{ id: CROWDED.gate, rule: CROWDED.gate, limit: 3 }], priority: 0 },
    { gates: [`${queue} a`, `${queue} b`].map((id, i) => ({ id, rule: id, limit: 2 - i })), priority: 0 },
  ];
  for (const flow of flows) {
    const event = sampleEvent();
    await store.intake(
      sampleIntake(
        event,
        [1, 2].map(() => sampleRun(event, { appId: queue, flow })),
      ),
    );
    for (const now of [NOW, NOW + 500, NOW + 1_000]) {
      for (const { run, token } of runsIn(await claim(store, [queue], { now, until: LATE }))) {
        await change(store, run, { type: "suspended", token, dueAt: LATE });
      }
    }
  }
}

/** At doors of its own and crowded ones: let in, refused, put off. */
async function knock(store: Store): Promise<void> {
  const appId = unique("app");
  const doors: Door[] = [
    { kind: "rate", id: unique("door"), limit: 1, period: 1000 },
    { kind: "debounce", id: unique("door"), period: 1000, timeout: null },
    { kind: "debounce", id: "door 9", period: 1000, timeout: null },
  ];
  for (const door of doors) {
    for (let i = 0; i < 3; i++) {
      const event = sampleEvent();
      const run: PlannedRun = { ...sampleRun(event, { appId }), door };
      await store.intake(sampleIntake(event, [run]));
      await store.skipsOfEvent(event.rowId);
    }
  }
}

async function keep(store: Store): Promise<void> {
  const key = unique("run:key");
  await store.values.set(ENVIRONMENT, key, { text: "1", at: NOW });
  await store.values.get(ENVIRONMENT, key);
  await store.values.delete(ENVIRONMENT, key);
  const runId = world.newId("run");
  for (const state of ["loading", "success"]) await store.statuses.save(runId, { key: "k", state }, NOW);
  await store.statuses.of(runId);
  const owner = { environmentId: ENVIRONMENT, appId: "app_0", scheduleId: "users" };
  const schedule = { type: "cron", options: { cron: "0 * * * *" } } as const;
  const times = { anchorAt: NOW, lastAt: null, nextAt: 0, updatedAt: NOW };
  const row = {
    ...owner,
    ...times,
    id: world.newId("schedule"),
    key: unique("key"),
    schedule,
    accountId: null,
    metadataText: null,
    revision: 1,
  };
  await store.schedules.save(row, null);
  await store.schedules.get(owner, row.key);
  await store.schedules.byId(row.id);
  await store.schedules.ticked({ id: row.id, revision: 1, lastAt: NOW, nextAt: LATE });
  await store.schedules.overdue([ENVIRONMENT, "env_other"], NOW, 3);
  await store.schedules.delete(owner, row.key);
}

async function connect(store: Store): Promise<void> {
  const { connections } = store;
  const owner = { environmentId: ENVIRONMENT, integrationId: unique("slack"), accountId: null };
  const times = { expiresAt: LATE, refreshAt: NOW - 1, leasedUntil: 0, createdAt: NOW, updatedAt: NOW };
  const texts = { provider: null, tokensSealed: "x", scopes: ["repo"], fieldsText: null, title: null, error: null };
  const ending = { endingSealed: "x", endingAt: NOW - 1, endingError: null };
  const row = {
    ...owner,
    ...times,
    ...texts,
    ...ending,
    id: unique("con"),
    status: "connected" as const,
    generation: 1,
    revision: 1,
  };
  await connections.save(row, null);
  await connections.get(owner);
  await connections.byId(ENVIRONMENT, row.id);
  await connections.list(ENVIRONMENT, { after: null, limit: 5 });
  await connections.list(ENVIRONMENT, {
    after: { ...owner, integrationId: CROWDED.integration, accountId: "acc 0000100" },
    limit: 5,
  });
  await connections.dueForRefresh(NOW, 5);
  await connections.dueForEnding(NOW, 5);
  const runId = world.newId("run");
  await connections.addWait(owner, runId, NOW);
  await connections.unwoken(5);
  await connections.waits(owner, "", 5);
  await connections.waits({ ...owner, integrationId: CROWDED.integration }, "", 5);
  await connections.dropWaits(owner, [runId]);
  const stateHash = unique("hash");
  await connections.addAuthorization({ ...owner, stateHash, sealed: "", expiresAt: NOW });
  await connections.takeAuthorization(stateHash);
  await connections.forgetAuthorizations(NOW - 1);
  await connections.forgetWaits(NOW - 1);
  await connections.save({ ...row, revision: 2, refreshAt: null, endingAt: null }, { revision: 1 });
}

/** Reads by id and by page, of a run with a long history among them. */
async function read(store: Store, long: RunRow): Promise<void> {
  const { event, run } = await executing(store);
  await store.run(null, run.id);
  await store.run(ENVIRONMENT, run.id);
  await store.runsOfEvent(event.rowId);
  await store.event(ENVIRONMENT, { id: event.id });
  await store.event(null, { id: event.id });
  const task = sampleTask(long.id);
  await store.recordTask(report(task, null));
  await store.openTask(ENVIRONMENT, task);
  await store.tasks(long.id, { ids: [task.id] });
  await store.tasks(long.id, { limit: 3 });
  await store.tasks(long.id, { statuses: ["WAITING"] });
  await store.tasks(long.id, { limit: 3, after: { position: 100, key: "done" } });
}

async function lease(store: Store): Promise<void> {
  const { token } = await executing(store);
  await store.renew([token, "exe_crowd 7"], LATE, "srv_1");
  await store.adopt([token], LATE, "srv_1");
  await claim(store, [CROWDED.queue, unique("app")], { limit: 2 });
}

/** The pages people and programs look at. Left out: what counts all that is due (work-due), and lists of all that execute now. */
async function look({ store, reader }: PostgresStore, { id }: RunRow): Promise<void> {
  const { event, run } = await executing(store);
  const delivery = sampleDelivery({ endpointId: "ep_1" as never });
  await store.intake({ delivery, event: null, runs: [], work: [], done: null });
  const all = ["run_", "run_~", null, 5];
  const hour = idFloor(NOW + 3_600_000);
  const bytes = 1_000_000;
  const pages: Record<string, unknown[]> = {
    "runs-list": [ENVIRONMENT, ...all],
    "runs-of-job": [ENVIRONMENT, ...all, "job"],
    "runs-of-status": [ENVIRONMENT, ...all, null, ["QUEUED", "SUCCESS"]],
    "runs-by-any-id": [ENVIRONMENT, run.id, event.rowId, delivery.id, "run_~", 5],
    "runs-by-id": [ENVIRONMENT, [run.id]],
    "run-detail": [ENVIRONMENT, run.id],
    "run-tasks": [id, 100, "", 5, bytes],
    "run-top-tasks": [id, null, 5, true, bytes],
    "run-child-tasks": [run.id, ["task_1"], 5, true, bytes],
    "run-hours": [ENVIRONMENT, `run_${hour}`],
    "job-counts": [ENVIRONMENT, `run_${hour}`, ["FAILURE"]],
    "job-last-runs": [ENVIRONMENT, ["job"], 5],
    "deliveries-list": [ENVIRONMENT, null, "dlv_~", 5],
    "deliveries-of-endpoint": [ENVIRONMENT, null, "dlv_~", 5, "ep_0"],
    "delivery-detail": [ENVIRONMENT, delivery.id],
    "endpoint-stats": [["ep_0", "ep_1"], `dlv_${hour}`],
    "skips-of-event": [ENVIRONMENT, event.rowId],
    "skips-of-job": [ENVIRONMENT, "job", "evt_~", 5],
  };
  for (const [view, values] of Object.entries(pages)) await reader.rows(view, values);
}

/** Once through everything. @param long a run that executes and has a history; it ends */
export async function everything(postgres: PostgresStore, long: ClaimedRun): Promise<void> {
  const { store } = postgres;
  await receive(store);
  await execute(store);
  await waitForEvents(store);
  await passGates(store);
  await knock(store);
  await keep(store);
  await connect(store);
  await read(store, long.run);
  await lease(store);
  await look(postgres, long.run);
  await postgres.inviteForgotten(NOW);
  await store.catalog.saveLimits([{ rule: unique("rule"), limit: 3 }], NOW);
  await sleepAndEnd(store, long);
}
