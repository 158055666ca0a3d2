import type { TaskView } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { touched } from "../api/live.ts";
import { RUN_GROUPS, RUN_LOOK } from "../parts/status.tsx";
import { apiQuery, toggleGroup } from "./filters.ts";
import { busyTimes, labelledFolds, timeScale } from "./timescale.ts";
import { logLevel, split, taskLook, treeRows } from "./tree.ts";

const at = (ms: number): string => new Date(ms).toISOString();

const task = (id: string, change: Partial<TaskView> = {}): TaskView => ({
  id,
  parentId: null,
  name: id,
  key: id,
  idempotencyKey: id,
  status: "COMPLETED",
  noop: false,
  attempts: 1,
  icon: null,
  description: null,
  properties: [],
  style: null,
  error: null,
  failures: [],
  startedAt: at(0),
  completedAt: at(10),
  delayUntil: null,
  ...change,
});

describe("filters", () => {
  it("puts every status into exactly one group", () => {
    const grouped = Object.values(RUN_GROUPS).flatMap((group) => group.statuses);
    expect([...grouped].sort()).toEqual(Object.keys(RUN_LOOK).sort());
  });
  it("turns words into v2 names and spans into times", () => {
    const query = apiQuery({ status: "failed,nonsense", since: "1h" }, 3_600_000 + 61_500);
    expect(query.status).toEqual(["FAILURE", "ABORTED", "INVALID_PAYLOAD", "UNRESOLVED_AUTH"]);
    expect(query.after).toBe(at(60_000));
  });
  it("toggles groups", () => {
    expect(toggleGroup(undefined, "failed")).toBe("failed");
    expect(toggleGroup("failed,waiting", "failed")).toBe("waiting");
    expect(toggleGroup("failed", "failed")).toBeUndefined();
  });
});

describe("treeRows", () => {
  const tasks = [
    task("a"),
    task("a1", { parentId: "a" }),
    task("b"),
    task("a11", { parentId: "a1" }),
    task("lost", { parentId: "elsewhere" }),
  ];
  it("nests in order, and keeps a task whose parent is not known", () => {
    expect(treeRows(tasks, new Set()).map((row) => [row.task.id, row.depth])).toEqual([
      ["a", 1],
      ["a1", 2],
      ["a11", 3],
      ["b", 1],
      ["lost", 1],
    ]);
  });
  it("hides what is folded", () => {
    expect(treeRows(tasks, new Set(["a1"])).map((row) => row.task.id)).toEqual(["a", "a1", "b", "lost"]);
  });
  it("shows each task once when nothing is folded", () => {
    const parents = fc.array(fc.nat({ max: 20 }), { maxLength: 30 });
    fc.assert(
      fc.property(parents, (numbers) => {
        const some = numbers.map((parent, id) => task(String(id), { parentId: parent < id ? String(parent) : null }));
        expect(treeRows(some, new Set())).toHaveLength(some.length);
      }),
    );
  });
});

it("reads a log line's level, and only of a log line", () => {
  const line = { noop: true, icon: "log", properties: [{ label: "Level", text: "WARN" }] };
  expect(logLevel(task("l", line))).toBe("WARN");
  expect(logLevel(task("t", { properties: [{ label: "Level", text: "WARN" }] }))).toBeNull();
});

it("calls a waiting task with failures a retry", () => {
  expect(taskLook(task("t", { status: "WAITING", failures: [{ attempt: 1, at: at(0), error: { message: "no" } }] })).word).toBe(
    "Retrying",
  );
  expect(taskLook(task("t", { status: "WAITING" })).word).toBe("Waiting");
});

it("splits a run's time into running and waiting", () => {
  expect(split({ startedAt: at(0), completedAt: at(6_400), executionMs: 812 }, 0)).toBe("6.4s (ran 812ms, waited 5.5s)");
  expect(split({ startedAt: null, completedAt: null, executionMs: 0 }, 0)).toBe("not started");
});

describe("timeScale", () => {
  it("labels the longest of folds whose labels would cover each other", () => {
    const fold = (from: number, ms: number) => ({ from, to: from + 0.09, ms });
    const [near, long, far] = [fold(0.7, 2_000), fold(0.8, 9_000), fold(0.2, 1_000)];
    expect(labelledFolds([far, near, long])).toEqual([long, far]);
    expect(labelledFolds([fold(0.9, 1_000), fold(0.78, 1_500)])).toHaveLength(1);
    expect(labelledFolds([])).toEqual([]);
  });

  it("folds a long pause between two bits of work", () => {
    const scale = timeScale(
      [
        [0, 100],
        [60_100, 60_200],
      ],
      0,
      60_200,
    );
    expect(scale.folds.map((fold) => fold.ms)).toEqual([60_000]);
    expect(scale.at(100)).toBeGreaterThan(0.4);
    expect(scale.at(60_100) - scale.at(100)).toBeLessThan(0.1);
  });
  it("does not fold what is short", () => {
    expect(
      timeScale(
        [
          [0, 100],
          [400, 500],
        ],
        0,
        500,
      ).folds,
    ).toEqual([]);
  });
  it("stays within 0 and 1 and never goes back", () => {
    const times = fc.array(fc.tuple(fc.nat(100_000), fc.nat(5_000)), { maxLength: 12 });
    fc.assert(
      fc.property(times, fc.array(fc.nat(120_000), { minLength: 2 }), (some, moments) => {
        const busy = busyTimes(
          some.map(([start, ms], id) => task(String(id), { startedAt: at(start), completedAt: at(start + ms) })),
          0,
        );
        const scale = timeScale(busy, 0, 110_000);
        const places = moments.sort((a, b) => a - b).map(scale.at);
        expect(
          places.every((place, index) => place >= -1e-9 && place <= 1 + 1e-9 && place >= (places[index - 1] ?? 0) - 1e-9),
        ).toBe(true);
      }),
    );
  });
  it("counts work of leaves only, not of the parent around a pause", () => {
    const wait = task("wait", { parentId: "outer", noop: true, delayUntil: at(900), startedAt: at(100), completedAt: at(900) });
    const outer = task("outer", { startedAt: at(0), completedAt: at(1_000) });
    expect(busyTimes([outer, wait, task("end", { parentId: "outer", startedAt: at(900), completedAt: at(1_000) })], 0)).toEqual([
      [900, 1_000],
    ]);
  });
});

it("refetches the run a task message names, and no list", () => {
  expect(touched({ type: "tasks", runId: "run_1" })).toEqual([
    ["run", "run_1"],
    ["tasks", "run_1"],
  ]);
});
