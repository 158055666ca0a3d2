// Flow control: at which gates a run asks for a slot before it executes, and who of those that ask gets one. Called by server dispatch (which gates) and by
// both stores (who gets a slot). Promises: pure; a run gets a slot at all of its gates or at none; gates come in one order, so that locks do too.
import type { IndexDocument, JobMetadata } from "@holdfast/protocol";
import type { Pace } from "./pace.ts";

/** What limits how many runs execute at once. `rule` is where its limit comes from; with a key, one rule has a gate for each value of the key. */
export interface Gate {
  readonly id: string;
  readonly rule: string;
  readonly limit: number;
  /** Present: `limit` is how many start in each period, not how many execute at once. Then a run passes it once, at its first start. */
  readonly pace?: Pace;
}

/** What a run needs before it may execute: a slot at every gate. `priority`: among runs that wait at a gate the higher goes first. */
export interface Flow {
  /** At least one, sorted by id, each once. */
  readonly gates: readonly Gate[];
  readonly priority: number;
}

/** How many runs may hold a slot at any gate of a rule. */
export interface RuleLimit {
  readonly rule: string;
  readonly limit: number;
}

type Limits = NonNullable<JobMetadata["concurrencyLimit"]>;
type Limit = number | { readonly id: string; readonly limit: number };

/** Longer keys are cut: an id has to fit into an index. */
const KEY_LENGTH = 200;
/** Priorities are whole numbers up to this, and down to its negative. */
const HIGHEST_PRIORITY = 1_000_000;
/** Starts, or bursts, a second: what starts more often than every 10 ms is not worth to be spaced out. */
const FASTEST = 100;

/**
 * What a run of this job needs before it executes, or null when nothing limits it.
 *
 * @param payload what `concurrencyKey` and `priority` read when they are paths; called only then
 * @param together how many runs of the environment may execute at once, of all its jobs; null: any number
 * @example
 * flowOf("env_1", { ...job, id: "sync", concurrencyLimit: 2, concurrencyKey: "user.id" }, () => ({ user: { id: "ada" } }));
 * // { gates: [{ id: '["env_1","job","sync","ada"]', rule: '["env_1","job","sync"]', limit: 2 }], priority: 0 }
 */
export function flowOf(environmentId: string, job: JobMetadata, payload: () => unknown, together: number | null): Flow | null {
  const { concurrencyKey: path, concurrencyLimit = [], throttle } = job;
  const limits = limitsIn(concurrencyLimit);
  if (limits.length === 0 && together === null && throttle === undefined) return null;
  const key = path === undefined ? undefined : keyOf(valueAt(path, payload()));
  const gates = limits.map((limit) => gateOf([environmentId, job.id], limit, key));
  if (throttle) gates.push(gateOfThrottle([environmentId, job.id], throttle, payload));
  if (together !== null) gates.push(gateOfEnvironment(environmentId, together));
  const distinct = new Map(gates.map((gate) => [gate.id, gate]));
  return { gates: [...distinct.values()].sort(byId), priority: priorityOf(job.priority, payload) };
}

type Throttle = NonNullable<JobMetadata["throttle"]>;

/** Period and burst are part of its name: when they change, runs pass another gate. */
function gateOfThrottle([environmentId, jobId]: readonly [string, string], throttle: Throttle, payload: () => unknown): Gate {
  const { key: path, limit, period, burst = 1 } = throttle;
  const pace = { period: Math.ceil(period * 1000), burst };
  const name = [environmentId, "throttle", jobId, pace.period, burst];
  const rule = JSON.stringify(name);
  const id = path === undefined ? rule : JSON.stringify([...name, keyOf(valueAt(path, payload()))]);
  return { id, rule, limit, pace };
}

/** The gate of that id, when it is one with a pace; its limit is what was saved for its rule. */
export function pacedGate(id: string): Gate {
  const [environmentId, kind, jobId, period, burst] = JSON.parse(id) as [string, string, string, number, number];
  return { id, rule: JSON.stringify([environmentId, kind, jobId, period, burst]), limit: 1, pace: { period, burst } };
}

/** The gates at which a run asks that has begun before: a start was counted once. */
export function laterFlow(flow: Flow): Flow {
  return { ...flow, gates: flow.gates.filter(({ pace }) => pace === undefined) };
}

function gateOfEnvironment(environmentId: string, limit: number): Gate {
  const rule = environmentRule(environmentId);
  return { id: rule, rule, limit };
}

/** What the limit of a whole environment is called. */
export function environmentRule(environmentId: string): string {
  return JSON.stringify([environmentId, "environment"]);
}

/** The limits an app's jobs set. Where jobs disagree about a shared one, the lower counts. */
export function limitsOf(environmentId: string, { jobs }: Pick<IndexDocument, "jobs">): RuleLimit[] {
  const limits = new Map<string, number>();
  for (const job of jobs) {
    for (const limit of limitsIn(job.concurrencyLimit ?? [])) {
      const { rule, limit: most } = gateOf([environmentId, job.id], limit, undefined);
      limits.set(rule, Math.min(limits.get(rule) ?? most, most));
    }
    if (!job.throttle) continue;
    const { rule, limit } = gateOfThrottle([environmentId, job.id], job.throttle, () => null);
    limits.set(rule, limit);
  }
  return [...limits].map(([rule, limit]) => ({ rule, limit }));
}

/** Why a job's flow control cannot be used, or null. */
export function flowProblem({ concurrencyKey, concurrencyLimit, priority, throttle }: JobMetadata): string | null {
  if (Number(priority) < 0 && concurrencyLimit === undefined && throttle === undefined)
    return "a priority below 0 needs a concurrencyLimit or throttle at which runs wait for each other. Raise that of the other jobs instead.";
  if (throttle && throttle.limit > throttle.period * FASTEST * (throttle.burst ?? 1))
    return "throttle lets more than a hundred runs a second start one by one: give a burst.";
  if (concurrencyKey === undefined) return null;
  const counts = limitsIn(concurrencyLimit ?? []).some((limit) => typeof limit === "number");
  return counts ? null : "concurrencyKey says what a number in concurrencyLimit is counted by, and there is none.";
}

function limitsIn(limits: Limits): readonly Limit[] {
  return Array.isArray(limits) ? limits : [limits];
}

function gateOf([environmentId, jobId]: readonly [string, string], limit: Limit, key: string | null | undefined): Gate {
  if (typeof limit === "object") {
    const rule = JSON.stringify([environmentId, "group", limit.id]);
    return { id: rule, rule, limit: limit.limit };
  }
  const name = [environmentId, "job", jobId];
  const rule = JSON.stringify(name);
  return { id: key === undefined ? rule : JSON.stringify([...name, key]), rule, limit };
}

function byId(a: Gate, b: Gate): number {
  return a.id < b.id ? -1 : 1;
}

/** Runs whose key is missing, or no text, number or boolean, share a gate. */
export function keyOf(value: unknown): string | null {
  const plain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return plain ? String(value).slice(0, KEY_LENGTH) : null;
}

/** The value at a path such as "user.id"; undefined when there is none. Only own fields count. */
export function valueAt(path: string, value: unknown): unknown {
  let at = value;
  for (const name of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** Milliseconds by which the work of a run is put ahead of its time for each unit of priority: eleven days, so that the lower one is not left waiting for ever. */
export const URGENCY_MS = 1_000_000_000;

/**
 * How much sooner than its time a run counts as due among those that no limit holds up and that wait for their app. Work is taken in order of time, so this
 * costs a claim nothing; but nothing can be put behind all others, and a priority below 0 counts as 0.
 *
 * @example aheadOf({ ...job, priority: "urgency" }, () => ({ urgency: 2 })) // 2_000_000_000
 */
export function aheadOf({ priority }: JobMetadata, payload: () => unknown): number {
  return priority === undefined ? 0 : Math.max(0, priorityOf(priority, payload)) * URGENCY_MS;
}

function priorityOf(priority: JobMetadata["priority"], payload: () => unknown): number {
  const given = typeof priority === "string" ? valueAt(priority, payload()) : priority;
  if (typeof given !== "number" || !Number.isFinite(given)) return 0;
  return Math.max(-HIGHEST_PRIORITY, Math.min(HIGHEST_PRIORITY, Math.round(given)));
}

export interface Asking {
  readonly id: string;
  readonly flow: Flow;
}

/** What came of asking: the ids of those that execute now, and for each of the others the gate at which it waits. */
export interface Admission {
  readonly admitted: ReadonlySet<string>;
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Gives slots to runs that ask for them: by priority, then by id, which is by age. Each gets one at all of its gates or none, and waits at the first gate
 * that has none left.
 *
 * @param rooms free slots by gate; negative when a limit was lowered below what is held
 */
export function admit(asking: readonly Asking[], rooms: ReadonlyMap<string, number>): Admission {
  const left = new Map(rooms);
  const admitted = new Set<string>();
  const refused = new Map<string, string>();
  for (const { id, flow } of [...asking].sort(byPriority)) {
    const full = fullGate(flow, left);
    if (full !== null) {
      refused.set(id, full);
      continue;
    }
    admitted.add(id);
    for (const gate of flow.gates) left.set(gate.id, room(gate, left) - 1);
  }
  return { admitted, refused };
}

function byPriority(a: Asking, b: Asking): number {
  return b.flow.priority - a.flow.priority || (a.id < b.id ? -1 : 1);
}

function room({ id }: Gate, rooms: ReadonlyMap<string, number>): number {
  return rooms.get(id) ?? 0;
}

function fullGate({ gates }: Flow, rooms: ReadonlyMap<string, number>): string | null {
  return gates.find((gate) => room(gate, rooms) < 1)?.id ?? null;
}

/** Where a new run waits, and when its turn is. `of`: the gate of its key, which counts the turns of the key's runs. */
export interface Place {
  readonly gate: string;
  readonly turn: number;
  readonly of: string | null;
}

/**
 * Where new runs wait until they are asked in: at a gate without room if there is one, so that they are not asked in for nothing. Turns make keys that share a
 * gate fair to each other: every key gets the next turn after its last, but none before the turn the gate has come to. So of a key with a thousand runs and a
 * key with one, the one waits for one turn and not for the thousand.
 *
 * @param turns by gate: the last turn given to a key's runs, and the turn a gate has come to
 */
export function waitingPlaces(
  asking: readonly Asking[],
  rooms: ReadonlyMap<string, number>,
  turns: ReadonlyMap<string, number>,
): Map<string, Place> {
  const given = new Map<string, number>();
  const last = (gate: string | null): number => (gate === null ? 0 : Math.max(given.get(gate) ?? 0, turns.get(gate) ?? 0));
  const places = new Map<string, Place>();
  for (const { id, flow } of asking) {
    const gate = fullGate(flow, rooms) ?? (flow.gates[0] as Gate).id;
    const of = flow.gates.find(({ id: own, rule }) => own !== rule)?.id ?? null;
    const turn = Math.max(turns.get(gate) ?? 0, last(of)) + 1;
    if (of !== null) given.set(of, turn);
    places.set(id, { gate, turn, of });
  }
  return places;
}
