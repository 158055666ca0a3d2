// Tests: the judge of the kill test. Reads what the sender wrote down and what the app wrote down, each in its own fsynced file, and what the server
// finally says of each run; finds every broken promise of DESIGN §1 in them. Pure, and itself tested: a history with a violation must fail.

/** The sender's log: one line an acknowledged request (an answer of 2xx), written and flushed before the next is sent. */
export interface Acknowledged {
  svixId: string;
}

/** The app's log. `started`: the task's callback was entered. `acknowledged`: `await io.runTask` returned. */
export type AppEntry =
  | { what: "entered"; run: string; job: string; svixId: string }
  | { what: "started"; run: string; task: string; idempotencyKey: string }
  | { what: "acknowledged"; run: string; task: string; output: string }
  | { what: "returned"; run: string; output: string };

/** A run as the server shows it after everything has come to rest. */
export interface FinalRun {
  id: string;
  job: string;
  status: string;
}

export interface History {
  /** Every request that was sent, acknowledged or not. */
  sent: readonly string[];
  acknowledged: readonly Acknowledged[];
  app: readonly AppEntry[];
  runs: readonly FinalRun[];
  /** Jobs each request must start, once each. */
  jobs: readonly string[];
}

/**
 * Every violation, as a sentence; empty when all promises were kept.
 *
 * @example expect(violations(history)).toEqual([])
 */
export function violations(history: History): string[] {
  return [...requestViolations(history), ...runViolations(history), ...taskViolations(history.app)];
}

/** Each acknowledged request has one run of each job; one that was never acknowledged has at most one. */
function requestViolations({ sent, acknowledged, app, jobs }: History): string[] {
  const runs = new Map<string, Set<string>>();
  for (const entry of app) {
    if (entry.what !== "entered") continue;
    const key = `${entry.svixId} ${entry.job}`;
    runs.set(key, (runs.get(key) ?? new Set()).add(entry.run));
  }
  const kept = new Set(acknowledged.map(({ svixId }) => svixId));
  return sent.flatMap((svixId) =>
    jobs.flatMap((job) => {
      const count = runs.get(`${svixId} ${job}`)?.size ?? 0;
      if (count > 1) return [`request ${svixId} started ${count} runs of ${job}`];
      return count === 0 && kept.has(svixId) ? [`request ${svixId} was acknowledged and no run of ${job} ever began`] : [];
    }),
  );
}

/** Each run that exists completed, and the app knows of it; no run gave two results. */
function runViolations({ app, runs }: History): string[] {
  const known = new Set(runs.map(({ id }) => id));
  const returned = new Map<string, Set<string>>();
  for (const entry of app) {
    if (entry.what === "returned") returned.set(entry.run, (returned.get(entry.run) ?? new Set()).add(entry.output));
  }
  const unfinished = runs.filter(({ status }) => status !== "SUCCESS").map(({ id, status }) => `run ${id} ended as ${status}`);
  const silent = runs
    .filter(({ id, status }) => status === "SUCCESS" && !returned.has(id))
    .map(({ id }) => `run ${id} succeeded without returning`);
  const torn = [...returned].filter(([, outputs]) => outputs.size > 1).map(([run]) => `run ${run} returned different outputs`);
  const lost = new Set(app.map(({ run }) => run).filter((run) => !known.has(run)));
  return [...unfinished, ...silent, ...torn, ...[...lost].map((run) => `run ${run} was executed and is gone`)];
}

interface Memory {
  output?: string;
  idempotencyKey?: string;
}

/** In the order of the app's log: outputs never change, keys never change, nothing starts after its completion was acknowledged. */
function taskViolations(app: readonly AppEntry[]): string[] {
  const tasks = new Map<string, Memory>();
  const found: string[] = [];
  for (const entry of app) {
    if (entry.what !== "started" && entry.what !== "acknowledged") continue;
    const name = `task "${entry.task}" of run ${entry.run}`;
    const memory = tasks.get(name) ?? {};
    tasks.set(name, memory);
    if (entry.what === "started") {
      if (memory.output !== undefined) found.push(`${name} was started again after its completion was acknowledged`);
      if ((memory.idempotencyKey ?? entry.idempotencyKey) !== entry.idempotencyKey)
        found.push(`${name} changed its idempotency key`);
      memory.idempotencyKey = entry.idempotencyKey;
    } else {
      if ((memory.output ?? entry.output) !== entry.output) found.push(`${name} changed its output`);
      memory.output = entry.output;
    }
  }
  return found;
}
