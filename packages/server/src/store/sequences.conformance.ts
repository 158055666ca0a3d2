// Random operation sequences, played on two stores at once: every answer and every row must be the same. Called by postgres/sequences.test.ts.
import type { Flow, Gate, RunInput } from "@holdfast/engine";
import type { TaskStatus } from "@holdfast/protocol";
import fc from "fast-check";
import {
  changeOf,
  NOW,
  sampleDelivery,
  sampleEvent,
  sampleIntake,
  sampleRun,
  sampleTask,
  unique,
  world,
} from "./samples.conformance.ts";
import type { Claim, EventRow, Intake, RunRow, Store, TaskRow } from "./store.ts";

/** One step; numbers choose among what exists. */
export type Step =
  | { do: "send"; event: number; runs: number; delivery: boolean }
  | { do: "receive" }
  | { do: "settle"; which: number; event: number; verdict: "verified" | "refused" }
  | { do: "claim"; pass: number; server: number; leave: boolean }
  | { do: "record"; task: number; token: number; status: TaskStatus; attempts: number; failed: boolean; delay: number }
  | { do: "open"; task: number; status: TaskStatus }
  | { do: "change"; run: number; input: number; travelling: number; stale: boolean }
  | { do: "renew" | "adopt"; token: number; pass: number; server: number }
  | { do: "release"; server: number }
  | { do: "limit"; gate: number; limit: number };

const small = fc.nat({ max: 7 });
const status = fc.constantFrom<TaskStatus>(
  "PENDING",
  "WAITING",
  "WAITING",
  "WAITING",
  "RUNNING",
  "RUNNING",
  "COMPLETED",
  "ERRORED",
  "CANCELED",
);
const pass = fc.constantFrom(0, 1, 100, 100, 100, 20_000);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("send" as const), event: small, runs: fc.nat({ max: 2 }), delivery: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("receive" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("settle" as const),
        which: small,
        event: small,
        verdict: fc.constantFrom("verified" as const, "refused" as const),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("claim" as const),
        pass,
        server: fc.nat({ max: 1 }),
        leave: fc.constantFrom(false, false, false, true),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant("record" as const),
        task: small,
        token: fc.nat({ max: 4 }),
        status,
        attempts: fc.constantFrom(1, 1, 1, 2, 2, 3),
        failed: fc.boolean(),
        delay: fc.constantFrom(0, 100, 30_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("open" as const), task: small, status }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("change" as const),
        run: small,
        input: small,
        travelling: fc.nat({ max: 2 }),
        stale: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom("renew" as const, "adopt" as const),
        token: small,
        pass,
        server: fc.nat({ max: 1 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("release" as const), server: fc.nat({ max: 1 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("limit" as const), gate: fc.nat({ max: 1 }), limit: fc.constantFrom(1, 2, 3) }),
    },
  ),
  { minLength: 15, maxLength: 45 },
);

/** Every play begins with two runs that execute. */
const OPENING: Step[] = [
  { do: "send", event: 0, runs: 2, delivery: false },
  { do: "claim", pass: 100, server: 0, leave: false },
];

/** What one play knows: the rows it made, which are the same for both stores. */
interface Play {
  queue: string;
  environmentId: string;
  now: number;
  claims: number;
  events: EventRow[];
  runs: RunRow[];
  keys: string[];
  deliveries: string[];
  tokens: string[];
  position: number;
}

/** Plays the steps on both stores; answers what each said, and the ids to compare rows by. */
export async function play(
  given: readonly Step[],
  stores: readonly [Store, Store],
): Promise<{ answers: [unknown, unknown][]; play: Play }> {
  const game: Play = {
    queue: unique("app"),
    environmentId: world.newId("environment"),
    now: NOW,
    claims: 0,
    events: [],
    runs: [],
    keys: Array.from({ length: 3 }, () => unique("key")),
    deliveries: [],
    tokens: [],
    position: 0,
  };
  const answers: [unknown, unknown][] = [];
  for (const step of [...OPENING, ...given]) {
    const operation = await prepare(step, game, stores[0]);
    if (operation) answers.push([await operation(stores[0]), await operation(stores[1])]);
  }
  return { answers, play: game };
}

type Operation = (store: Store) => Promise<unknown>;

/** Makes the step's arguments once; the operation only passes them on. Choices that need to know a row read it from the first store. */
async function prepare(step: Step, game: Play, first: Store): Promise<Operation | null> {
  switch (step.do) {
    case "send":
      return send(step, game);
    case "receive":
      return receive(game);
    case "settle":
      return settle(step, game, first);
    case "claim":
      return claim(step, game);
    case "record":
      return record(step, game);
    case "open": {
      const task = taskFor(game, { ...step, attempts: 1, delay: 100 });
      return task && ((store) => store.openTask(game.environmentId, task));
    }
    case "change":
      return change(step, game, first);
    case "renew":
    case "adopt": {
      game.now += step.pass;
      const tokens = [...new Set([pick(game.tokens, step.token), pick(game.tokens, step.token + 1)])].filter(
        (token) => token !== undefined,
      );
      const owner = `srv_${game.queue}_${step.server}`;
      return async (store) => [...(await store[step.do](tokens, game.now + 15_000, owner))].sort();
    }
    case "release":
      return (store) => store.releaseOwners([`srv_${game.queue}_${step.server}`], game.now, game.now + 100);
    case "limit": {
      const { rule } = gateOf(game, step.gate);
      return async (store) => (await store.catalog.saveLimits([{ rule, limit: step.limit }], game.now)).sort();
    }
  }
}

function pick<T>(from: readonly T[], choice: number): T | undefined {
  return from.length > 0 ? from[choice % from.length] : undefined;
}

function newEvent(game: Play, choice: number): EventRow {
  const event = sampleEvent({ environmentId: game.environmentId, id: `${game.queue} ${choice}` });
  game.events.push(event);
  return event;
}

function newRuns(game: Play, event: EventRow, count: number): RunRow[] {
  const runs = Array.from({ length: count }, (_, i) =>
    sampleRun(event, { appId: game.queue, createdAt: game.now + 100, ...flowOf(game, game.runs.length + i) }),
  );
  game.runs.push(...runs);
  return runs;
}

function gateOf(game: Play, which: number): Gate {
  return { id: `gate ${which} of ${game.queue}`, rule: `rule ${which} of ${game.queue}`, limit: 1 + which };
}

/** The first two runs pass no gate; of the others some pass one, some two. */
function flowOf(game: Play, n: number): { flow?: Flow } {
  const gates = n < 2 || n % 4 === 3 ? [] : n % 4 === 0 ? [gateOf(game, 0)] : [gateOf(game, 0), gateOf(game, 1)];
  return gates.length > 0 ? { flow: { gates, priority: n % 3 } } : {};
}

function send(step: Step & { do: "send" }, game: Play): Operation {
  const event = newEvent(game, step.event);
  const intake = sampleIntake(event, newRuns(game, event, step.runs));
  const delivery = step.delivery
    ? sampleDelivery({ environmentId: game.environmentId, verdict: "verified", eventRowId: event.rowId })
    : null;
  if (delivery) game.deliveries.push(delivery.id);
  return (store) => store.intake({ ...intake, delivery });
}

function receive(game: Play): Operation {
  const delivery = sampleDelivery({ environmentId: game.environmentId });
  game.deliveries.push(delivery.id);
  const work = [{ id: delivery.id, kind: "delivery" as const, queue: game.queue, dueAt: game.now }];
  return (store) => store.intake({ delivery, event: null, runs: [], work, done: null });
}

async function settle(step: Step & { do: "settle" }, game: Play, first: Store): Promise<Operation | null> {
  const id = pick(game.deliveries, step.which);
  const delivery = id === undefined ? null : await first.delivery(game.environmentId, id);
  if (!delivery) return null;
  const event = step.verdict === "verified" ? newEvent(game, step.event) : null;
  const token = game.tokens.findLast((held) => held.endsWith(delivery.id)) ?? "none";
  const runs = event ? newRuns(game, event, 1) : [];
  const intake: Intake = {
    ...(event ? sampleIntake(event, runs) : { event: null, runs: [], work: [] }),
    delivery: { ...delivery, verdict: step.verdict, reason: "said so", eventRowId: event?.rowId ?? null },
    done: { id: delivery.id, token },
  };
  return (store) => store.intake(intake);
}

function claim(step: Step & { do: "claim" }, game: Play): Operation {
  game.now += step.pass;
  game.claims += 1;
  const { now, claims } = game;
  const owner = `srv_${game.queue}_${step.server}`;
  const until = now + 15_000;
  return async (store) => {
    const newToken = (id: string): string => `exe_${claims}.${id}`;
    const request = { queues: [{ queue: game.queue, limit: 100 }], now, leaseUntil: until, owner, newToken };
    const result = await store.claim(request, (run, token) =>
      step.leave ? null : changeOf(run, { type: "claimed", token }, { token, owner, until }, now),
    );
    for (const { token } of result.items) if (!game.tokens.includes(token)) game.tokens.push(token);
    return sortedClaim(result);
  };
}

function sortedClaim({ items, changes, nextDueAt, invited }: Claim): unknown {
  const plain = items.map((item) => (item.kind === "delivery" ? { ...item, delivery: { ...item.delivery, body: null } } : item));
  const ids = changes.map(({ before }) => before.id).sort();
  return { items: plain.sort((a, b) => (a.token < b.token ? -1 : 1)), ids, nextDueAt, invited };
}

function taskFor(
  game: Play,
  { task, status, attempts, delay }: { task: number; status: TaskStatus; attempts: number; delay: number },
): TaskRow | null {
  const run = pick(game.runs, task < 6 ? task % 2 : task);
  if (!run) return null;
  game.position += 1;
  const { position } = game;
  const final = status === "COMPLETED" || status === "ERRORED" || status === "CANCELED";
  return sampleTask(run.id, {
    key: pick(game.keys, task) ?? "",
    noop: task % 3 === 0 && position % 4 > 0,
    status,
    attempts,
    startedAt: game.now,
    completedAt: final ? game.now : null,
    delayUntil: status === "WAITING" && delay > 0 ? game.now + delay : null,
    outputText: status === "COMPLETED" ? `"${game.position}"` : null,
    errorText: status === "ERRORED" ? '{"message":"x"}' : null,
    detailsText: task % 2 ? `{"icon":"${game.position}"}` : null,
    position: game.position,
  });
}

function record(step: Step & { do: "record" }, game: Play): Operation | null {
  const task = taskFor(game, step);
  if (!task) return null;
  const tokens = game.tokens.filter((token) => token.endsWith(task.runId));
  const token = step.token === 0 ? null : (tokens.at(step.token === 4 ? -2 : -1) ?? "exe_none");
  const failureText = step.failed && step.status === "WAITING" ? `{"attempt":${step.attempts}}` : null;
  return (store) => store.recordTask({ task, token, failureText });
}

async function change(step: Step & { do: "change" }, game: Play, first: Store): Promise<Operation | null> {
  const chosen = pick(game.runs, step.run);
  const run = chosen ? await first.run(null, chosen.id) : null;
  if (!run) return null;
  const token = run.state.kind === "executing" ? run.state.token : "none";
  const made = changeOf(run, inputOf(step.input, token, game.now), undefined, game.now);
  if (!made) return null;
  const travels = made.settleTasksAt === null && !made.reopenTasks;
  const kinds: TaskStatus[] = ["RUNNING", "COMPLETED"];
  const tasks = travels
    ? kinds.slice(0, step.travelling).map((kind, i) => taskFor(game, { task: i, status: kind, attempts: 2, delay: 0 }))
    : [];
  const before = step.stale ? { ...run, revision: run.revision - 1 } : run;
  const writes = tasks
    .filter((task) => task !== null)
    .map((task) => ({ task: { ...task, runId: run.id }, token: null, failureText: null }));
  return (store) => store.changeRun({ ...made, before, tasks: writes });
}

function inputOf(choice: number, token: string, now: number): RunInput {
  const inputs: RunInput[] = [
    { type: "succeeded", token, output: '{"a":1.0}' },
    { type: "failed", token, error: { message: "no" } },
    { type: "suspended", token, dueAt: now + 100 },
    { type: "suspended", token, dueAt: null },
    { type: "yielded", token, key: `y${now}`, dueAt: null },
    { type: "woken" },
    { type: "canceled" },
    { type: "continued" },
  ];
  return inputs[choice % inputs.length] as RunInput;
}
