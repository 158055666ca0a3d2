// The task machine: every recorded status × every reported status, and what must hold over any sequence of reports.
import { TASK_STATUSES, type TaskStatus } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  awaitsCallback,
  CALLBACK_DETAILS,
  CALLBACK_TIMEOUT,
  cancelTask,
  isFinalTask,
  mergeTask,
  openTask,
  reopenTask,
  settleTask,
  type TaskMerge,
  type TaskRecord,
  type TaskReportWrite,
} from "./index.ts";

const blank: TaskRecord = {
  noop: false,
  status: "RUNNING",
  attempts: 1,
  startedAt: 10,
  completedAt: null,
  delayUntil: null,
  outputText: null,
  errorText: null,
  detailsText: null,
  failuresText: null,
};
const task = (fields: Partial<TaskRecord>): TaskRecord => ({ ...blank, ...fields });
const report = (fields: Partial<TaskRecord>, failureText: string | null = null): TaskReportWrite<TaskRecord> => ({
  task: task(fields),
  failureText,
});
const failure = (attempt: number) => JSON.stringify({ attempt, at: 5, error: { message: "boom" } });

describe("mergeTask", () => {
  it("has this answer for every recorded and every reported status, at the same attempt", () => {
    const table = TASK_STATUSES.map((from) => [
      from,
      ...TASK_STATUSES.map((to) => mergeTask(task({ status: from }), report({ status: to })).type),
    ]);
    expect(table).toEqual([
      // reported: PENDING, WAITING, RUNNING, COMPLETED, ERRORED, CANCELED
      ["PENDING", "changed", "changed", "changed", "changed", "changed", "changed"],
      ["WAITING", "kept", "changed", "kept", "changed", "changed", "changed"],
      ["RUNNING", "kept", "changed", "kept", "changed", "changed", "changed"],
      ["COMPLETED", "kept", "kept", "kept", "kept", "kept", "kept"],
      ["ERRORED", "kept", "kept", "kept", "kept", "kept", "kept"],
      ["CANCELED", "kept", "kept", "kept", "kept", "kept", "kept"],
    ]);
    for (const status of TASK_STATUSES) expect(mergeTask(null, report({ status })).type).toBe("created");
  });

  it("takes a later attempt's start over a waiting retry, never an earlier one's report", () => {
    const waiting = task({ status: "WAITING", attempts: 2, delayUntil: 50, failuresText: `[${failure(2)}]` });
    expect(mergeTask(waiting, report({ status: "RUNNING", attempts: 3 })).task).toMatchObject({
      status: "RUNNING",
      attempts: 3,
      delayUntil: 50,
    });
    expect(mergeTask(waiting, report({ status: "RUNNING", attempts: 2 })).type).toBe("kept");
    expect(mergeTask(waiting, report({ status: "WAITING", attempts: 1, delayUntil: 9 }, failure(1))).type).toBe("kept");
    expect(mergeTask(task({ attempts: 2 }), report({ status: "WAITING", attempts: 1, delayUntil: 9 }, failure(1))).type).toBe(
      "kept",
    );
  });

  it("appends a failure once, byte for byte, and waits until the new time", () => {
    const odd = '{"attempt":1,"at":5,"error":{"message":"1.0 \\ud800"}}';
    const first = mergeTask(task({}), report({ status: "WAITING", delayUntil: 50 }, odd));
    expect(first.task).toMatchObject({ status: "WAITING", delayUntil: 50, failuresText: `[${odd}]` });
    expect(mergeTask(first.task, report({ status: "WAITING", delayUntil: 60 }, odd)).type).toBe("kept");
    const second = mergeTask(settleTask(first.task, 50), report({ status: "WAITING", attempts: 2, delayUntil: 90 }, failure(2)));
    expect(second.task).toMatchObject({ attempts: 2, delayUntil: 90, failuresText: `[${odd},${failure(2)}]` });
    expect(mergeTask(null, report({ status: "WAITING", delayUntil: 50 }, odd)).task.failuresText).toBe(`[${odd}]`);
  });

  it("does not prolong a wait that is heard of again, but takes a new wait after a run", () => {
    const again = report({ status: "WAITING", delayUntil: 99 });
    expect(mergeTask(task({ status: "WAITING", delayUntil: 50 }), again).task.delayUntil).toBe(50);
    expect(mergeTask(task({ status: "PENDING", delayUntil: 50 }), again).task.delayUntil).toBe(50);
    expect(mergeTask(task({ status: "WAITING", delayUntil: null }), again).task.delayUntil).toBe(99);
    expect(mergeTask(task({ status: "RUNNING", delayUntil: 50 }), again).task.delayUntil).toBe(99);
  });

  it("keeps what was said first, and takes the rest from the report", () => {
    const existing = { ...task({ noop: true, delayUntil: 5, attempts: 3, detailsText: "{}" }), id: "task_1" };
    const done = { ...task({ status: "COMPLETED", startedAt: 99, completedAt: 100, outputText: "1.0" }), id: "other" };
    const { task: merged } = mergeTask(existing, { task: done, failureText: null });
    const expected = {
      id: "task_1",
      noop: true,
      startedAt: 10,
      completedAt: 100,
      outputText: "1.0",
      delayUntil: 5,
      attempts: 3,
      detailsText: "{}",
    };
    expect(merged).toMatchObject(expected);
    expect(mergeTask(existing, { task: { ...done, detailsText: '{"icon":"x"}' }, failureText: null }).task.detailsText).toBe(
      '{"icon":"x"}',
    );
  });
});

describe("openTask", () => {
  it("creates, or returns what there is, or reopens what was canceled with its first due time", () => {
    const given = task({ status: "WAITING", delayUntil: 99, completedAt: null });
    expect(openTask(null, given)).toEqual({ type: "created", task: given });
    for (const status of ["WAITING", "RUNNING", "COMPLETED", "ERRORED"] as const) {
      expect(openTask(task({ status }), given)).toEqual({ type: "kept", task: task({ status }) });
    }
    const canceled = task({ status: "CANCELED", completedAt: 5, delayUntil: 50, attempts: 2, errorText: "{}" });
    expect(openTask(canceled, given).task).toEqual(task({ status: "WAITING", delayUntil: 50, attempts: 2 }));
    expect(openTask(task({ status: "PENDING" }), given).task).toEqual(given);
  });
});

describe("settleTask", () => {
  it("completes a wait that is due and readies a task that is due, a retry with its next attempt", () => {
    const due = { status: "WAITING", delayUntil: 50 } as const;
    expect(settleTask(task({ ...due, noop: true }), 50)).toEqual(
      task({ ...due, noop: true, status: "COMPLETED", completedAt: 50 }),
    );
    expect(settleTask(task(due), 51)).toEqual(task({ ...due, status: "RUNNING" }));
    const retry = task({ ...due, attempts: 2, failuresText: `[${failure(2)}]` });
    expect(settleTask(retry, 50)).toEqual({ ...retry, status: "RUNNING", attempts: 3 });
  });
  it("leaves what is not due, waits for something outside, or does not wait", () => {
    const untouched = [task({ status: "WAITING", delayUntil: 51 }), task({ status: "WAITING" }), task({ delayUntil: 1 })];
    for (const each of untouched) expect(settleTask(each, 50)).toBe(each);
  });
});

describe("a task with a callback", () => {
  const waiting = { status: "WAITING", delayUntil: 50, detailsText: `${CALLBACK_DETAILS}"http://x"}` } as const;

  it("gives up when it is due", () => {
    const late = { status: "ERRORED", completedAt: 50, errorText: CALLBACK_TIMEOUT, attempts: 1 };
    expect(settleTask(task(waiting), 50)).toMatchObject(late);
    expect(settleTask(task(waiting), 49).status).toBe("WAITING");
  });

  it("begins its next attempt when it waits for that, and gives up in it", () => {
    const failuresText = `[${failure(1)}]`;
    expect(settleTask(task({ ...waiting, failuresText }), 50)).toMatchObject({ status: "RUNNING", attempts: 2 });
    expect(settleTask(task({ ...waiting, attempts: 2, failuresText }), 50)).toMatchObject({ status: "ERRORED", attempts: 2 });
  });

  it("is awaited only while it waits", () => {
    expect(awaitsCallback(task(waiting))).toBe(true);
    expect(awaitsCallback(task({ ...waiting, status: "RUNNING" }))).toBe(false);
    expect(awaitsCallback(task({ ...waiting, detailsText: '{"params":1}' }))).toBe(false);
    expect(awaitsCallback(task({ ...waiting, failuresText: "[]" }))).toBe(true);
  });
});

describe("cancelTask and reopenTask", () => {
  const after = (change: (each: TaskRecord) => TaskRecord) =>
    TASK_STATUSES.map((status): TaskStatus => change(task({ status })).status);
  it("cancel what is open and reopen what ended badly", () => {
    expect(after((each) => cancelTask(each, 7))).toEqual([
      "CANCELED",
      "CANCELED",
      "CANCELED",
      "COMPLETED",
      "ERRORED",
      "CANCELED",
    ]);
    expect(after(reopenTask)).toEqual(["PENDING", "WAITING", "RUNNING", "COMPLETED", "RUNNING", "PENDING"]);
    expect(cancelTask(task({}), 7).completedAt).toBe(7);
  });
  it("clear what the bad end left", () => {
    const errored = task({ status: "ERRORED", attempts: 3, completedAt: 9, errorText: "{}", failuresText: "[1]" });
    expect(reopenTask(errored)).toEqual(task({ status: "RUNNING", attempts: 4, failuresText: "[1]" }));
    expect(reopenTask(task({ status: "CANCELED", completedAt: 9, delayUntil: 5 }))).toEqual(
      task({ status: "PENDING", delayUntil: 5 }),
    );
  });
});

describe("any sequence of reports", () => {
  const statuses = fc.constantFrom<TaskStatus>("RUNNING", "WAITING", "COMPLETED", "ERRORED");
  const reports = fc
    .record({ status: statuses, attempts: fc.integer({ min: 1, max: 4 }), at: fc.nat(100), failed: fc.boolean() })
    .map(({ status, attempts, at, failed }) => {
      const fields = {
        status,
        attempts,
        delayUntil: status === "WAITING" ? at : null,
        outputText: status === "COMPLETED" ? `"${at}"` : null,
      };
      return report(fields, failed && status === "WAITING" ? failure(attempts) : null);
    });

  it("never changes a final task, never takes an attempt back, and does nothing when repeated", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(reports, fc.nat(100)), { minLength: 1, maxLength: 20 }), (list) => {
        let current: TaskRecord | null = null;
        for (const [write, now] of list) {
          const before: TaskRecord | null = current;
          const { type, task: merged }: TaskMerge<TaskRecord> = mergeTask(before, write);
          expect(mergeTask(merged, write).task).toEqual(merged);
          if (before !== null && isFinalTask(before.status)) expect(merged).toBe(before);
          if (before !== null) expect(merged.attempts).toBeGreaterThanOrEqual(before.attempts);
          expect(type === "kept").toBe(merged === before);
          const failures = merged.failuresText;
          expect(failures === null || Array.isArray(JSON.parse(failures))).toBe(true);
          current = settleTask(merged, now);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
