// Simulation: what jobs do. A program is made by chance and travels as the event's payload; `perform` carries it out with the real `io`, and `expected`
// says what its run must come to, given what the app was told each task returned.
import type { IO, IOTask, Json } from "@holdfast/sdk";
import { isTriggerError } from "@holdfast/sdk";
import type { Chance } from "./chance.ts";

export type Step =
  /** Fails `fails` times; with `limit` above that it succeeds in the end. `by`: what follows a failure. */
  | { do: "task"; key: string; ms: number; fails: number; limit: number; by: "retry" | "onError" | "replaced" }
  | { do: "nest"; key: string; steps: Step[] }
  | { do: "all"; branches: Step[][] }
  | { do: "parallel"; key: string; items: number; ms: number }
  | { do: "wait"; key: string; ms: number }
  | { do: "log"; text: string }
  | { do: "yield"; key: string }
  | { do: "idle"; ms: number }
  | { do: "random"; key: string }
  | { do: "send"; key: string; program: Program };

export interface Program {
  steps: Step[];
  /** The run fails in the end, with this message. */
  doom?: string;
}

/** What a program needs from the app that runs it. */
export interface Stage {
  started(task: IOTask, key: string): void;
  acknowledged(key: string, output: unknown): void;
  waits(key: string, ms: number): void;
  resumed(key: string): void;
  sleep(ms: number): Promise<void>;
  /** Something no two performances share. */
  nonce(): string;
}

/** Makes a program. */
export function makeProgram(chance: Chance, depth = 2): Program {
  const names = { next: 0 };
  const steps = makeSteps(chance, { depth, most: 4, names });
  const doomed = depth === 2 && chance.happens(0.1);
  return doomed ? { steps, doom: "doomed" } : { steps };
}

interface Making {
  depth: number;
  most: number;
  names: { next: number };
}

function makeSteps(chance: Chance, making: Making): Step[] {
  return Array.from({ length: chance.between(1, making.most) }, () => makeStep(chance, making));
}

function makeStep(chance: Chance, making: Making): Step {
  const { depth, names } = making;
  const key = `k${names.next++}`;
  const inner = { depth: depth - 1, most: 3, names };
  const leaves = ["task", "task", "task", "wait", "log", "yield", "idle", "random"] as const;
  const kind = chance.pick(depth > 0 ? ([...leaves, "nest", "all", "all", "parallel", "send"] as const) : leaves);
  switch (kind) {
    case "task":
      return makeTask(chance, key);
    case "nest":
      return { do: kind, key, steps: makeSteps(chance, inner) };
    case "all":
      return { do: kind, branches: Array.from({ length: chance.between(2, 3) }, () => makeSteps(chance, inner)) };
    case "parallel":
      return { do: kind, key, items: chance.between(1, 4), ms: chance.between(0, 300) };
    case "wait":
      return { do: kind, key, ms: chance.pick([1, 50, 400, 1_000, 5_000]) };
    case "idle":
      return { do: kind, ms: chance.between(0, 700) };
    case "log":
      return { do: kind, text: key };
    case "send":
      return { do: kind, key, program: makeProgram(chance, 0) };
    case "yield":
    case "random":
      return { do: kind, key };
  }
}

function makeTask(chance: Chance, key: string): Step {
  const fails = chance.happens(0.3) ? chance.between(1, 3) : 0;
  const limit = fails > 0 && chance.happens(0.3) ? fails : fails + 1;
  return {
    do: "task",
    key,
    ms: chance.pick([0, 1, 20, 300, 2_000]),
    fails,
    limit,
    by: chance.pick(["retry", "onError", "replaced"]),
  };
}

/** Carries a program out. */
export async function perform(program: Program, io: IO, stage: Stage): Promise<Json> {
  const results = await performSteps(program.steps, io, stage);
  if (program.doom !== undefined) throw new Error(program.doom);
  return results;
}

async function performSteps(steps: Step[], io: IO, stage: Stage): Promise<Json[]> {
  const results: Json[] = [];
  for (const step of steps) results.push(await performStep(step, io, stage));
  return results;
}

async function performStep(step: Step, io: IO, stage: Stage): Promise<Json> {
  switch (step.do) {
    case "task":
      return performTask(step, io, stage);
    case "nest":
      return acknowledged(
        stage,
        step.key,
        io.runTask(step.key, async (task, inner) => {
          stage.started(task, step.key);
          return performSteps(step.steps, inner, stage);
        }),
      );
    case "all":
      return Promise.all(step.branches.map((branch) => performSteps(branch, io, stage)));
    case "parallel":
      return io.parallel(
        step.key,
        Array.from({ length: step.items }, (_, i) => `${step.key}.${i}`),
        (key) => performTask({ do: "task", key, ms: step.ms, fails: 0, limit: 1, by: "retry" }, io, stage),
      );
    case "wait":
      stage.waits(step.key, step.ms);
      await io.wait(step.key, step.ms / 1000);
      stage.resumed(step.key);
      return step.key;
    case "idle":
      await stage.sleep(step.ms);
      return "idled";
    case "log":
      await io.logger.info(step.text);
      return "logged";
    case "yield":
      io.yield(step.key);
      return "yielded";
    case "random":
      return acknowledged(stage, step.key, io.random(step.key));
    case "send":
      return acknowledged(
        stage,
        step.key,
        io.sendEvent(step.key, { name: "child", payload: step.program }).then(({ name }) => name),
      );
  }
}

async function acknowledged<T>(stage: Stage, key: string, task: Promise<T>): Promise<T> {
  const output = await task;
  stage.acknowledged(key, output);
  return output;
}

async function performTask(step: Step & { do: "task" }, io: IO, stage: Stage): Promise<Json> {
  const { key, ms, fails, limit, by } = step;
  const work = async (task: IOTask) => {
    stage.started(task, key);
    if (ms > 0) await stage.sleep(ms);
    if (task.attempts <= fails) throw new Error(`${key} failed`);
    return `${key} ${stage.nonce()}`;
  };
  const retry = { limit, minTimeoutInMs: 100, maxTimeoutInMs: 1_000, factor: 1.5, randomize: true };
  const replace = () => new Error(`${key} failed, it says`);
  const skip = (_error: unknown, task: IOTask) => (task.attempts >= limit ? { skipRetrying: true } : undefined);
  try {
    const options = { retry: by === "onError" ? { ...retry, limit: 100 } : retry };
    const task = io.runTask(key, work, options, by === "replaced" ? replace : by === "onError" ? skip : undefined);
    return await acknowledged(stage, key, task);
  } catch (error) {
    if (isTriggerError(error)) throw error;
    const { message } = error as Error;
    stage.acknowledged(key, `caught ${message}`);
    return `caught ${message}`;
  }
}

/** What a run must come to: its output, or the message it must fail with. `told`: what the app was told a task returned. */
export function expected(program: Program, told: (key: string) => unknown): { output: unknown } | { error: string } {
  const output = expectedSteps(program.steps, told);
  return program.doom === undefined ? { output } : { error: program.doom };
}

function expectedSteps(steps: Step[], told: (key: string) => unknown): unknown[] {
  return steps.map((step) => expectedStep(step, told));
}

function expectedStep(step: Step, told: (key: string) => unknown): unknown {
  switch (step.do) {
    case "task":
      return expectedTask(step, told);
    case "nest":
      return expectedSteps(step.steps, told);
    case "all":
      return step.branches.map((branch) => expectedSteps(branch, told));
    case "parallel":
      return Array.from({ length: step.items }, (_, i) => told(`${step.key}.${i}`));
    case "wait":
      return step.key;
    case "idle":
      return "idled";
    case "log":
      return "logged";
    case "yield":
      return "yielded";
    case "random":
      return told(step.key);
    case "send":
      return "child";
  }
}

function expectedTask({ key, fails, limit, by }: Step & { do: "task" }, told: (key: string) => unknown): unknown {
  if (limit > fails) return told(key);
  return by === "replaced" ? `caught ${key} failed, it says` : `caught ${key} failed`;
}

/** Every task of a program that may be retried, with the most attempts it may have. */
export function limits(steps: Step[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const step of steps) {
    if (step.do === "task") found.set(step.key, Math.min(step.limit, step.fails + 1));
    const inner = step.do === "nest" ? [step.steps] : step.do === "all" ? step.branches : [];
    for (const [key, limit] of inner.flatMap((some) => [...limits(some)])) found.set(key, limit);
  }
  return found;
}
