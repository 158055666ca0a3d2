// Simulation: the judge. Compares what senders were answered and what apps did and were told with what the store answered and holds at the end.
// The numbers are those of the project's invariants. Pure, and itself tested by mutants: a bug switched on must be found.
import type { Tables } from "../../packages/server/src/store/memory/memory-store.ts";
import type { RunRow } from "../../packages/server/src/store/store.ts";
import { RATE } from "./app.ts";
import type { Entry } from "./history.ts";
import { expected, limits, type Program } from "./programs.ts";
import type { Scene } from "./scene.ts";

export interface Evidence {
  scene: Scene;
  tables: Tables;
  /** What each sent event asked for, by event id. */
  programs: ReadonlyMap<string, Program>;
  /** Everything came to its end in time. */
  rested: boolean;
  /** Milliseconds the servers' clocks may differ by. */
  tolerance: number;
}

type Of<W extends Entry["what"]> = W extends "canceled" | "cancel asked"
  ? Extract<Entry, { what: "canceled" | "cancel asked" }>
  : Extract<Entry, { what: W }>;

/** Every violation, as a sentence with the invariant's number. */
export function judge(evidence: Evidence): string[] {
  const entries = evidence.scene.history.entries;
  const told = toldBy(entries);
  const all = [
    ...(evidence.rested ? [] : unrest(evidence)),
    ...told.violations,
    ...events(evidence, entries),
    ...children(evidence, entries),
    ...results(evidence, told.outputs, entries),
    ...fences(entries),
    ...leases(entries),
    ...wires(entries),
    ...endings(entries),
    ...gates(evidence, entries),
    ...doors(evidence),
    ...tasks(entries),
    ...attempts(evidence, entries),
    ...waits(evidence, entries),
    ...kept(evidence, told.outputs),
  ];
  return [...new Set(all)];
}

function of<W extends Entry["what"]>(entries: readonly Entry[], what: W): Of<W>[] {
  return entries.filter((entry) => entry.what === what) as Of<W>[];
}

function unrest({ tables }: Evidence): string[] {
  const runs = [...tables.runs.values()].filter(({ state }) => state.kind !== "finished");
  const pending = [...tables.deliveries.values()].filter(({ verdict }) => verdict === "pending");
  return [
    "liveness: not everything came to its end after healing",
    ...runs.map(({ id, state }) => `liveness: run ${id} is ${state.kind}`),
    ...pending.map(({ id }) => `liveness: delivery ${id} is pending`),
    ...[...tables.work.values()].map(({ id, dueAt }) => `liveness: work of ${id} is left, due at ${dueAt}`),
  ];
}

/** Run and task → the output the app was told. I-3: always the same. */
function toldBy(entries: readonly Entry[]): { outputs: Map<string, string>; violations: string[] } {
  const outputs = new Map<string, string>();
  const violations: string[] = [];
  for (const { run, task, output } of of(entries, "acknowledged")) {
    const known = outputs.get(`${run} ${task}`);
    if (known !== undefined && known !== output) violations.push(`I-3: task ${task} of ${run} was ${known} and then ${output}`);
    outputs.set(`${run} ${task}`, known ?? output);
  }
  return { outputs, violations };
}

/** I-1, I-2: an answered event has one run a job (or a note of why it has none), another at most one. I-9: none begins before its time. */
function events({ tables, tolerance }: Evidence, entries: readonly Entry[]): string[] {
  const stored = new Set(of(entries, "answered").flatMap(({ event, verdict }) => (verdict === "stored" ? [event] : [])));
  const refused = of(entries, "answered").filter(({ verdict }) => verdict === "refused");
  const sent = of(entries, "sent");
  const counts = new Map<string, number>();
  for (const { eventRowId, jobId } of tables.runs.values()) {
    const key = `${tables.events.get(eventRowId)?.id} ${jobId}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const twice = [...counts].filter(([, count]) => count > 1).map(([key, count]) => `I-2: ${count} runs of ${key}`);
  for (const { eventRowId, jobId } of tables.doors.skips.values()) {
    const key = `${tables.events.get(eventRowId)?.id} ${jobId}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const lost = sent.flatMap(({ event, jobs }) =>
    jobs.filter((job) => stored.has(event) && !counts.has(`${event} ${job}`)).map((job) => `I-1: ${event} has no run of ${job}`),
  );
  const forged = new Set(sent.filter(({ jobs }) => jobs.length === 0).map(({ event }) => event));
  const uncalled = [...counts.keys()].filter((key) => forged.has(key.slice(0, key.lastIndexOf(" "))));
  const wrong = refused.filter(({ event }) => !forged.has(event)).map(({ event }) => `I-1: ${event} was refused`);
  const due = new Map(sent.map(({ event, notBefore }) => [event, notBefore]));
  const early = of(entries, "entered").filter(({ event, at }) => at < (due.get(event) ?? 0) - tolerance);
  return [
    ...twice,
    ...lost,
    ...wrong,
    ...uncalled.map((key) => `§8: ${key} ran, though it was forged`),
    ...early.map(({ event, at }) => `I-9: ${event} ran ${(due.get(event) ?? 0) - at} ms early`),
  ];
}

/** I-1 of events sent by jobs. */
function children({ tables }: Evidence, entries: readonly Entry[]): string[] {
  const started = new Map<string, number>();
  for (const { eventRowId } of tables.runs.values()) {
    const id = tables.events.get(eventRowId)?.id ?? "";
    started.set(id, (started.get(id) ?? 0) + 1);
  }
  return of(entries, "acknowledged").flatMap(({ run, task, output }) => {
    if (output !== '"child"') return [];
    const row = [...(tables.tasks.get(run)?.values() ?? [])].find(({ displayKey }) => displayKey === task);
    const count = row ? (started.get(row.key) ?? 0) : 0;
    return count === 1 ? [] : [`I-1: the event that ${task} of ${run} sent has ${count} runs`];
  });
}

/** A run's outcome is what its program comes to, given what its tasks came to. */
function results({ tables, programs }: Evidence, outputs: Map<string, string>, entries: readonly Entry[]): string[] {
  const asked = new Set(of(entries, "cancel asked").map(({ run }) => run));
  const canceled = new Set(of(entries, "canceled").map(({ run }) => run));
  return [...tables.runs.values()].flatMap((run) => {
    if (run.state.kind !== "finished") return [];
    const { outcome } = run.state;
    if (canceled.has(run.id) && outcome.status !== "CANCELED") return [`I-10: ${run.id} was canceled and is ${outcome.status}`];
    if (outcome.status === "CANCELED") return asked.has(run.id) ? [] : [`${run.id} was canceled by nobody`];
    const told = (task: string): unknown => JSON.parse(outputs.get(`${run.id} ${task}`) ?? '"never told"');
    const right = expected(programOf({ tables, programs }, run), told);
    if ("error" in right) {
      const failed = outcome.status === "FAILURE" && outcome.error.message === right.error;
      return failed ? [] : [`${run.id} should have failed and is ${JSON.stringify(outcome)}`];
    }
    const succeeded = outcome.status === "SUCCESS" && outcome.output === JSON.stringify(right.output);
    return succeeded ? [] : [`${run.id} came to ${JSON.stringify(outcome)}, not to ${JSON.stringify(right.output)}`];
  });
}

/** What the sender asked for; for events sent by jobs, what is stored. */
function programOf({ tables, programs }: Pick<Evidence, "tables" | "programs">, run: RunRow): Program {
  const event = tables.events.get(run.eventRowId);
  const sent = programs.get(event?.id ?? "");
  if (sent) return sent;
  return JSON.parse(event?.payloadText ?? '{"steps":[]}') as Program;
}

/** I-4, I-5, I-10: reports and renewals are taken only from the execution that holds the run. */
function fences(entries: readonly Entry[]): string[] {
  const holder = new Map<string, string>();
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.what === "claimed") holder.set(entry.run, entry.token);
    else if (entry.what === "changed") {
      if (entry.state.startsWith("exe_")) holder.set(entry.run, entry.state);
      else holder.delete(entry.run);
    } else if (entry.what === "recorded" && entry.token !== holder.get(entry.run)) {
      found.push(`I-5: a report of ${entry.token} was taken, ${entry.run} is held by ${holder.get(entry.run) ?? "nobody"}`);
    } else if (entry.what === "renewed") {
      const run = runOf(entry.token);
      if (run.startsWith("run_") && holder.get(run) !== entry.token) found.push(`I-5: ${entry.token} was renewed and is stale`);
    }
  }
  return found;
}

/** I-5: a lease is renewed by its server only, and nobody takes a run over before its lease ends, whoever adopted it. */
function leases(entries: readonly Entry[]): string[] {
  const held = new Map<string, { token: string; owner: string; until: number }>();
  return entries.flatMap((entry) => {
    if (entry.what === "changed" && !entry.state.startsWith("exe_")) held.delete(entry.run);
    if (entry.what === "claimed") {
      const former = held.get(entry.run);
      held.set(entry.run, entry);
      const left = former && former.token !== entry.token ? former.until - entry.now : 0;
      return left > 0 ? [`I-5: ${entry.run} was taken over ${left} ms before its lease ended`] : [];
    }
    if (entry.what === "renewed" || entry.what === "adopted") {
      const lease = held.get(runOf(entry.token));
      if (lease?.token !== entry.token) return [];
      held.set(runOf(entry.token), { ...entry });
      const foreign = entry.what === "renewed" && lease.owner !== entry.owner;
      return foreign ? [`I-5: ${entry.token} was renewed by a server that does not have it`] : [];
    }
    if (entry.what === "released") {
      for (const [run, lease] of held) if (entry.owners.includes(lease.owner)) held.set(run, { ...lease, until: entry.until });
    }
    return [];
  });
}

function runOf(token: string): string {
  return token.slice(token.indexOf(".") + 1);
}

/** What a server acknowledged is never sent to it again; an app that comes back with an execution keeps it, if it is still the run's. */
function wires(entries: readonly Entry[]): string[] {
  const reports = new Map<string, readonly string[]>();
  const received = new Set<string>();
  const holder = new Map<string, string>();
  const adopted = new Set<string>();
  return entries.flatMap((entry) => {
    if (entry.what === "claimed") holder.set(entry.run, entry.token);
    if (entry.what === "changed" && !entry.state.startsWith("exe_")) holder.delete(entry.run);
    if (entry.what === "adopted") adopted.add(entry.token);
    if (entry.what === "received") {
      for (const key of reports.get(`${entry.token} ${entry.n}`) ?? []) received.add(`${entry.token} ${key}`);
    }
    if (entry.what === "reclaimed") {
      const { token } = entry;
      if (entry.held) return adopted.has(token) ? [] : [`I-5: ${token} was resumed without a lease`];
      return holder.get(runOf(token)) === token ? [`I-4: ${token} was given up while it was the run's`] : [];
    }
    if (entry.what !== "reported") return [];
    reports.set(`${entry.token} ${entry.n}`, entry.keys);
    const again = entry.keys.filter((key) => received.has(`${entry.token} ${key}`));
    return again.map((key) => `I-4: ${key} of ${entry.token} was acknowledged and sent again`);
  });
}

/** I-6: each change follows the one before it, and one of them is the end. */
function endings(entries: readonly Entry[]): string[] {
  const revisions = new Map<string, number>();
  const ended = new Set<string>();
  return of(entries, "changed").flatMap(({ run, revision, state }) => {
    const found: string[] = [];
    if (revision !== (revisions.get(run) ?? 0)) found.push(`I-6: a change of ${run} was decided on revision ${revision}`);
    if (ended.has(run)) found.push(`I-6: ${run} was changed after its end`);
    if (state.startsWith("finished")) ended.add(run);
    revisions.set(run, (revisions.get(run) ?? 0) + 1);
    return found;
  });
}

/** I-7: at no instant do more runs execute than a gate allows, and when all is over no slot is held and nobody waits for one. */
function gates({ tables, rested }: Evidence, entries: readonly Entry[]): string[] {
  const executing = new Set<string>();
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.what === "changed" && !entry.state.startsWith("exe_")) executing.delete(entry.run);
    if (entry.what !== "claimed" && !(entry.what === "changed" && entry.state.startsWith("exe_"))) continue;
    executing.add(entry.run);
    for (const { id, limit } of tables.runs.get(entry.run)?.flow?.gates ?? []) {
      const holders = [...executing].filter((run) => tables.runs.get(run)?.flow?.gates.some((gate) => gate.id === id));
      if (holders.length > limit) found.push(`I-7: ${holders.join(" and ")} executed at once at ${id}, ${limit} at most`);
    }
  }
  const { slots, parked } = tables.gates;
  if (!rested) return found;
  return [
    ...found,
    ...[...slots.keys()].map((run) => `I-7: ${run} has ended and holds a slot`),
    ...[...parked.keys()].map((run) => `I-7: ${run} has ended and waits for a slot`),
  ];
}

/** No period has more starts than a rate limit allows, by the times of the runs; and an event that was replaced led to one that has a run. */
function doors({ tables }: Evidence): string[] {
  const runs = [...tables.runs.values()];
  const rated = runs.filter(({ jobId }) => jobId === "rated").map(({ createdAt }) => createdAt);
  const crowded = rated.filter((from) => rated.filter((at) => at >= from && at < from + RATE.period * 1000).length > RATE.limit);
  const started = new Set(runs.map(({ eventRowId, jobId }) => `${eventRowId} ${jobId}`));
  const { skips } = tables.doors;
  const dangling = [...skips.values()].filter(({ byEventRowId, jobId }) => {
    const key = `${byEventRowId} ${jobId}`;
    return byEventRowId !== null && !started.has(key) && !skips.has(key);
  });
  return [
    ...crowded.map((at) => `flow: more than ${RATE.limit} runs started in the period from ${at}`),
    ...dangling.map(
      ({ eventRowId, byEventRowId }) => `flow: ${eventRowId} was replaced by ${byEventRowId}, which came to nothing`,
    ),
  ];
}

/**
 * I-4: no task starts again once the app was told its output. An execution that was replaced before it could know (it was paused, or cut off) may still
 * start one: nothing of it is taken. I-3: an output is recorded once. The key handed to other services never changes.
 */
function tasks(entries: readonly Entry[]): string[] {
  const claims = new Map(of(entries, "claimed").map(({ token }, index) => [token, index]));
  const told = new Map<string, number>();
  const keys = new Map<string, string>();
  const final = new Set<string>();
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.what === "acknowledged") {
      const name = `${entry.task} of ${entry.run}`;
      told.set(name, Math.min(told.get(name) ?? Number.POSITIVE_INFINITY, claims.get(entry.token) ?? -1));
    } else if (entry.what === "started") {
      const name = `${entry.task} of ${entry.run}`;
      const since = told.get(name);
      if (since !== undefined && (claims.get(entry.token) ?? 0) >= since) found.push(`I-4: task ${name} was started again`);
      if ((keys.get(name) ?? entry.key) !== entry.key) found.push(`task ${name} changed its key`);
      keys.set(name, entry.key);
    } else if (entry.what === "recorded" && !entry.carried && (entry.status === "COMPLETED" || entry.status === "ERRORED")) {
      const name = `${entry.run} ${entry.key}`;
      if (final.has(name)) found.push(`I-3: the end of task ${entry.key} of ${entry.run} was recorded twice`);
      final.add(name);
    }
  }
  return found;
}

/** I-12: attempts are numbered without gaps, never more than allowed, and a retry waits at least its least pause. */
function attempts({ tables, programs, tolerance }: Evidence, entries: readonly Entry[]): string[] {
  const first = new Map<string, Map<number, number>>();
  for (const { run, task, attempt, at } of of(entries, "started")) {
    const known = first.get(`${run} ${task}`) ?? new Map<number, number>();
    if (!known.has(attempt)) known.set(attempt, at);
    first.set(`${run} ${task}`, known);
  }
  const most = new Map<string, Map<string, number>>();
  for (const run of tables.runs.values()) most.set(run.id, limits(programOf({ tables, programs }, run).steps));
  return [...first].flatMap(([name, starts]) => {
    const [run = "", task = ""] = name.split(" ");
    const numbers = [...starts.keys()].sort((a, b) => a - b);
    const limit = most.get(run)?.get(task) ?? 1;
    const gap = numbers.some((attempt, index) => attempt !== index + 1);
    const hasty = numbers.some(
      (attempt) => (starts.get(attempt + 1) ?? Number.POSITIVE_INFINITY) - (starts.get(attempt) ?? 0) < 100 - tolerance,
    );
    return [
      ...(gap ? [`I-12: attempts of ${name} are ${numbers.join(", ")}`] : []),
      ...(numbers.length > limit ? [`I-12: ${name} was tried ${numbers.length} times, ${limit} at most`] : []),
      ...(hasty ? [`I-12: ${name} was tried again too soon`] : []),
    ];
  });
}

/** I-9: no wait is over early. */
function waits({ tolerance }: Evidence, entries: readonly Entry[]): string[] {
  const due = new Map<string, number>();
  return entries.flatMap((entry) => {
    if (entry.what !== "waits" && entry.what !== "resumed") return [];
    const name = `${entry.run} ${entry.task}`;
    if (entry.what === "waits") {
      if (!due.has(name)) due.set(name, entry.at + entry.ms);
      return [];
    }
    const left = (due.get(name) ?? 0) - tolerance - entry.at;
    return left > 0 ? [`I-9: the wait ${name} was over ${left} ms early`] : [];
  });
}

/** I-3: what the app was told is what is kept. */
function kept({ tables }: Evidence, outputs: Map<string, string>): string[] {
  return [...tables.tasks].flatMap(([run, rows]) =>
    [...rows.values()].flatMap(({ displayKey, status, outputText, errorText, name }) => {
      const told = outputs.get(`${run} ${displayKey}`);
      if (told === undefined || name === "Send Event") return [];
      const error = errorText === null ? "" : (JSON.parse(errorText) as { message: string }).message;
      const row = status === "COMPLETED" ? outputText : status === "ERRORED" ? JSON.stringify(`caught ${error}`) : status;
      return row === told ? [] : [`I-3: ${displayKey} of ${run} is kept as ${row}, the app was told ${told}`];
    }),
  );
}
