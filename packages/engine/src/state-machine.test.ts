// The whole run machine as one table: every state × every input has its answer, rendered to docs/state-machine.md and compared with it.
// `UPDATE_DOCS=1 npx vitest run packages/engine` writes the document anew; the diff in review is the change of behaviour.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  advance,
  type Decision,
  newRun,
  RUN_LIMITS,
  type Run,
  type RunEffect,
  type RunInput,
  type RunState,
  statusOf,
} from "./index.ts";

const DOCUMENT = fileURLToPath(new URL("../../../docs/state-machine.md", import.meta.url));
const NOW = 1_000_000;
const error = { message: "boom" };

/** A run in the middle of its life: numbers that show every change. */
const base: Run = {
  ...newRun("run_1", 0),
  startedAt: 500,
  executions: 3,
  executionMs: 40,
  failures: 2,
  losses: 2,
  yields: ["a"],
};
const first: Run = { ...newRun("run_1", 0), startedAt: NOW - 100, executions: 1 };
const executing: RunState = { kind: "executing", token: "exe_1", since: NOW - 100 };

const states: readonly (readonly [title: string, run: Run])[] = [
  ["queued", { ...base, state: { kind: "queued", cause: "created", dueAt: NOW } }],
  ["executing under token exe_1, since 100 ms", { ...base, state: executing }],
  ["executing for the first time, under token exe_1", { ...first, state: executing }],
  ["executing, at its limits", atLimits()],
  ["waiting, due", { ...base, state: { kind: "waiting", dueAt: NOW } }],
  ["waiting, not yet due", { ...base, state: { kind: "waiting", dueAt: NOW + 1 } }],
  ["waiting for something outside", { ...base, state: { kind: "waiting", dueAt: null } }],
  ["waiting for connections", { ...base, state: { kind: "waiting", dueAt: null, on: "connections" } }],
  [
    "waiting for connections, never executed",
    { ...newRun("run_1", 0), state: { kind: "waiting", dueAt: null, on: "connections" } },
  ],
  ["finished well", { ...base, state: { kind: "finished", at: NOW, outcome: { status: "SUCCESS", output: null } } }],
  ["finished badly", { ...base, state: { kind: "finished", at: NOW, outcome: { status: "FAILURE", error } } }],
  [
    "queued, with all executions used up",
    { ...base, executions: RUN_LIMITS.executions, state: { kind: "queued", cause: "yielded", dueAt: NOW } },
  ],
  ["finished badly, with all executions used up", usedUp()],
];

function atLimits(): Run {
  const yields = Array.from({ length: RUN_LIMITS.yields }, (_, i) => `y${i}`);
  return { ...base, failures: RUN_LIMITS.failures - 1, losses: RUN_LIMITS.losses - 1, yields, state: executing };
}
function usedUp(): Run {
  const outcome = { status: "TIMED_OUT", error } as const;
  return { ...base, executions: RUN_LIMITS.executions, state: { kind: "finished", at: NOW, outcome } };
}

/** Keyed by type, so that a new input does not compile until it has samples here. */
const samples: {
  readonly [T in RunInput["type"]]: readonly (readonly [title: string, input: Extract<RunInput, { type: T }>])[];
} = {
  claimed: [
    ["claimed", { type: "claimed", token: "exe_2" }],
    ["claimed, after progress", { type: "claimed", token: "exe_2", progressed: true }],
    ["claimed, heard again", { type: "claimed", token: "exe_1" }],
  ],
  succeeded: pair("succeeded", (token) => ({ type: "succeeded", token, output: '"x"' })),
  failed: pair("failed", (token) => ({ type: "failed", token, error })),
  suspended: [
    ...pair("suspended until +5 s", (token) => ({ type: "suspended", token, dueAt: NOW + 5_000 }) as const),
    ["suspended until something outside", { type: "suspended", token: "exe_1", dueAt: null }],
    ["suspended until a time gone by", { type: "suspended", token: "exe_1", dueAt: NOW - 5_000 }],
  ],
  yielded: [
    ...pair("yielded at a new key", (token) => ({ type: "yielded", token, key: "b", dueAt: null }) as const),
    ["yielded at a key passed before", { type: "yielded", token: "exe_1", key: "a", dueAt: null }],
    ["yielded by itself", { type: "yielded", token: "exe_1", key: null, dueAt: null }],
    ["yielded by itself, not before +9 s", { type: "yielded", token: "exe_1", key: null, dueAt: NOW + 9_000 }],
  ],
  invalidPayload: pair("invalidPayload", (token) => ({ type: "invalidPayload", token, errors: [] })),
  unresolvedAuth: pair("unresolvedAuth", (token) => ({ type: "unresolvedAuth", token, issues: {} })),
  callFailed: [
    ...pair("callFailed", (token) => ({ type: "callFailed", token, error, progressed: false }) as const),
    ["callFailed, after progress", { type: "callFailed", token: "exe_1", error, progressed: true }],
  ],
  cutOff: [
    ...pair("cutOff", (token) => ({ type: "cutOff", token, error, progressed: false }) as const),
    ["cutOff, after progress", { type: "cutOff", token: "exe_1", error, progressed: true }],
  ],
  lost: [
    ...pair("lost", (token) => ({ type: "lost", token, progressed: false }) as const),
    ["lost, after progress", { type: "lost", token: "exe_1", progressed: true }],
  ],
  unreachable: pair("unreachable", (token) => ({ type: "unreachable", token, error })),
  released: pair("released", (token) => ({ type: "released", token })),
  unconnected: pair("unconnected", (token) => ({ type: "unconnected", token })),
  woken: [["woken", { type: "woken" }]],
  canceled: [["canceled", { type: "canceled" }]],
  aborted: [["aborted", { type: "aborted", error }]],
  continued: [["continued", { type: "continued" }]],
};

function pair<I>(title: string, make: (token: string) => I): readonly [readonly [string, I], readonly [string, I]] {
  return [
    [title, make("exe_1")],
    [`${title}, with another token`, make("exe_0")],
  ];
}

const inputs = Object.values(samples).flat() as readonly (readonly [string, RunInput])[];

function render(): string {
  const sections = states.map(([title, run]) => section(title, run));
  return [HEAD, ...sections].join("\n\n").concat("\n");
}

interface Answer {
  readonly name: string;
  readonly type: RunInput["type"];
  readonly decision: Decision;
}

function section(title: string, run: Run): string {
  const answers = inputs.map(([name, input]) => ({
    name,
    type: input.type,
    decision: advance(run, input, { now: NOW, jitter: 0 }),
  }));
  const rows = answers.flatMap(({ name, decision }) => (decision.type === "moved" ? [row(name, run, decision)] : []));
  const table = ["| input | becomes | v2 status | counts | must follow |", "|---|---|---|---|---|", ...rows].join("\n");
  const lines = [`## ${title[0]?.toUpperCase()}${title.slice(1)}`, `v2 status ${statusOf(run)}; ${counts(run)}.`];
  if (rows.length > 0) lines.push(table);
  return [...lines, ...ignoredLines(answers)].join("\n\n");
}

/** One line a reason; a type all of whose samples are ignored for it is named once. */
function ignoredLines(answers: readonly Answer[]): string[] {
  const reasonOf = ({ decision }: Answer) => (decision.type === "ignored" ? decision.why : "");
  const reasons = new Set(answers.map(reasonOf).filter((why) => why !== ""));
  return [...reasons].map((why) => {
    const names = answers
      .filter((answer) => reasonOf(answer) === why)
      .map(({ name, type }) =>
        answers.every((other) => other.type !== type || reasonOf(other) === why) ? `${type} (any)` : name,
      );
    return `Ignored as **${why}**: ${[...new Set(names)].join("; ")}.`;
  });
}

function row(name: string, before: Run, { run, effects }: Extract<Decision, { type: "moved" }>): string {
  const cells = [name, stateText(run.state), statusOf(run), changes(before, run), effects.map(effectText).join(", ")];
  return `| ${cells.join(" | ")} |`;
}

function stateText(state: RunState): string {
  switch (state.kind) {
    case "queued":
      return `queued (${state.cause}), due ${timeText(state.dueAt)}`;
    case "executing":
      return `executing under ${state.token}`;
    case "waiting":
      if (state.on) return `waiting for ${state.on}`;
      return state.dueAt === null ? "waiting for something outside" : `waiting, due ${timeText(state.dueAt)}`;
    case "finished":
      return "finished";
  }
}

const timeText = (at: number): string => (at === NOW ? "now" : `+${at - NOW} ms`);

function effectText(effect: RunEffect): string {
  return effect.type === "execute" ? `execute ${timeText(effect.dueAt)}` : effect.type;
}

const COUNTS = ["executions", "executionMs", "failures", "losses"] as const;
const yieldCount = (run: Run): string => `yields ${run.yields.length}`;
const counts = (run: Run): string => [...COUNTS.map((name) => `${name} ${run[name]}`), yieldCount(run)].join(", ");
function changes(before: Run, after: Run): string {
  const changed: string[] = COUNTS.filter((name) => before[name] !== after[name]).map((name) => `${name} ${after[name]}`);
  if (before.yields.length !== after.yields.length) changed.push(yieldCount(after));
  if (before.startedAt !== after.startedAt) changed.push(after.startedAt === null ? "not started" : "started");
  return changed.join(", ");
}

const HEAD = `# The run machine

What an input does to a run: \`advance(run, input, moment)\` in \`packages/engine\`, every state × every input. This page is rendered by
\`packages/engine/src/state-machine.test.ts\`, which fails when it and the code differ; \`UPDATE_DOCS=1 npx vitest run packages/engine\` writes it anew.

Times are milliseconds from now, chance is 0 (it stretches a backoff by up to 20 %). "counts" shows only what changes. "must follow" is stored in the
same transaction: **execute** the run's work is due then; **rest** it has none; **settleTasks** waiting tasks that are due become ready; **cancelTasks** open
tasks are canceled; **reopenTasks** failed and canceled tasks are reopened; **notify** whoever asked is told.

Limits: ${RUN_LIMITS.executions} executions, ${RUN_LIMITS.yields} yield keys, ${RUN_LIMITS.failures} failed calls and ${RUN_LIMITS.losses} lost executions in a row without progress.`;

describe("the table of the run machine", () => {
  it("has an answer for every state and every input, and is the one in docs/state-machine.md", () => {
    const text = render();
    if (process.env.UPDATE_DOCS === "1") writeFileSync(DOCUMENT, text);
    expect(text).toBe(readFileSync(DOCUMENT, "utf8"));
  });

  it("shows every state and every input type", () => {
    const kinds: Record<RunState["kind"], true> = { queued: true, executing: true, waiting: true, finished: true };
    expect(new Set(states.map(([, run]) => run.state.kind))).toEqual(new Set(Object.keys(kinds)));
    for (const [type, list] of Object.entries(samples)) for (const [, input] of list) expect(input.type).toBe(type);
  });
});
