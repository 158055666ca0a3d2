// The run machine over random runs and random sequences of inputs: what must hold whatever happens. Single answers are in state-machine.test.ts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advance,
  type Decision,
  newRun,
  type Outcome,
  RUN_LIMITS,
  type Run,
  type RunInput,
  type RunState,
  statusOf,
} from "./index.ts";
import { backoff, dueTime } from "./moves.ts";

const error = { message: "boom" };
const tokens = fc.constantFrom("exe_1", "exe_2", "exe_3");
const times = fc.integer({ min: 0, max: 2_000_000 });
const dues = fc.oneof(times, fc.double({ min: -1e6, max: 1e18 }), fc.constant(Number.NaN));
const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });

const outcomes: fc.Arbitrary<Outcome> = fc.constantFrom<Outcome>(
  { status: "SUCCESS", output: null },
  { status: "FAILURE", error },
  { status: "TIMED_OUT", error },
  { status: "ABORTED", error },
  { status: "CANCELED" },
  { status: "UNRESOLVED_AUTH", issues: {} },
  { status: "INVALID_PAYLOAD", errors: [] },
);
const states: fc.Arbitrary<RunState> = fc.oneof(
  fc.record({
    kind: fc.constant("queued" as const),
    cause: fc.constantFrom("created", "resumed", "retry", "yielded"),
    dueAt: times,
  }),
  fc.record({ kind: fc.constant("executing" as const), token: tokens, since: times }),
  fc.record({ kind: fc.constant("waiting" as const), dueAt: nullable(times) }),
  fc.record({ kind: fc.constant("waiting" as const), dueAt: fc.constant(null), on: fc.constant("connections" as const) }),
  fc.record({ kind: fc.constant("finished" as const), at: times, outcome: outcomes }),
);
/** Any run the store could hold, with counts near their limits as likely as not. */
const runs: fc.Arbitrary<Run> = fc.record({
  id: fc.constant("run_1"),
  state: states,
  startedAt: nullable(times),
  executions: fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: RUN_LIMITS.executions - 1, max: RUN_LIMITS.executions }),
  ),
  executionMs: times,
  failures: fc.integer({ min: 0, max: RUN_LIMITS.failures - 1 }),
  losses: fc.integer({ min: 0, max: RUN_LIMITS.losses - 1 }),
  yields: fc.oneof(
    fc.uniqueArray(fc.constantFrom("a", "b", "c")),
    fc.constant(Array.from({ length: RUN_LIMITS.yields }, (_, i) => `y${i}`)),
  ),
});

const constant = <const T>(value: T) => fc.constant(value);
const inputs: fc.Arbitrary<RunInput> = fc.oneof(
  fc.record({ type: constant("claimed"), token: tokens, progressed: fc.boolean() }, { requiredKeys: ["type", "token"] }),
  fc.record({ type: constant("succeeded"), token: tokens, output: nullable(fc.json()) }),
  fc.record({ type: constant("failed"), token: tokens, error: fc.constant(error) }),
  fc.record({ type: constant("suspended"), token: tokens, dueAt: nullable(dues) }),
  fc.record({ type: constant("yielded"), token: tokens, key: nullable(fc.constantFrom("a", "b", "z")), dueAt: nullable(dues) }),
  fc.record({ type: constant("invalidPayload"), token: tokens, errors: fc.constant([]) }),
  fc.record({ type: constant("unresolvedAuth"), token: tokens, issues: fc.constant({}) }),
  fc.record({ type: constant("callFailed"), token: tokens, error: fc.constant(error), progressed: fc.boolean() }),
  fc.record({ type: constant("cutOff"), token: tokens, error: fc.constant(error), progressed: fc.boolean() }),
  fc.record({ type: constant("lost"), token: tokens, progressed: fc.boolean() }),
  fc.record({ type: constant("unreachable"), token: tokens, error: fc.constant(error) }),
  fc.record({ type: constant("released"), token: tokens }),
  fc.record({ type: constant("unconnected"), token: tokens }),
  fc.constantFrom<RunInput>({ type: "woken" }, { type: "canceled" }, { type: "aborted", error }, { type: "continued" }),
);
const moments = fc.record({ now: times, jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) });
const steps = fc.record({ input: inputs, moment: moments });

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const field of Object.values(value)) frozen(field);
  return Object.freeze(value);
}

/** What every single answer must respect. */
function check(run: Run, input: RunInput, now: number, decision: Decision): void {
  const held = "token" in input && input.type !== "claimed";
  const current = run.state.kind === "executing" ? run.state.token : null;
  if (held && input.token !== current) expect(decision.type).toBe("ignored");
  if (run.state.kind === "finished" && input.type !== "continued") expect(decision).toEqual({ type: "ignored", why: "finished" });
  if (decision.type === "ignored") return;
  const { run: next, effects } = decision;
  expect(next.id).toBe(run.id);
  expect(next.executionMs).toBeGreaterThanOrEqual(run.executionMs);
  expect(next.executions).toBeGreaterThanOrEqual(0);
  expect(next.executions).toBeLessThanOrEqual(RUN_LIMITS.executions);
  expect(next.yields.length).toBeLessThanOrEqual(RUN_LIMITS.yields);
  expect(new Set(next.yields).size).toBe(next.yields.length);
  expect(next.yields.slice(0, run.yields.length)).toEqual(run.yields);
  if (next.state.kind !== "finished") expect(next.failures < RUN_LIMITS.failures && next.losses < RUN_LIMITS.losses).toBe(true);
  expect(effects.filter(({ type }) => type !== "reopenTasks")).toEqual(
    input.type === "woken" && run.state.kind === "executing" ? [{ type: "hold" }] : expectedEffects(next.state, now),
  );
  expect(effects.some(({ type }) => type === "reopenTasks")).toBe(input.type === "continued");
}

/** The work row and the open tasks follow from the new state alone. */
function expectedEffects(state: RunState, now: number): unknown[] {
  if (state.kind === "executing") return [{ type: "settleTasks", at: now }];
  if (state.kind === "finished")
    return [{ type: "rest" }, { type: "cancelTasks", at: now }, { type: "notify", outcome: state.outcome }];
  if (state.dueAt === null) return [{ type: "rest" }];
  expect(Number.isInteger(state.dueAt) && state.dueAt >= now && state.dueAt <= 8.64e15).toBe(true);
  return [{ type: "execute", dueAt: state.dueAt }];
}

describe("advance", () => {
  it("answers any input to any run without changing what it was given", () => {
    fc.assert(
      fc.property(runs, inputs, moments, (run, input, moment) =>
        check(run, input, moment.now, advance(frozen(run), frozen(input), moment)),
      ),
      { numRuns: 3_000 },
    );
  });

  it("keeps its promises over sequences: one end at a time, time only adds up", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (list) => {
        let run = newRun("run_1", 0);
        let notified = 0;
        let ends = 0;
        for (const { input, moment } of list) {
          const decision = advance(run, input, moment);
          check(run, input, moment.now, decision);
          if (decision.type === "ignored") continue;
          notified += decision.effects.filter(({ type }) => type === "notify").length;
          if (run.state.kind !== "finished" && decision.run.state.kind === "finished") ends += 1;
          run = decision.run;
          expect(notified).toBe(ends);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("stops a run whose app always goes away, and one whose calls always fail", () => {
    const ask = { now: 0, jitter: 0.5 };
    const lost = untilFinished((token) => ({ type: "lost", token, progressed: false }), ask);
    expect([lost.losses, statusOf(lost)]).toEqual([RUN_LIMITS.losses, "FAILURE"]);
    const failed = untilFinished((token) => ({ type: "callFailed", token, error, progressed: false }), ask);
    expect([failed.failures, statusOf(failed)]).toEqual([RUN_LIMITS.failures, "FAILURE"]);
    const cut = untilFinished((token) => ({ type: "cutOff", token, error, progressed: false }), ask);
    expect([cut.failures, statusOf(cut)]).toEqual([RUN_LIMITS.cutOffs, "TIMED_OUT"]);
    const poison = untilFinished(null, ask);
    expect([poison.losses, statusOf(poison)]).toEqual([RUN_LIMITS.losses, "FAILURE"]);
  });

  it("bounds what makes progress for ever by the number of executions", () => {
    const run = untilFinished((token) => ({ type: "yielded", token, key: null, dueAt: null }), { now: 0, jitter: 0 });
    expect([run.executions, statusOf(run)]).toEqual([RUN_LIMITS.executions, "TIMED_OUT"]);
    expect(advance(run, { type: "continued" }, { now: 0, jitter: 0 })).toEqual({ type: "ignored", why: "impossible" });
  });

  it("never fails a run whose app cannot be reached, counts nothing, and asks ever more slowly up to 30 s", () => {
    let run = newRun("run_1", 0);
    const waits: number[] = [];
    for (let i = 0; i < 100; i++) {
      run = after(run, { type: "claimed", token: "exe_1" }, 0);
      run = after(run, { type: "unreachable", token: "exe_1", error }, 0.999);
      waits.push(run.state.kind === "queued" ? run.state.dueAt : Number.NaN);
    }
    expect(run).toMatchObject({ executions: 0, executionMs: 0, startedAt: null, failures: RUN_LIMITS.failures / 2 });
    expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
    expect(waits.at(-1)).toBeGreaterThan(25_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(30_000);
  });

  it("says why it stopped a run in words that help", () => {
    const run = untilFinished((token) => ({ type: "lost", token, progressed: false }), { now: 0, jitter: 0 });
    const outcome = run.state.kind === "finished" ? run.state.outcome : null;
    expect(outcome).toMatchObject({ error: { message: expect.stringMatching(/went away 20 times .* continue the run/s) } });
    const keys = Array.from({ length: RUN_LIMITS.yields }, (_, i) => `y${i}`);
    const full: Run = { ...newRun("run_1", 0), yields: keys, state: { kind: "executing", token: "exe_1", since: 0 } };
    const stopped = after(full, { type: "yielded", token: "exe_1", key: "one more", dueAt: null }, 0);
    const expected = { status: "FAILURE", error: { message: "Run has yielded too many times, the maximum is 100" } };
    expect(stopped.state).toMatchObject({ outcome: expected });
  });
});

function after(run: Run, input: RunInput, jitter: number): Run {
  const decision = advance(run, input, { now: 0, jitter });
  if (decision.type === "ignored") throw new Error(`${input.type} was ignored: ${decision.why}`);
  return decision.run;
}

/** Claims and answers in turn until the run ends; without an answer every lease just expires. */
function untilFinished(answer: ((token: string) => RunInput) | null, { jitter }: { now: number; jitter: number }): Run {
  let run = newRun("run_1", 0);
  for (let i = 0; run.state.kind !== "finished"; i++) {
    if (i > 2 * RUN_LIMITS.executions + 10) throw new Error("The run goes on for ever.");
    const token = `exe_${i}`;
    const input: RunInput | null = run.state.kind === "executing" && answer ? answer(run.state.token) : null;
    run = after(run, input ?? { type: "claimed", token }, jitter);
  }
  return run;
}

describe("backoff", () => {
  const growth = { first: 500, factor: 1.5, most: 60_000 };
  it("grows, spreads by at most 20 %, and is capped with the spread included", () => {
    expect(backoff(growth, 1, { now: 10, jitter: 0 })).toBe(760);
    expect(backoff(growth, 1, { now: 10, jitter: 1 })).toBe(910);
    expect(backoff(growth, 1_000_000, { now: 0, jitter: 1 })).toBe(60_000);
  });
  it("rounds due times up, never into the past, never beyond a Date", () => {
    expect([dueTime(10.2, 10), dueTime(9, 10), dueTime(Number.NaN, 10), dueTime(1e300, 10)]).toEqual([11, 10, 10, 8.64e15]);
  });
});
