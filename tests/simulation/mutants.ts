// Simulation: bugs put between the servers and the store, one at a time, to see whether the judge finds them. Production code knows nothing of them:
// each wraps the memory store and answers wrongly, the way a wrong statement or a wrong store would.
import { mergeTask, settleTask } from "@holdfast/engine";
import { type AppFrame, partsOf } from "@holdfast/protocol";
import type { MemoryStore } from "../../packages/server/src/store/memory/memory-store.ts";
import type { RunChange, Store, TaskRow, WorkRow } from "../../packages/server/src/store/store.ts";
import type { Tamper } from "./network.ts";
import type { Mutant } from "./simulation.ts";

type Overrides = (store: MemoryStore) => Partial<Store>;

/** The store with some of its operations replaced. */
function wrapping(overrides: Overrides): Mutant {
  const store = (store: MemoryStore): Store => {
    const { catalog, outside, values, statuses, schedules, connections } = store;
    const same: Store = {
      catalog,
      outside,
      values,
      statuses,
      schedules,
      connections,
      intake: (item) => store.intake(item),
      claim: (request, decide) => store.claim(request, decide),
      renew: (tokens, until, owner) => store.renew(tokens, until, owner),
      adopt: (tokens, until, owner) => store.adopt(tokens, until, owner),
      releaseOwners: (owners, now, runsAt) => store.releaseOwners(owners, now, runsAt),
      recordTask: (write) => store.recordTask(write),
      openTask: (environmentId, task) => store.openTask(environmentId, task),
      changeRun: (change) => store.changeRun(change),
      changeEvent: (rowId, change) => store.changeEvent(rowId, change),
      run: (environmentId, id) => store.run(environmentId, id),
      runsOfEvent: (eventRowId) => store.runsOfEvent(eventRowId),
      skipsOfEvent: (eventRowId) => store.skipsOfEvent(eventRowId),
      tasks: (runId, options) => store.tasks(runId, options),
      event: (environmentId, by) => store.event(environmentId, by),
      delivery: (environmentId, id) => store.delivery(environmentId, id),
      ping: () => store.ping(),
      close: () => store.close(),
    };
    return { ...same, ...overrides(store) };
  };
  return { store };
}

/** An app that sends, after it said what it holds, everything it ever reported of that again, as new. */
function sendsAgain(): Tamper {
  const reports = new Map<string, string[]>();
  let owed: string[] = [];
  return (text) => {
    const frame = JSON.parse(partsOf(text).head) as AppFrame;
    if (frame.t === "report") reports.set(frame.x, [...(reports.get(frame.x) ?? []), text]);
    if (frame.t !== "hello") return [text, ...owed.splice(0)];
    owed = (frame.holds ?? []).flatMap((x) => reports.get(x) ?? []).map((again) => again.replace(/"n":/, '"n":1000'));
    return [text];
  };
}

/** What an app would hear of the event it sends. */
function answerMadeUp(body: string): string {
  const { event } = JSON.parse(body) as { event: { id: string; name: string } };
  return JSON.stringify({ ...event, payload: {}, timestamp: new Date(0) });
}

/** As if the change had been decided on the run as it is now. */
function onPresent(store: MemoryStore, change: RunChange): RunChange {
  const present = store.tables.runs.get(change.before.id);
  return present ? { ...change, before: { ...change.before, revision: present.revision } } : change;
}

function replaceTasks(store: MemoryStore, runId: string, replace: (task: TaskRow) => TaskRow): void {
  const tasks = store.tables.tasks.get(runId);
  for (const [key, task] of tasks ?? []) tasks?.set(key, replace(task));
}

function workOf(store: MemoryStore, tokens: readonly string[]): WorkRow[] {
  return [...store.tables.work.values()].filter(({ token }) => token !== null && tokens.includes(token));
}

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  "a report is recorded whatever its token": wrapping((store) => ({
    recordTask: (write) => store.recordTask({ ...write, token: store.tables.work.get(write.task.runId)?.token ?? null }),
  })),
  "a report may replace what is final": wrapping((store) => ({
    recordTask: async (write) => {
      const known = store.tables.tasks.get(write.task.runId)?.get(write.task.key);
      const verdict = await store.recordTask(write);
      if (verdict !== "kept" || !known || known.outputText === write.task.outputText) return verdict;
      replaceTasks(store, write.task.runId, (task) =>
        task.key === known.key ? { ...task, outputText: write.task.outputText } : task,
      );
      return "recorded";
    },
  })),
  "a report is acknowledged before it is stored, and sometimes is not": wrapping((store) => {
    let count = 0;
    return { recordTask: async (write) => (++count % 50 === 0 ? "recorded" : store.recordTask(write)) };
  }),
  "an event is acknowledged before it is stored, and sometimes is not": wrapping((store) => {
    let count = 0;
    return { intake: async (item) => (++count % 20 === 0 ? { type: "stored" } : store.intake(item)) };
  }),
  "an event's runs are stored without their work": wrapping((store) => {
    let count = 0;
    return { intake: (item) => store.intake(++count % 20 === 0 ? { ...item, work: [] } : item) };
  }),
  "a change is applied whatever the revision": wrapping((store) => ({
    changeRun: (change) => store.changeRun(onPresent(store, change)),
  })),
  "the end of an execution is taken from a stale one": wrapping((store) => ({
    changeRun: async (change) => {
      const ends = change.after.state.kind === "finished" || change.after.state.kind === "waiting";
      const present = store.tables.runs.get(change.before.id);
      const taken = ends && change.before.state.kind === "executing" && present?.state.kind === "executing";
      return store.changeRun(taken ? onPresent(store, change) : change);
    },
  })),
  "work is claimed though another holds it": wrapping((store) => ({
    claim: (request, decide) => {
      for (const work of store.tables.work.values()) {
        if (work.token !== null) store.tables.work.set(work.id, { ...work, dueAt: Math.min(work.dueAt, request.now) });
      }
      return store.claim(request, decide);
    },
  })),
  "a claim leaves the former token in force": wrapping((store) => ({
    claim: async (request, decide) => {
      const former = new Map([...store.tables.work.values()].map(({ id, token }) => [id, token]));
      const claim = await store.claim(request, decide);
      for (const { kind, token, ...item } of claim.items) {
        const id = token.slice(token.indexOf(".") + 1);
        const work = store.tables.work.get(id);
        if (kind === "run" && work && former.get(id) && "run" in item)
          store.tables.work.set(id, { ...work, token: former.get(id) ?? null });
      }
      return claim;
    },
  })),
  "a lease is renewed for whoever asks": wrapping((store) => ({
    renew: async (tokens, until) => {
      for (const token of tokens) {
        const work = store.tables.work.get(token.slice(token.indexOf(".") + 1));
        if (work?.token) store.tables.work.set(work.id, { ...work, dueAt: until });
      }
      return new Set(tokens);
    },
  })),
  "a wait is over before it is due": wrapping((store) => ({
    claim: async (request, decide) => {
      const claim = await store.claim(request, decide);
      for (const { before } of claim.changes) replaceTasks(store, before.id, (task) => settleTask(task, request.now + 3_600_000));
      return claim;
    },
  })),
  "a run that waits is claimed early": wrapping((store) => ({
    claim: (request, decide) => store.claim({ ...request, now: request.now + 700 }, decide),
  })),
  "an event's id may come twice": wrapping((store) => ({
    intake: (item) =>
      store.intake(item.event ? { ...item, event: { ...item.event, id: `${item.event.id}${item.event.rowId}` } } : item),
  })),
  "a finished delivery's claim is not checked": wrapping((store) => ({
    intake: (item) => store.intake({ ...item, done: null }),
  })),
  "a retry's failure is not kept": wrapping((store) => ({
    recordTask: (write) => store.recordTask({ ...write, failureText: null }),
    changeRun: (change) => store.changeRun({ ...change, tasks: change.tasks.map((write) => ({ ...write, failureText: null })) }),
  })),
  "reports that travel with the end are lost": wrapping((store) => ({
    changeRun: (change) => store.changeRun({ ...change, tasks: [] }),
  })),
  "a cancel leaves the run's work claimable": wrapping((store) => ({
    changeRun: (change) => {
      const { state } = change.after;
      const canceled = state.kind === "finished" && state.outcome.status === "CANCELED";
      return store.changeRun(canceled ? { ...change, after: change.before, work: { dueAt: change.at } } : change);
    },
  })),
  "some tasks are left out when a run's tasks are read": wrapping((store) => ({
    tasks: async (runId, options) => (await store.tasks(runId, options)).filter((_task, index) => index % 7 !== 6),
  })),
  "a retried report counts as another attempt": wrapping((store) => ({
    recordTask: async (write) => {
      const known = store.tables.tasks.get(write.task.runId)?.get(write.task.key);
      if (!known || write.failureText === null || known.failuresText === null) return store.recordTask(write);
      const { task } = mergeTask(known, { ...write, task: { ...write.task, attempts: known.attempts + 1 } });
      replaceTasks(store, task.runId, (one) => (one.key === task.key ? task : one));
      return "recorded";
    },
  })),
  "a slot is taken by nobody: limits are not held": wrapping((store) => ({
    claim: (request, decide) => {
      store.tables.gates.slots.clear();
      return store.claim(request, decide);
    },
  })),
  "the end of an execution frees no slot": wrapping((store) => ({
    changeRun: async (change) => {
      const held = store.tables.gates.slots.get(change.before.id);
      const done = await store.changeRun(change);
      if (held) store.tables.gates.slots.set(change.before.id, held);
      return done;
    },
  })),
  "nobody is invited when a slot is free": wrapping((store) => ({
    changeRun: async (change) => {
      const before = new Map(store.tables.gates.parked);
      const done = await store.changeRun(change);
      for (const [run, parked] of store.tables.gates.parked) {
        if (before.get(run)?.invited !== false || !parked.invited) continue;
        store.tables.work.delete(run);
        store.tables.gates.parked.set(run, { ...parked, invited: false });
      }
      return done;
    },
  })),
  "a resumed execution's acknowledged reports are sent again as new": { tamper: sendsAgain },
  "an execution is adopted without renewing its lease": wrapping((store) => ({
    adopt: async (tokens, _until, owner) => {
      const held = workOf(store, tokens);
      for (const work of held) store.tables.work.set(work.id, { ...work, owner });
      return new Set(held.flatMap(({ token }) => token ?? []));
    },
  })),
  "an execution is adopted, and stays its former server's": wrapping((store) => ({
    adopt: async (tokens, until) => {
      const held = workOf(store, tokens);
      for (const work of held) store.tables.work.set(work.id, { ...work, dueAt: until });
      return new Set(held.flatMap(({ token }) => token ?? []));
    },
  })),
  "a lease is renewed by a server that lost it": wrapping((store) => ({
    renew: async (tokens, until) => {
      const held = workOf(store, tokens);
      for (const work of held) store.tables.work.set(work.id, { ...work, dueAt: until });
      return new Set(held.flatMap(({ token }) => token ?? []));
    },
  })),
  "claims take what is due longest first, whoever it is for": wrapping((store) => ({
    claim: (request, decide) => {
      const [oldest] = [...store.tables.work.values()].sort((a, b) => a.dueAt - b.dueAt);
      return store.claim({ ...request, queues: request.queues.filter(({ queue }) => queue === oldest?.queue) }, decide);
    },
  })),
  "streamed reports are acknowledged, and not recorded": {
    stream: (needs) => ({ ...needs, reports: { record: async () => "recorded" } }),
  },
  "streamed calls are answered, and not done": {
    stream: (needs) => ({ ...needs, answerCall: async (_call, { body }) => ({ status: 200, body: answerMadeUp(body) }) }),
  },
  "what an app comes back with is called stale": wrapping(() => ({ adopt: async () => new Set<string>() })),
};
